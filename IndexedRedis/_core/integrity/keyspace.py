"""Examine every key of a model: its name, its type, its content.

Only keys of the exact shapes of the model are examined. Others with the same prefix may belong to a
model with a longer name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from ..column import Column
from ..flows import Batch, Flow, ask, chunks, scan
from ..keys import is_pk
from ..mapping.schema import Schema
from ..mapping.unique import Unique
from .probe import NO_EXPIRY, NO_KEY, Probe, probe_entries
from .report import Finding
from .scripts import LEFTOVERS, UNLISTED
from .survey import PROBES_IN_TRIP, Survey
from .unique import repeated

__all__ = ('examine_keys', 'examine_names', 'examine_work')

# Rows or work keys that one script examines.
KEYS_IN_SCRIPT = 100
# Index sets that are scanned side by side.
SETS_AT_ONCE = 50


class _Key(NamedTuple):
    """A key of the model.

    :param kind: ``row``, ``index``, ``sorted``, ``work`` or ``other``
    :param type: the Redis type that it should have
    :param pk: the pk of a row
    :param column: the field of an index set or a sorted set
    :param unique: the item of ``UNIQUE_FIELDS`` that an index set belongs to
    """

    name: bytes
    kind: str
    type: bytes
    pk: bytes = b''
    column: Column | None = None
    unique: Unique | None = None

    def probe(self, pk: bytes) -> Probe | None:
        """Return the question whether it lists a pk rightly; None for a set of no field."""
        if self.column is not None:
            return Probe(pk, (self.column,), (self.name,))
        if self.unique is not None:
            return Probe(pk, self.unique.columns, (self.name,), self.unique)
        return None


def _key(schema: Schema, name: bytes) -> _Key:
    keys, kind = schema.keys, schema.keys.type_of(name)
    if keys.is_row(name):
        return _Key(name, 'row', kind, pk=name[len(keys.data_prefix) :])
    if keys.is_index(name):
        rest = name[len(keys.index_prefix) :]
        field = (column for column in schema.indexed if rest.startswith(column.key + b':'))
        unique = (each for each in schema.uniques if each.lists(rest))
        return _Key(name, 'index', kind, b'', next(field, None), next(unique, None))
    if keys.is_sorted(name):
        columns = dict(zip(schema.sorted_keys, schema.sorted, strict=True))
        return _Key(name, 'sorted', kind, column=columns.get(name))
    return _Key(name, 'work' if keys.is_work(name) else 'other', kind)


def examine_keys(survey: Survey) -> Flow[None]:
    """Go through all keys of the model."""
    examine, tell = partial(examine_names, survey), partial(survey.tell, 'keys')
    yield from scan(examine, match=survey.schema.keys.pattern, tell=tell, strict=True)


def examine_names(survey: Survey, names: Sequence[bytes]) -> Flow[None]:
    """Examine keys; names that are not of the model are left out."""
    names = [key for key in names if survey.schema.keys.is_own(key)]
    if not names:
        return
    facts = yield Batch([(what, name) for name in names for what in ('TYPE', 'PTTL')])
    sound: dict[str, list[_Key]] = {
        each: [] for each in ('row', 'index', 'sorted', 'work', 'other')
    }
    findings: list[Finding] = []
    for name, kind, ttl in zip(names, facts[::2], facts[1::2], strict=True):
        key = _key(survey.schema, name)
        if kind == b'none' or ttl == NO_KEY:
            continue
        wrong = _wrong(key, kind)
        if wrong is None or key.kind == 'work':
            sound[key.kind].append(key)
            if ttl != NO_EXPIRY and key.kind in ('index', 'sorted', 'other'):
                wrong = Finding('key_expiring', name)
        findings += [wrong] if wrong else []
    # Work keys that nobody needs are leftovers, whatever their type.
    endless = yield from examine_work(survey, [key.name for key in sound['work']])
    yield from survey.found([finding for finding in findings if finding.key not in endless])
    yield from _examine_rows(survey, [key.pk for key in sound['row']])
    for some in chunks(sound['index'], SETS_AT_ONCE):
        yield from _examine_sets(survey, some)
        for key in some:
            if key.unique is not None:
                yield from survey.found((yield from repeated(survey.schema, key.unique, key.name)))
    for key in sound['sorted']:
        yield from _examine_sorted(survey, key)


def _wrong(key: _Key, kind: bytes) -> Finding | None:
    """Return what is wrong with the name or the type of a key."""
    if key.kind == 'row' and not is_pk(key.pk):
        return Finding('key_unknown', key.name)
    if key.type and kind != key.type:
        return Finding('wrong_type', key.name, field=kind.decode())
    if key.kind in ('index', 'sorted') and key.probe(b'') is None:
        return Finding(f'{key.kind}_unused', key.name)
    return None


def _examine_rows(survey: Survey, pks: Sequence[bytes]) -> Flow[None]:
    """Find rows that are not listed and never expire."""
    keys = survey.schema.keys
    for some in chunks(pks, KEYS_IN_SCRIPT):
        unlisted = yield from ask(
            *UNLISTED([keys.all, keys.record], keys.data_prefix, keys.tmp, *some)
        )
        for pk in set(some).difference(unlisted):
            survey.in_use(pk)
        yield from survey.found(
            [Finding('row_unlisted', keys.data_prefix + pk, pk) for pk in unlisted]
        )


def examine_work(survey: Survey, names: Sequence[bytes]) -> Flow[set[bytes]]:
    """Find work keys that never expire and that no reset will use or sweep; return them."""
    keys = survey.schema.keys
    # The age of mirrored data stays, and so does the record of incarnations.
    names = [name for name in names if name not in (keys.mirrored, keys.incarnations)]
    endless: list[bytes] = []
    for some in chunks(names, KEYS_IN_SCRIPT):
        _, found = yield from ask(*LEFTOVERS([keys.lock, keys.record, *some], keys.tmp))
        endless += found
    yield from survey.found([Finding('leftover', name, name[len(keys.tmp) :]) for name in endless])
    return set(endless)


def _examine_sets(survey: Survey, keys: Sequence[_Key]) -> Flow[None]:
    """Go through the members of index sets: does each object store the value of the set?"""

    def examine(*pages: list[bytes]) -> Flow[None]:
        pairs = zip(keys, pages, strict=True)
        yield from _examine_members(survey, ((key, pk) for key, page in pairs for pk in page))

    yield from scan(examine, *(key.name for key in keys), strict=True)


def _examine_sorted(survey: Survey, key: _Key) -> Flow[None]:
    """Go through the members of a sorted set: does each object store a value of that score?"""

    def examine(page: list[bytes]) -> Flow[None]:
        return _examine_members(survey, ((key, pk) for pk in page[::2]))

    yield from scan(examine, key.name, by='ZSCAN', strict=True)


def _examine_members(survey: Survey, members: Iterable[tuple[_Key, bytes]]) -> Flow[None]:
    """Find members of index sets, or of sorted sets, that should not be there."""
    asked = (key.probe(pk) for key, pk in members)
    probes = [probe for probe in asked if probe is not None]
    # Sets of one field, and of fields that are unique together, are different questions.
    probes.sort(key=lambda probe: len(probe.columns))
    for some in chunks(probes, PROBES_IN_TRIP):
        survey.report.entries += len(some)
        yield from survey.found((yield from probe_entries(survey.schema, some)))
