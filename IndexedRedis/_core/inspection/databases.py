"""Find the models of a database by the shapes of its keys, without their classes.

A counter alone, and what belongs to it, makes no model: both stay after ``destroyModel()``.
Each step is one page of ``SCAN``, or a script over at most a hundred keys. It only reads. On a
cluster, all primaries are scanned; a model without a hash tag is in many slots there, and is not
measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from ...errors import ConnectionSetupError
from ..flows import Elsewhere, Everywhere, Flow, Progress, ask, scan, whole
from ..keys import ALL_MODELS, Keys, model_and_kind
from ..text import bytes_text, shown
from .model_info import scaled
from .statistics import measure

__all__ = ('FoundModel', 'find_models')

# Kinds and rests of the names of the counter, and of its record of incarnations.
OF_COUNTER = (('next', b''), ('tmp', b'incarnations'))


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
        #: number of index sets of each indexed field
        self.indexSets: dict[str, int] = {}
        #: names of the sorted fields
        self.sortedFields: list[str] = []
        #: number of work keys of resets
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
        return (
            f'{shown(self.keyName)}: {self.objects:,} objects, about {bytes_text(self.memory)}, '
            f'index sets: {sets or "none"}{ordered}'
        )

    def __repr__(self) -> str:
        return f'<FoundModel {self.keyName!r}: {self.objects:,} objects>'


class _Tally:
    """Counts the keys of one model, and samples some.

    As a model with this ``KEY_NAME``, it tells an executor where its keys are.
    """

    def __init__(self, name: str, sample: int) -> None:
        self.KEY_NAME = name
        self.found = FoundModel(name)
        self.keys = Keys(name)
        self._sample = sample
        #: a sample of the rows, and of the index sets of each field: SCAN has a random order
        self._rows: list[bytes] = []
        self._sets: dict[str, list[bytes]] = {}
        self._sorted: list[bytes] = []

    def note(self, key: bytes, kind: str, rest: bytes) -> None:
        """Count one key."""
        found, some = self.found, self._rows
        if kind == 'data':
            found.rows += 1
        elif kind == 'tmp':
            found.workKeys += 1
        elif kind == 'sorted':
            found.sortedFields.append(rest.decode('utf-8', 'backslashreplace'))
            self._sorted.append(key)
        elif kind == 'idx':
            field = rest.partition(b':')[0].decode('utf-8', 'backslashreplace')
            found.indexSets[field] = found.indexSets.get(field, 0) + 1
            some = self._sets.setdefault(field, [])
        if kind in ('data', 'idx') and len(some) < self._sample:
            some.append(key)

    def result(self) -> Flow[FoundModel]:
        """Measure the sample, where the keys are; return the model."""
        found = self.found
        found.indexSets = dict(sorted(found.indexSets.items()))
        found.sortedFields = sorted(set(found.sortedFields))
        found.objects = found.rows
        with suppress(ConnectionSetupError):  # they are in many slots of a cluster
            yield Elsewhere(self, self._measure())
        return found

    def _measure(self) -> Flow[None]:
        found = self.found
        ((size, memory, _),) = yield from measure([self.keys.all], True)
        found.objects = max(0, size)
        parts = [memory, (yield from self._memory(self._rows, found.rows))]
        for field, some in self._sets.items():
            parts.append((yield from self._memory(some, found.indexSets[field])))
        parts += [memory for _, memory, _ in (yield from measure(self._sorted, True, sorts=True))]
        found.memory = None if min(parts) < 0 else sum(parts)
        if (yield from ask('TYPE', self.keys.mirrored)) == b'string':
            text = yield from ask('GET', self.keys.mirrored)
            found.mirroredAt = None if text is None else text.decode('ascii', 'replace')

    def _memory(self, some: Sequence[bytes], count: int) -> Flow[int]:
        """Return the bytes of ``count`` keys, extrapolated from some; -1: not allowed."""
        seen = yield from measure(some, True)
        there = [memory for size, memory, _ in seen if size >= 0]
        self.found.sampled += len(there)
        return -1 if min(there, default=0) < 0 else scaled(sum(there), len(there), count)


def find_models(sample: int, progress: Progress | None = None) -> Flow[list[FoundModel]]:
    """Return the models of a database, ordered by name.

    :param sample: how many rows, and how many index sets of each field, to measure
    :param progress: called with the name of the step, how much of it is done, and of how much
    """
    tallies: dict[str, _Tally] = {}

    def note(names: list[bytes]) -> tuple[()]:
        for key in names:
            shape = model_and_kind(key)
            if shape is not None and shape[1:] not in OF_COUNTER:
                name, kind, rest = shape
                if name not in tallies:
                    tallies[name] = _Tally(name, sample)
                tallies[name].note(key, kind, rest)
        return ()

    tell = progress and partial(progress, 'keys')

    def scanned() -> Flow[None]:
        tallies.clear()
        yield Everywhere(lambda: scan(note, match=ALL_MODELS, tell=tell, strict=True))

    yield from whole(scanned)
    found = []
    for name in sorted(tallies):
        found.append((yield from tallies[name].result()))
    return found
