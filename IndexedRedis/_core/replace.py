"""reset(): a new data set takes the place of the old one while readers go on reading.

Everything is staged where nobody looks: rows under fresh pks, sets under ``:tmp:`` names. One
script then swaps the sets, ``:keys`` last; its length grows with the number of distinct index
values, not with the rows. The old rows stay readable for a grace time, so that a reader who took
the old pks still gets the old data set. A record under ``:tmp:`` names all that was staged: what a
killed reset left behind is invisible, and the next one sweeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from ..errors import ResetInProgressError, ResetLostError
from .compare import reachable, schema_of
from .entry import PUT, Entry, check_distinct, check_model, check_whole, entry_of, pairs
from .links import Place, save_each, save_linked
from .plan import Batch, Command, Flow, Pause, Stream, ask, chunks
from .schema import Schema
from .scripts import HOLD, RELEASE, SWAP
from .state import confirm
from .sweep import index_keys_in_use, sweep, sweep_abandoned
from .write import check_types, highest, reserve, sadds, save_all

__all__ = ('reset',)

CHUNK = 250
# Prolonged with every step; a killed reset blocks the next one no longer, which waits longer.
LOCK_MS = 10_000
WAIT_SECONDS = 15.0
PAUSE_SECONDS = 0.05
# Readers that took longer than this between two looks at the note need not compare.
NOTE_MS = 60_000


class _Staging:
    """What one reset has staged so far."""

    def __init__(self, schema: Schema, token: bytes) -> None:
        self.schema, self.token = schema, token
        self.entries: list[Entry] = []
        self.moved: dict[bytes, bytes] = {}
        #: pks of the objects, by ``id()``
        self.pks: dict[int, int] = {}
        # Prolongs the lock; lists the reset and the pks that it has reserved, for others to sweep.
        self.hold = HOLD([schema.keys.lock, schema.keys.touched], token, LOCK_MS)
        self.listed: list[Command] = [('HSET', schema.keys.record, token, 'staging')]

    def staged(self, key: bytes) -> bytes:
        """Return where ``key`` is staged, and note that it has to be moved."""
        staged = self.moved[key] = self.schema.keys.staged(self.token, key)
        return staged

    @property
    def rows(self) -> list[bytes]:
        """The rows that have to be moved: those of objects that keep their pk."""
        return [key for key in self.moved if self.schema.keys.is_row(key)]

    @property
    def sets(self) -> list[bytes]:
        """The sets that have to be moved."""
        return [key for key in self.moved if not self.schema.keys.is_row(key)]


def reset(schema: Schema, objs: Sequence[Any], token: bytes, place: Place) -> Flow[list[int]]:
    """Replace all objects of the model by ``objs``, in one moment.

    Objects without a pk get a fresh one, in the order of the list; others keep theirs.

    Linked objects of other models that are new or changed are saved first; new ones of the same
    model become part of the new data set.

    :param token: text that no other reset has
    :param place: tells on which server an object lives
    :returns: the pks, in order
    """
    for obj in objs:
        check_model(schema, obj)
        check_whole(obj)
    given, objs = len(objs), [*objs, *_own_targets(schema, objs)]
    check_distinct(schema, objs, (obj._id for obj in objs))
    targets = yield from _save_targets(objs, place)
    try:
        yield from _lock(schema, token)
        staging = yield from _replace(schema, objs, token)
    except GeneratorExit:
        raise
    except BaseException:
        yield from _clean_up(schema, token)
        raise
    for entry in staging.entries:
        confirm(entry.obj, entry.pk, entry.written, entry.values, schema.columns)
    yield from _clean_up(schema, token, known=staging.moved)
    # Those that link back know the new pks only now.
    yield from save_each(targets, place)
    return [entry.pk for entry in staging.entries[:given]]


def _own_targets(schema: Schema, objs: Sequence[Any]) -> list[Any]:
    """New objects of the same model that only links lead to."""
    listed = {id(obj) for obj in objs}
    return [
        target
        for target in reachable(objs)
        if id(target) not in listed and target._id is None and schema.cls._is_variant(type(target))
    ]


def _save_targets(objs: Sequence[Any], place: Place) -> Flow[list[Any]]:
    """Save what the objects link to in other models; returns it."""
    early, here = yield from save_linked(objs, place)
    own = {schema_of(obj).keys.all for obj in objs}
    others = [target for target in here if schema_of(target).keys.all not in own]
    yield from save_all((), targets=others)
    return [target for target in (*early, *others) if schema_of(target).keys.all not in own]


def _lock(schema: Schema, token: bytes) -> Flow[None]:
    waited = 0.0
    while not (yield from _take(schema, token)):
        if waited >= WAIT_SECONDS:
            raise ResetInProgressError(
                f'{schema.name}: another reset is under way and did not end within '
                f'{WAIT_SECONDS:.0f} s. Nothing was changed; try again later.'
            )
        yield Pause(PAUSE_SECONDS)
        waited += PAUSE_SECONDS


def _take(schema: Schema, token: bytes) -> Flow[bool]:
    taken, holder = yield Batch(
        [('SET', schema.keys.lock, token, 'NX', 'PX', LOCK_MS), ('GET', schema.keys.lock)]
    )
    # A repeated SET finds the lock of its own first sending.
    return taken is not None or holder == token


def _clean_up(schema: Schema, token: bytes, known: Collection[bytes] | None = None) -> Flow[None]:
    """Take away what nobody needs, whether the reset worked or not.

    It changes nothing about that if this fails: the next reset does it.
    """
    with suppress(Exception):
        yield from sweep(schema, token, known)
    with suppress(Exception):
        yield from ask(*RELEASE([schema.keys.lock, schema.keys.touched], token))


def _replace(schema: Schema, objs: Sequence[Any], token: bytes) -> Flow[_Staging]:
    staging = _Staging(schema, token)
    yield Batch([('DEL', schema.keys.touched), *staging.listed])
    yield from sweep_abandoned(schema, token, staging.hold)
    yield from _stage(staging, objs)
    yield from check_types(schema, [schema.keys.all])
    dropped = yield from index_keys_in_use(schema, staging.hold)
    yield from check_types(schema, [*dropped, *staging.sets])
    yield from check_types(schema, staging.rows, b'hash')
    outcome = yield from ask(*_swap(staging, sorted(dropped)))
    if outcome != b'done':
        raise _lost(schema)
    return staging


def _lost(schema: Schema) -> ResetLostError:
    return ResetLostError(
        f'{schema.name}: this reset paused for more than {LOCK_MS // 1000} s, so that another one '
        'could take over. Nothing was changed by this one; try again.'
    )


def _stage(staging: _Staging, objs: Sequence[Any]) -> Flow[None]:
    schema = staging.schema
    brought = {id(obj): obj._id for obj in objs if obj._id is not None}
    new = [id(obj) for obj in objs if obj._id is None]
    staging.pks = brought
    if new:
        first = yield from reserve(schema, len(new), above=highest(brought.values()))
        ranges = schema.keys.work(staging.token, b'ranges')
        staging.listed.append(('SADD', ranges, b'%d %d' % (first, len(new))))
        staging.pks = {**brought, **dict(zip(new, count(first)))}

    def held(replies: list[Any]) -> None:
        if not replies[0]:
            raise _lost(schema)

    yield Stream(_stage_batches(staging, objs), held)


def _stage_batches(staging: _Staging, objs: Sequence[Any]) -> Iterator[Batch]:
    """Encode and stage chunk by chunk, while the server works on the chunk before."""
    schema = staging.schema
    for chunk in chunks(objs, CHUNK):
        entries = [
            entry_of(obj, staging.pks[id(obj)], PUT, schema.all, staging.pks) for obj in chunk
        ]
        staging.entries += entries
        # Atomic, so that a sweep by another process never sees rows that are not listed yet.
        yield Batch(_stage_commands(staging, entries), atomic=True)


def _stage_commands(staging: _Staging, entries: list[Entry]) -> list[Command]:
    schema, token = staging.schema, staging.token
    grouped: dict[bytes, list[int]] = {}
    rows: list[Command] = []
    for entry in entries:
        data = schema.keys.data(entry.pk)
        if entry.obj._id is not None:
            data = staging.staged(data)
        rows.append(('HSET', data, *pairs(entry)))
        for key in (schema.keys.all, *entry.index_keys()):
            grouped.setdefault(staging.staged(key), []).append(entry.pk)
    named = [command[1] for command in rows if command[1].startswith(schema.keys.tmp)]
    return [
        staging.hold,
        # In each batch anew: one that arrives after all was given up is found by the next reset.
        *staging.listed,
        ('SADD', schema.keys.work(token, b'sets'), *grouped, *named),
        *rows,
        *sadds(grouped.items()),
    ]


def _swap(staging: _Staging, dropped: list[bytes]) -> Command:
    schema, token = staging.schema, staging.token
    keys = schema.keys
    places = [key for key in staging.moved if key != keys.all]
    if staging.entries:
        places.append(keys.all)
    brought = [entry.pk for entry in staging.entries if entry.obj._id is not None]
    return SWAP(
        [
            *(keys.lock, keys.record, keys.all, keys.work(token, b'old')),
            *(keys.next, keys.swapped, keys.touched),
            *dropped,
            *(key for place in places for key in (staging.moved[place], place)),
        ],
        *(token, len(dropped), 'swapped', max(brought, default=0), NOTE_MS if brought else 0),
    )
