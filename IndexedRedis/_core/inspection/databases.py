"""Find the models of a database by the shapes of its keys, without their classes.

A counter alone, and what belongs to it, makes no model: both stay after ``destroyModel()``. So do
the marks of partitions, and the record of their editions. Each step is one page of ``SCAN``, or
scripts over at most a hundred keys. It only reads. On a cluster, all primaries are scanned; a model
without a hash tag is in many slots there, and is not measured.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from ...errors import ConnectionSetupError
from ..flows import (
    Batch,
    Command,
    Elsewhere,
    Everywhere,
    Flow,
    Parts,
    Progress,
    ask,
    chunks,
    scan,
    whole,
)
from ..keys import ALL_MODELS, KeyParts, Keys, is_note, parse_key
from ..text import bytes_text, moment_in, shown
from .model_info import scaled
from .scripts import MEASURE
from .statistics import measure

__all__ = ('FoundModel', 'find_models')

# Keys that outlive the objects, beside notes of draws: the counter, its record of incarnations, and
# the record of editions.
OF_COUNTER = (('next', b''), ('tmp', b'incarnations'), ('tmp', b'editions'))
# Keys of a partition that one script measures, and such scripts of one trip.
KEYS_IN_SCRIPT = 60
SCRIPTS_AT_ONCE = 64


def _outlives_objects(parts: KeyParts) -> bool:
    """Whether a key stays when the model is destroyed."""
    of_draw = parts.kind == 'tmp' and is_note(parts.rest)
    return of_draw or (parts.kind, parts.rest) in OF_COUNTER


class FoundModel:
    """A model that has keys in a database.

    :param keyName: its ``KEY_NAME``
    """

    def __init__(self, keyName: str) -> None:
        self.keyName = keyName
        #: how many objects are stored; if the keys are in many slots of a cluster, how many hashes
        self.objects = 0
        #: hashes of objects; more than objects if a reset has just replaced some
        self.rows = 0
        #: number of index sets of each indexed field; of a value in several partitions, one in each
        self.indexSets: dict[str, int] = {}
        #: names of the sorted fields
        self.sortedFields: list[str] = []
        #: over how many partitions its objects are spread, and the edition that is true; 0 and
        #: None without partitions
        self.partitions = 0
        self.edition: int | None = None
        #: number of work keys of resets, and of keys of other editions
        self.workKeys = 0
        #: bytes of memory, estimated; None: the server does not allow MEMORY USAGE, or the keys
        #: are in many slots of a cluster
        self.memory: int | None = None
        #: number of keys that were measured for it
        self.sampled = 0
        #: when the data was mirrored, as stored; None: it was not mirrored
        self.mirroredAt: str | None = None

    def asDict(self) -> dict[str, Any]:
        """Return it as plain data, for json."""
        return dict(vars(self))

    def __str__(self) -> str:
        sets = ', '.join(f'{field} {count:,}' for field, count in self.indexSets.items())
        ordered = f', sorted sets: {", ".join(self.sortedFields)}' if self.sortedFields else ''
        spread = f' in {self.partitions:,} partitions' if self.partitions else ''
        return (
            f'{shown(self.keyName)}: {self.objects:,} objects{spread}, '
            f'about {bytes_text(self.memory)}, index sets: {sets or "none"}{ordered}'
        )

    def __repr__(self) -> str:
        return f'<FoundModel {self.keyName!r}: {self.objects:,} objects>'


class _Counts:
    """Counts keys of one model, or of one edition of its partitions, and samples some."""

    def __init__(self, sample: int) -> None:
        self._sample = sample
        self.all = self.rows = self.work = 0
        self.index_sets: dict[str, int] = {}
        self.sorted_fields: set[str] = set()
        #: sets of all pks: one of a plain model, one of each partition
        self.pks: list[bytes] = []
        #: a sample of the rows, and of the index sets of each field: SCAN has a random order
        self.some_rows: list[bytes] = []
        self.some_sets: dict[str, list[bytes]] = {}
        self.sorted: list[bytes] = []

    def note(self, key: bytes, parts: KeyParts) -> None:
        """Count one key."""
        some, self.all = self.some_rows, self.all + 1
        kind, rest = parts.kind, parts.rest
        if kind == 'data':
            self.rows += 1
        elif kind == 'tmp':
            self.work += 1
        elif kind == 'sorted':
            self.sorted_fields.add(rest.decode('utf-8', 'backslashreplace'))
            self.sorted.append(key)
        elif kind == 'keys':
            self.pks.append(key)
        elif kind == 'idx':
            field = rest.partition(b':')[0].decode('utf-8', 'backslashreplace')
            self.index_sets[field] = self.index_sets.get(field, 0) + 1
            some = self.some_sets.setdefault(field, [])
        if kind in ('data', 'idx') and len(some) < self._sample:
            some.append(key)

    def tell(self, found: FoundModel) -> None:
        """Set what was counted."""
        found.rows = found.objects = self.rows
        found.workKeys = self.work
        found.indexSets = dict(sorted(self.index_sets.items()))
        found.sortedFields = sorted(self.sorted_fields)


class _Tally:
    """Counts the keys of one model.

    As a model with this ``KEY_NAME``, it tells an executor where its keys are.
    """

    def __init__(self, name: str, sample: int) -> None:
        self.KEY_NAME = name
        self.keys = Keys(name)
        self._sample = sample
        self._plain = _Counts(sample)
        self._editions: dict[int, _Counts] = {}

    def note(self, key: bytes, parts: KeyParts) -> None:
        """Count one key."""
        if not parts.edition:
            self._plain.note(key, parts)
            return
        if parts.edition not in self._editions:
            self._editions[parts.edition] = _Counts(self._sample)
        self._editions[parts.edition].note(key, parts)

    def results(self) -> Flow[list[FoundModel]]:
        """Measure the samples; return the model.

        What is stored without partitions under the name of a model with some is listed besides.
        """
        found = []
        if self._editions:
            found.append((yield from self._spread()))
        plain = self._plain
        if not found or plain.all > plain.work:
            found.append((yield from self._whole()))
        else:
            found[0].workKeys += plain.work
        return found

    def _whole(self) -> Flow[FoundModel]:
        """Return the model without partitions."""
        found = FoundModel(self.KEY_NAME)
        self._plain.tell(found)
        with suppress(ConnectionSetupError):  # they are in many slots of a cluster
            yield Elsewhere(self, self._measure(found))
        return found

    def _measure(self, found: FoundModel) -> Flow[None]:
        counts = self._plain
        ((size, memory, _),) = yield from measure([self.keys.all], True)
        found.objects = max(0, size)
        parts = [memory, _memory(found, (yield from measure(counts.some_rows, True)), found.rows)]
        for field, some in counts.some_sets.items():
            seen = yield from measure(some, True)
            parts.append(_memory(found, seen, found.indexSets[field]))
        seen = yield from measure(counts.sorted, True, sorts=True)
        parts += [memory for _, memory, _ in seen]
        found.memory = None if min(parts) < 0 else sum(parts)
        if (yield from ask('TYPE', self.keys.mirrored)) == b'string':
            text = yield from ask('GET', self.keys.mirrored)
            found.mirroredAt = None if text is None else moment_in(text)

    def _spread(self) -> Flow[FoundModel]:
        """Return the model with partitions."""
        found, keys = FoundModel(self.KEY_NAME), self.keys
        # MGET returns nil for a key of another type.
        asked = [(key, ('MGET', key)) for key in (keys.edition, keys.mirrored)]
        (pointer,), (stamp,) = yield from _at(asked)
        match = re.fullmatch(rb'(\d{1,15}) (\d{1,4})', pointer or b'')
        edition = int(match[1]) if match else max(self._editions)
        counts = self._editions.pop(edition, None) or _Counts(self._sample)
        counts.tell(found)
        found.edition = edition
        found.partitions = int(match[2]) if match else len(counts.pks)
        found.workKeys += sum(other.all for other in self._editions.values())
        found.mirroredAt = None if stamp is None else moment_in(stamp)
        seen = yield from _measured(counts.pks)
        found.objects = sum(max(0, size) for size, *_ in seen)
        seen += yield from _measured(counts.sorted, sorts=True)
        parts = [memory for _, memory, _ in seen]
        parts.append(_memory(found, (yield from _measured(counts.some_rows)), found.rows))
        for field, some in counts.some_sets.items():
            parts.append(_memory(found, (yield from _measured(some)), found.indexSets[field]))
        found.memory = None if min(parts) < 0 else sum(parts)
        return found


def _memory(found: FoundModel, seen: Sequence[Sequence[Any]], count: int) -> int:
    """Return the bytes of ``count`` keys, extrapolated from some; -1: not allowed."""
    there = [memory for size, memory, _ in seen if size >= 0]
    found.sampled += len(there)
    return -1 if min(there, default=0) < 0 else scaled(sum(there), len(there), count)


def _at(commands: Sequence[tuple[bytes, Command]]) -> Flow[list[Any]]:
    """Send each command to the place of a key; return the replies."""
    outcomes = yield Parts([(key, Batch([command])) for key, command in commands])
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [reply for (reply,) in outcomes]


def _measured(keys: Sequence[bytes], sorts: bool = False) -> Flow[list[Sequence[Any]]]:
    """Return size, memory and encoding of keys of several partitions, in any order.

    :param sorts: whether these are the keys of sorted sets
    """
    groups: dict[bytes, list[bytes]] = {}
    for key in keys:
        groups.setdefault(key.partition(b'}')[0], []).append(key)
    pieces = [piece for group in groups.values() for piece in chunks(group, KEYS_IN_SCRIPT)]
    seen: list[Sequence[Any]] = []
    for some in chunks(pieces, SCRIPTS_AT_ONCE):
        asked = [(piece[0], MEASURE.of(sorts)(piece, 1)) for piece in some]
        seen += (facts for reply in (yield from _at(asked)) for facts in reply)
    return seen


def find_models(sample: int, progress: Progress | None = None) -> Flow[list[FoundModel]]:
    """Return the models of a database, ordered by name.

    :param sample: how many rows, and how many index sets of each field, to measure
    :param progress: called with the name of the step, how much of it is done, and of how much
    """
    tallies: dict[str, _Tally] = {}

    def note(names: list[bytes]) -> tuple[()]:
        for key in names:
            parts = parse_key(key)
            if parts is None or _outlives_objects(parts) or parts.kind == 'edition':
                continue
            if parts.edition != 0:  # what editions share is a counter, and what belongs to it
                if parts.model not in tallies:
                    tallies[parts.model] = _Tally(parts.model, sample)
                tallies[parts.model].note(key, parts)
        return ()

    tell = progress and partial(progress, 'keys')

    def scanned() -> Flow[None]:
        tallies.clear()
        yield Everywhere(lambda: scan(note, match=ALL_MODELS, tell=tell, strict=True))

    yield from whole(scanned)
    found: list[FoundModel] = []
    for name in sorted(tallies):
        found += yield from tallies[name].results()
    return found
