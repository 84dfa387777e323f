"""Compare a new data set with the stored objects, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from ....errors import UsageError
from ...column import EMPTY
from ...flows import Command, Flow
from ...mapping.decoder import Row
from ...mapping.encoder import StoredRow
from ...objects.graph import children, knows_targets
from ...objects.state import assigned
from ...writes.entry import Entry, Mode
from ..staging import assign, reserve_range
from .merge import Key, Merge
from .stored import Stored, pks_of_equal, stored_under

__all__ = ('check_targets', 'compare')


def compare(merge: Merge, block: Sequence[Any], extend: Command) -> Flow[None]:
    """Compare a block of objects, or of rows, with the stored objects that have the same keys.

    :param extend: the command that extends the locks
    """
    staging = merge.staging
    compare_some = _compare_rows if staging.is_encoded else _compare_objects
    rows = yield from compare_some(merge, block, extend)
    staging.observer.staged(merge.schema.cls, len(rows), sum(map(len, map(b''.join, rows))))


def _compare_rows(
    merge: Merge, rows: Sequence[StoredRow], extend: Command
) -> Flow[Sequence[StoredRow]]:
    keys = merge.keys_of_rows(rows)
    equal = yield from pks_of_equal(merge, keys, rows, extend)
    merge.take_equal(keys, equal, rows)
    others: Iterator[int] = iter(())
    if left := [i for i, pk in enumerate(equal) if pk is None]:
        some = [keys[i] for i in left], [rows[i] for i in left]
        others = iter((yield from _compare_each(merge, *some, extend)))
    merge.staging.note(rows, [next(others) if pk is None else pk for pk in equal])
    return rows


def _compare_each(
    merge: Merge, keys: Sequence[Key], rows: Sequence[StoredRow], extend: Command
) -> Flow[list[int]]:
    """Compare rows with what is stored under each key; return their pks."""
    stored = yield from stored_under(merge, keys, extend, rows)
    for key, row, (pk, _) in zip(keys, rows, stored, strict=True):
        merge.take(key, pk, None, row)
    fresh = iter((yield from reserve_range(merge.staging, sum(old is None for _, old in stored))))
    pks = [next(fresh) if pk is None else pk for pk, _ in stored]
    _note_changes(merge, pks, rows, stored)
    return pks


def _compare_objects(
    merge: Merge, block: Sequence[Any], extend: Command
) -> Flow[Sequence[StoredRow]]:
    staging, promises = merge.staging, merge.staging.promises
    for obj in block:
        merge.check(obj)
    keys = [merge.key_of(obj) for obj in block]
    stored = yield from stored_under(merge, keys, extend)
    for obj, key, (pk, _) in zip(block, keys, stored, strict=True):
        merge.take(key, pk, obj)
        if pk is not None:
            promises.assign(obj, pk)
    yield from assign(staging, [obj for obj in block if id(obj) not in promises.pks])
    if knows_targets(block):
        check_targets(merge, block)
    pks = [promises.pks[id(obj)] for obj in block]
    staging.note(block, pks)
    values = [assigned(obj) for obj in block]  # before encoding, so that a later change is detected
    rows = staging.encode(block)
    promises.stage(block, merge.schema, rows, values)
    _note_changes(merge, pks, rows, stored, block, values)
    return rows


def check_targets(merge: Merge, block: Sequence[Any]) -> None:
    """Check that links lead to stored objects, or to earlier ones of the new data sets.

    :raises UsageError: if one does not
    """
    for obj in block:
        for target in children(obj):
            if target._id is None and id(target) not in merge.staging.promises.pks:
                raise UsageError(
                    f'{merge.schema.name}: {obj!r} links to {target!r}, which is neither stored '
                    'nor an earlier object of the new data sets.'
                )


def _note_changes(
    merge: Merge,
    pks: Sequence[int],
    rows: Sequence[StoredRow],
    stored: Sequence[Stored],
    objs: Iterable[Any] = repeat(None),
    values: Iterable[Mapping[str, Any]] = repeat(EMPTY),
) -> None:
    """Note an entry for each row that is not stored as it is."""
    for pk, row, (_, old), obj, noted in zip(pks, rows, stored, objs, values, strict=False):
        if old == row:
            merge.unchanged += 1
            continue
        merge.inserted += old is None
        merge.entries.append(_entry(merge, pk, row, old, obj, noted))


def _entry(
    merge: Merge,
    pk: int,
    row: StoredRow,
    old: Row | None,
    obj: Any,
    values: Mapping[str, Any],
) -> Entry:
    """Return the entry that writes the changes of an object.

    :param old: its stored row, or None
    :param obj: the object; None for an encoded row
    :param values: as of :class:`~.writes.entry.Entry`
    """
    schema = merge.schema
    written = dict(zip(schema.columns, row, strict=True))
    fresh = obj is None or obj._id is None
    expected: dict[str, Any] = dict.fromkeys(schema.indexed_names)
    mode = Mode.INSERT if fresh else Mode.PUT
    entry = Entry(schema, pk, mode, written, expected, obj, values)
    if old is not None:
        stored = dict(zip(schema.columns, old, strict=True))
        # One script blocks the server for all changes, so send only the fields that differ.
        entry.sent = {name: new for name, new in written.items() if stored[name] != new}
        entry.expected = {name: stored[name] for name in schema.compared(entry.sent)}
        entry.overwritten = [stored[name] for name in entry.sent]
        entry.mode = Mode.UPDATE
    return entry
