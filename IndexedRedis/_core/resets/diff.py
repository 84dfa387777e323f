"""Replace a data set by writing only what changed. A key field, or the pk, identifies objects.

An unchanged object keeps its pk and its row. A changed object keeps its pk. Objects that the new
data set lacks are removed; or those that are named, and then the others stay. One script writes all
changes, so readers see one data set or the other, as with a reset. The length of that script grows
with the number of changes, which is limited for that reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ...errors import ConflictError, TooManyChangesError
from ..bulk.recovery import GRACE_MS, NOTE_MS, begin
from ..column import Column
from ..flows import Batch, Command, Flow, chunks, with_cleanup
from ..incarnations import newest, read_incarnations
from ..keys import REPLACED
from ..locking.key_types import wrong_type
from ..locking.locks import (
    data_replaced_error,
    extend_command,
    fence_lost_error,
    lock_lost_error,
    locked,
)
from ..mapping.decoder import Row
from ..mapping.schema import Schema
from ..overlap import walk
from ..queries.by_pk import rows_of
from ..queries.query import pks_of
from ..writes.acknowledging import acknowledge
from ..writes.compare_and_move import ROUNDS, row_arguments
from ..writes.entry import Entry, Mode, expected_token, is_extended
from ..writes.unique import refuse_repeats, settle_claims
from .comparing.blocks import compare
from .comparing.merge import Counts, Merge
from .comparing.stored import stored_under
from .fresh import FRESH_AT_ONCE, move_to_fresh, sweep_replaced
from .observer import ResetObserver
from .promises import Promises
from .scripts import MERGE
from .staging import Staging

__all__ = ('Counts', 'Keyed', 'merge_all')

# Objects that are compared at a time.
BLOCK = 500

# A model, its new data set, and the indexed columns whose values identify objects; none: pks do.
# Then the keys of objects to remove; None: of all that the data set lacks.
Keyed = tuple[Schema, Iterable[Any], tuple[Column, ...], Iterable[Any] | None]


def merge_all(
    groups: Sequence[Keyed],
    token: bytes,
    most: int,
    observer: ResetObserver | None = None,
    stamp: str = '',
    movable: Collection[Schema] = (),
) -> Flow[list[Counts]]:
    """Make the stored objects of these models equal to the new data sets, in one moment.

    Where objects to remove are named, the others stay as they are.

    :param token: text that no other reset has
    :param most: how many objects, of all models, may differ
    :param observer: receives the progress
    :param stamp: the value of ``mirroredAt`` for the new data
    :param movable: models whose changed objects may get fresh pks if there are more
    :raises TooManyChangesError: if more objects differ; then nothing is changed
    """
    promises, observer = Promises(), observer or ResetObserver()
    merges = [
        Merge(Staging(schema, objs, token, promises, observer), columns, removed)
        for schema, objs, columns, removed in groups
    ]
    stagings = [merge.staging for merge in merges]
    for merge in merges:
        merge.may_move = merge.schema in movable and bool(merge.columns)

    def change() -> Flow[None]:
        yield from _find_changes(merges, most)
        yield from move_to_fresh(merges, most, extend_command(stagings, retake=1))
        observer.swapping()
        newest_of = yield from _apply(merges, stamp)
        yield from acknowledge([staging.schema for staging in stagings])
        promises.confirm(newest_of)

    flow = with_cleanup(change(), lambda worked: sweep_replaced(merges, worked))
    yield from locked(stagings, flow)
    return [merge.counts() for merge in merges]


def _find_changes(merges: Sequence[Merge], most: int) -> Flow[None]:
    stagings = [merge.staging for merge in merges]
    extend = extend_command(stagings, retake=1)
    yield from begin(stagings)
    for merge in merges:
        objs = merge.staging.objs
        for block in objs if merge.staging.is_encoded else chunks(objs, BLOCK):
            yield from compare(merge, block, extend)
            _check_number(merges, most)
    for merge in merges:
        if merge.removed is None:
            yield from _find_removed(merges, merge, extend, most)
        else:
            yield from _find_named(merges, merge, extend, most)


def _check_number(merges: Sequence[Merge], most: int) -> None:
    fixed = sum(len(merge.entries) for merge in merges if not merge.may_move)
    moved = sum(len(merge.entries) for merge in merges if merge.may_move)
    if fixed > most or moved > max(most, FRESH_AT_ONCE):
        most = most if fixed > most else FRESH_AT_ONCE
        names = ', '.join(merge.schema.name for merge in merges)
        raise TooManyChangesError(
            f'{names}: more than {most} objects differ from the stored ones, too many to change in '
            'one moment. Nothing was changed; replace the data sets by a reset.'
        )


def _find_removed(merges: Sequence[Merge], merge: Merge, extend: Command, most: int) -> Flow[None]:
    schema = merge.schema
    seen = merge.seen | {entry.pk for entry in merge.entries}

    def compare(page: list[bytes]) -> Flow[None]:
        gone = [pk for pk in pks_of(schema, page) if pk not in seen]
        seen.update(gone)  # a page may repeat a pk
        if gone:
            rows = yield from rows_of(schema, gone, schema.indexed)
            merge.entries += [_removal(schema, pk, row) for pk, row in zip(gone, rows, strict=True)]
            _check_number(merges, most)

    yield from walk(schema.keys.all, compare, (extend,))


def _find_named(merges: Sequence[Merge], merge: Merge, extend: Command, most: int) -> Flow[None]:
    schema = merge.schema
    for keys in chunks(map(merge.key_of_values, merge.removed or ()), BLOCK):
        for pk, row in (yield from stored_under(merge, keys, extend)):
            if pk is None or row is None or pk in merge.seen:
                continue
            merge.seen.add(pk)  # a key may be named twice
            merge.entries.append(_removal_of_row(schema, pk, row))
        _check_number(merges, most)
    doubles = ((pk, row) for pk, row in merge.doubles.items() if pk not in merge.seen)
    merge.entries += [_removal_of_row(schema, pk, row) for pk, row in doubles]
    _check_number(merges, most)


def _removal_of_row(schema: Schema, pk: int, row: Row) -> Entry:
    stored = dict(zip(schema.columns, row, strict=True))
    return _removal(schema, pk, tuple(stored[name] for name in schema.indexed_names))


def _removal(schema: Schema, pk: int, row: Row | None) -> Entry:
    stored = row or [None] * len(schema.indexed)
    expected = {column.name: value for column, value in zip(schema.indexed, stored, strict=True)}
    return Entry(schema, pk, Mode.REMOVE, {}, expected)


def _apply(merges: Sequence[Merge], stamp: str) -> Flow[dict[Schema, bytes]]:
    """Send all changes in one script, again until the stored values are the expected ones.

    Returns the newest incarnation of each model.
    """
    entries = [entry for merge in merges for entry in merge.entries]
    schemas = [merge.schema for merge in merges]
    read = read_incarnations(*(schema.keys for schema in schemas))
    for _ in range(ROUNDS):
        refuse_repeats(entries)
        problems, listed = yield Batch([_command(merges, entries, stamp), read])
        if not problems:
            return dict(zip(schemas, map(newest, listed), strict=True))
        problems = yield from settle_claims(entries, problems)
        for number, kind, *details in problems:
            if kind == b'lost':
                raise lock_lost_error([merge.staging for merge in merges])
            if kind == b'fenced':
                raise fence_lost_error([merge.staging for merge in merges])
            if kind == b'moved':
                raise data_replaced_error([merge.staging for merge in merges])
            if kind == b'type':
                raise wrong_type(entries[number - 1].schema, *details)
            if kind == b'stale':
                _learn(entries[number - 1], details[0])
            if kind == b'gone':
                _put_whole(entries[number - 1])
        if any(kind not in (b'stale', b'gone') for _, kind, *_ in problems):
            break  # another object is stored under a pk of this data set
    raise ConflictError(
        f'{merges[0].schema.name}: other writers changed the same objects meanwhile. Nothing was '
        'written; try again.'
    )


def _learn(entry: Entry, actual: Sequence[bytes | None]) -> None:
    """Expect the stored values; write the whole row of an update that they do not fit."""
    if entry.mode == Mode.UPDATE and entry.sent is not entry.written:
        _write_whole(entry)
    else:
        entry.learn(actual)


def _write_whole(entry: Entry) -> None:
    entry.sent, entry.overwritten = entry.written, ()
    entry.expected = {column.name: None for column in entry.schema.indexed}


def _put_whole(entry: Entry) -> None:
    """Write the whole row, since another client deleted the object meanwhile."""
    entry.mode = Mode.PUT
    _write_whole(entry)


def _command(merges: Sequence[Merge], entries: list[Entry], stamp: str) -> Command:
    names: list[bytes] = []
    for merge in merges:
        keys = merge.schema.keys
        names += (keys.lock, keys.swapped, keys.mirrored, keys.all)
        names += (merge.staging.staged(keys.all), keys.work(merge.staging.token, REPLACED))
    rows, args = row_arguments(entries, claims=True)
    compared = [(i, entry.overwritten) for i, entry in enumerate(entries, 1) if entry.overwritten]
    args.append(len(compared))
    for i, values in compared:
        args += (i, *map(expected_token, values))
    token = merges[0].staging.token
    fence = merges[0].staging.observer.fence
    if fence:
        rows += [merge.schema.keys.mirror_lock for merge in merges]
        args.append(fence)
    merge_rows = MERGE.of(is_extended(entries))
    before = merges[0].staging.observer.continues
    sizes = (size for merge in merges for size in (merge.listed, merge.unlisted))
    how = (token, GRACE_MS, NOTE_MS, stamp, before, len(merges), *sizes)
    return merge_rows([*names, *rows], *how, *args)
