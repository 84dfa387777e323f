"""The second half of a check: every key of the model, by its name, its type and what it holds.

Only keys of the exact shapes of this model are looked at: others below the same prefix may belong
to a model of a longer name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..column import Column
from ..flows import Batch, Flow, ask, chunks, page_of
from ..mapping.schema import Schema
from .probe import GONE, Probe, is_pk, probe_entries
from .report import Finding
from .scripts import LEFTOVERS, UNLISTED
from .survey import ENDLESS, PAGE, Survey

__all__ = ('examine_keys', 'examine_work')

# Rows that one script looks at, and index sets whose members come in one trip.
ROWS, SETS = 100, 50
_WORK = {
    **dict.fromkeys((b'lock', b'swapped', b'mirrored', b'mirror'), b'string'),
    **{b'resets': b'hash', b'touched': b'set'},
    **dict.fromkeys((b'ranges', b'brought', b'sets', b'old', b'keys', b'idx'), b'set'),
    b'data': b'hash',
}


class _Key(NamedTuple):
    """A key of the model: its kind (``row``, ``index``, ``work`` or ``other``), the type it should
    have, and what its name says: a pk, or the field of an index set."""

    name: bytes
    kind: str
    type: bytes
    pk: bytes = b''
    column: Column | None = None


def _key(schema: Schema, name: bytes) -> _Key:
    keys = schema.keys
    if keys.is_row(name):
        return _Key(name, 'row', b'hash', pk=name[len(keys.data_prefix) :])
    if name.startswith(keys.index_prefix):
        rest = name[len(keys.index_prefix) :]
        field = (column for column in schema.indexed if rest.startswith(column.key + b':'))
        return _Key(name, 'index', b'set', column=next(field, None))
    if name.startswith(keys.tmp):
        first, _, rest = name[len(keys.tmp) :].partition(b':')
        return _Key(name, 'work', _WORK.get(rest.partition(b':')[0] or first, b''))
    return _Key(name, 'other', b'string' if name == keys.next else b'set')


def examine_keys(survey: Survey) -> Flow[None]:
    """Go through all keys of the model: does each belong there, with what it holds?"""
    keys, passed = survey.schema.keys, 0
    total = max(1, (yield from ask('DBSIZE')))
    cursor: Any = b'0'
    while cursor is not None:
        reply = yield from ask('SCAN', cursor, 'MATCH', keys.pattern, 'COUNT', PAGE)
        cursor, names = page_of(reply)
        yield from _examine(survey, [key for key in names if keys.is_own(key)])
        passed += PAGE
        survey.tell('keys', total if cursor is None else min(passed, total), total)


def _examine(survey: Survey, names: Sequence[bytes]) -> Flow[None]:
    if not names:
        return
    facts = yield Batch([(what, name) for name in names for what in ('TYPE', 'PTTL')])
    sound: dict[str, list[_Key]] = {'row': [], 'index': [], 'work': [], 'other': []}
    findings: list[Finding] = []
    for name, kind, ttl in zip(names, facts[::2], facts[1::2], strict=True):
        key = _key(survey.schema, name)
        if kind == b'none' or ttl == GONE:
            continue
        wrong = _wrong(key, kind)
        if wrong is None or key.kind == 'work':
            sound[key.kind].append(key)
            if ttl != ENDLESS and key.kind in ('index', 'other'):
                wrong = Finding('key_expiring', name)
        findings += [wrong] if wrong else []
    # Work keys that nobody needs are left over, whatever they hold.
    endless = yield from examine_work(survey, [key.name for key in sound['work']])
    yield from survey.found([finding for finding in findings if finding.key not in endless])
    yield from _examine_rows(survey, [key.pk for key in sound['row']])
    for some in chunks(sound['index'], SETS):
        yield from _examine_sets(survey, some)


def _wrong(key: _Key, kind: bytes) -> Finding | None:
    """What is wrong with a key before one looks inside."""
    if key.kind == 'row' and not is_pk(key.pk):
        return Finding('key_unknown', key.name)
    if key.type and kind != key.type:
        return Finding('wrong_type', key.name, field=kind.decode())
    if key.kind == 'index' and key.column is None:
        return Finding('index_unused', key.name)
    return None


def _examine_rows(survey: Survey, pks: Sequence[bytes]) -> Flow[None]:
    """Find rows that nothing lists, and that will not expire."""
    keys = survey.schema.keys
    for some in chunks(pks, ROWS):
        unlisted = yield from ask(
            *UNLISTED([keys.all, keys.record], keys.data_prefix, keys.tmp, *some)
        )
        for pk in set(some).difference(unlisted):
            survey.in_use(pk)
        yield from survey.found(
            [Finding('row_unlisted', keys.data_prefix + pk, pk) for pk in unlisted]
        )


def examine_work(survey: Survey, names: Sequence[bytes]) -> Flow[set[bytes]]:
    """Find work keys that stay for ever, and that no reset will ever use or sweep; returns them."""
    keys = survey.schema.keys
    # What tells the age of the data is to stay.
    names = [name for name in names if name != keys.mirrored]
    if not names:
        return set()
    _, endless = yield from ask(*LEFTOVERS([keys.lock, keys.record, *names], keys.tmp))
    yield from survey.found([Finding('leftover', name, name[len(keys.tmp) :]) for name in endless])
    return set(endless)


def _examine_sets(survey: Survey, keys: Sequence[_Key]) -> Flow[None]:
    """Go through the members of index sets: does each store the value it is listed under?"""
    waiting = [(key, b'0') for key in keys]
    while waiting:
        replies = yield Batch(
            [('SSCAN', key.name, cursor, 'COUNT', PAGE) for key, cursor in waiting]
        )
        pages = [(key, *page_of(reply)) for (key, _), reply in zip(waiting, replies, strict=True)]
        for some in chunks(_probes(pages), PAGE):
            survey.report.entries += len(some)
            yield from survey.found((yield from probe_entries(survey.schema, some)))
        waiting = [(key, cursor) for key, cursor, _ in pages if cursor is not None]


def _probes(pages: Sequence[tuple[_Key, Any, list[bytes]]]) -> Iterator[Probe]:
    for key, _, members in pages:
        if key.column is not None:
            for pk in members:
                yield Probe(pk, (key.column,), (key.name,))
