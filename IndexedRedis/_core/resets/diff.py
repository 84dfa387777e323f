"""Replace a data set by writing only what changed. A key field, or the pk, identifies objects.

An unchanged object keeps its pk and its row. A changed object keeps its pk. Objects that the new
data set lacks are removed. One script writes all changes, so readers see one data set or the other,
as with a reset. The length of that script grows with the number of changes, which is limited for
that reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ...errors import ConflictError, TooManyChangesError, UsageError
from ..bulk.recovery import GRACE_MS, NOTE_MS, begin
from ..column import Column
from ..flows import Batch, Command, Flow, ask, chunks
from ..locking.key_types import wrong_type
from ..locking.locks import extend_command, fence_lost_error, lock_lost_error, locked
from ..mapping.decoder import Row
from ..mapping.index_keys import index_keys_of_values
from ..mapping.schema import Schema
from ..objects.graph import children
from ..objects.state import value_of
from ..overlap import walk
from ..queries.by_pk import rows_of
from ..queries.query import pks_of
from ..writes.arguments import check_model
from ..writes.compare_and_move import ROUNDS, row_arguments
from ..writes.entry import Entry, Mode, entry_of, sorts
from .observer import ResetObserver
from .promises import Promises
from .scripts import MERGE
from .staging import Staging, assign

__all__ = ('Counts', 'Keyed', 'merge_all')

# Objects that are compared at a time.
BLOCK = 500

# A model, its new data set, and the indexed columns whose values identify objects; none: pks do.
Keyed = tuple[Schema, Iterable[Any], tuple[Column, ...]]

# The index values of the key columns, or a pk.
Key = tuple[bytes, ...]


class Counts(NamedTuple):
    """How many objects of one model were inserted, updated, unchanged and removed."""

    inserted: int
    updated: int
    unchanged: int
    removed: int


class _Merge:
    """The changes of one model, as far as its objects are compared.

    :param staging: the new data set
    :param columns: the key that identifies the objects; none: their pks do
    """

    def __init__(self, staging: Staging, columns: tuple[Column, ...]) -> None:
        self.staging, self.schema, self.columns = staging, staging.schema, columns
        self.entries: list[Entry] = []
        self.unchanged = self.inserted = 0
        #: pks of the new data set
        self.seen: set[int] = set()
        self._new: set[Key] = set()

    def key_of(self, obj: Any) -> Key:
        """Return the index values of an object's key.

        :raises UsageError: if the object cannot be part of the new data set
        """
        check_model(self.schema, obj)
        if not self.columns:
            if obj._id is None:
                raise UsageError(
                    f'{self.schema.name}: {obj!r} brings no pk, but pks identify its objects. Give '
                    'each object a pk.'
                )
            return (b'%d' % obj._id,)
        if obj._id is not None:
            raise UsageError(
                f'{self.schema.name}: {obj!r} brings a pk, but a key identifies its objects. '
                'Give objects without a pk.'
            )
        return tuple([column.index_of(value_of(obj, column)) for column in self.columns])

    def take(self, obj: Any, key: Key, pk: int | None) -> None:
        """Note that an object is part of the new data set.

        :param pk: pk of the stored object with this key, or None
        :raises UsageError: if another object of the data set has the same key
        """
        if pk in self.seen or key in self._new:
            labels = [column.label for column in self.columns] or [self.schema.name]
            values = [value_of(obj, column) for column in self.columns] or [obj._id]
            shown = ', '.join(map(repr, values))
            raise UsageError(
                f'{", ".join(labels)}: {shown} is the key of two objects; give one of them.'
            )
        if pk is None:
            self._new.add(key)
        else:
            self.seen.add(pk)
            self.staging.promises.assign(obj, pk)

    def counts(self) -> Counts:
        """Return the counts for the caller."""
        removed = sum(entry.mode == Mode.REMOVE for entry in self.entries)
        updated = len(self.entries) - removed - self.inserted
        return Counts(self.inserted, updated, self.unchanged, removed)


def merge_all(
    groups: Sequence[Keyed],
    token: bytes,
    most: int,
    observer: ResetObserver | None = None,
    stamp: str = '',
) -> Flow[list[Counts]]:
    """Make the stored objects of these models equal to the new data sets, in one moment.

    :param token: text that no other reset has
    :param most: how many objects, of all models, may differ
    :param observer: receives the progress
    :param stamp: the value of ``mirroredAt`` for the new data
    :raises TooManyChangesError: if more objects differ; then nothing is changed
    """
    promises, observer = Promises(), observer or ResetObserver()
    merges = [
        _Merge(Staging(schema, objs, token, promises, observer), columns)
        for schema, objs, columns in groups
    ]
    stagings = [merge.staging for merge in merges]

    def change() -> Flow[None]:
        yield from _find_changes(merges, most)
        observer.swapping()
        yield from _apply(merges, stamp)
        promises.confirm()

    yield from locked(stagings, change())
    return [merge.counts() for merge in merges]


def _find_changes(merges: Sequence[_Merge], most: int) -> Flow[None]:
    stagings = [merge.staging for merge in merges]
    extend = extend_command(stagings, retake=1)
    yield from begin(stagings)
    for merge in merges:
        for block in chunks(merge.staging.objs, BLOCK):
            yield from _compare(merge, block, extend)
            _check_number(merges, most)
    for merge in merges:
        yield from _find_removed(merges, merge, extend, most)


def _check_number(merges: Sequence[_Merge], most: int) -> None:
    if sum(len(merge.entries) for merge in merges) > most:
        names = ', '.join(merge.schema.name for merge in merges)
        raise TooManyChangesError(
            f'{names}: more than {most} objects differ from the stored ones, too many to change in '
            'one moment. Nothing was changed; replace the data sets by a reset.'
        )


def _compare(merge: _Merge, block: Sequence[Any], extend: Command) -> Flow[None]:
    """Compare a block of objects with the stored objects that have the same keys.

    :param extend: the command that extends the locks
    """
    promises = merge.staging.promises
    keys = [merge.key_of(obj) for obj in block]
    rows = yield from _stored_under(merge, keys, extend)
    for obj, key in zip(block, keys, strict=True):
        merge.take(obj, key, rows[key][0] if key in rows else None)
    new = [obj for obj in block if id(obj) not in promises.pks]
    yield from assign(merge.staging, new)
    merge.staging.note(block)
    size = 0
    for obj, key in zip(block, keys, strict=True):
        pk, row = rows.get(key, (promises.pks[id(obj)], None))
        entry = _entry(merge, obj, pk, row)
        merge.inserted += row is None
        size += sum(map(len, entry.written.values()))
        if entry.mode:
            merge.entries.append(entry)
        else:
            merge.unchanged += 1
        row = tuple(entry.written.values())
        promises.stage((obj,), merge.schema, (row,), (entry.values,))
    merge.staging.observer.staged(merge.schema.cls, len(block), size)


def _stored_under(
    merge: _Merge, keys: Sequence[Key], extend: Command
) -> Flow[dict[Key, tuple[int, Row]]]:
    """Return pk and row of the stored object with each key; of two with one key, the lower pk."""
    schema, columns = merge.schema, merge.columns
    names = _index_sets(merge, keys)
    reads = [('SINTER' if len(sets) > 1 else 'SMEMBERS', *sets) for sets in names]
    held, *found = yield Batch([extend, *reads])
    if not held:
        raise lock_lost_error([merge.staging])
    lists = zip((sets[0] for sets in names), found, strict=True)
    if not columns:
        lists = zip([schema.keys.all], [[pk for (pk,) in keys]], strict=True)
    pks = sorted({pk for name, members in lists for pk in pks_of(schema, members, name)})
    rows = yield from rows_of(schema, pks, schema.all)
    places = [(column, schema.all.index(column)) for column in columns]
    stored: dict[Key, tuple[int, Row]] = {}
    for pk, row in zip(pks, rows, strict=True):
        if row is not None:
            key = tuple([column.index_of_stored(row[place]) for column, place in places])
            stored.setdefault(key or (b'%d' % pk,), (pk, row))
    return stored


def _index_sets(merge: _Merge, keys: Sequence[Key]) -> list[tuple[bytes, ...]]:
    """Return for each key the index sets of its columns."""
    columns = zip(merge.columns, zip(*keys, strict=True), strict=True) if merge.columns else ()
    names = [index_keys_of_values(merge.schema.keys, column, part) for column, part in columns]
    return [*zip(*names, strict=True)]


def _entry(merge: _Merge, obj: Any, pk: int, row: Row | None) -> Entry:
    """Return the entry that writes the changes of an object; its mode is empty without changes."""
    schema, promises = merge.schema, merge.staging.promises
    for target in children(obj):
        if target._id is None and id(target) not in promises.pks:
            raise UsageError(
                f'{schema.name}: {obj!r} links to {target!r}, which is neither stored nor an '
                'earlier object of the new data sets.'
            )
    fresh = row is None and obj._id is None
    entry = entry_of(obj, pk, Mode.INSERT if fresh else Mode.PUT, schema.all, promises.pks)
    if row is not None:
        stored = {column.name: value for column, value in zip(schema.all, row, strict=True)}
        # One script blocks the server for all changes, so send only the fields that differ.
        entry.sent = {name: new for name, new in entry.written.items() if stored[name] != new}
        entry.expected = {name: stored[name] for name in entry.expected if name in entry.sent}
        entry.mode = Mode.UPDATE if entry.sent else ''
    return entry


def _find_removed(
    merges: Sequence[_Merge], merge: _Merge, extend: Command, most: int
) -> Flow[None]:
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


def _removal(schema: Schema, pk: int, row: Row | None) -> Entry:
    stored = row or [None] * len(schema.indexed)
    expected = {column.name: value for column, value in zip(schema.indexed, stored, strict=True)}
    return Entry(schema, pk, Mode.REMOVE, {}, expected)


def _apply(merges: Sequence[_Merge], stamp: str) -> Flow[None]:
    """Send all changes in one script, again until the stored values are the expected ones."""
    entries = [entry for merge in merges for entry in merge.entries]
    for _ in range(ROUNDS):
        problems = yield from ask(*_command(merges, entries, stamp))
        if not problems:
            return
        for number, kind, *details in problems:
            if kind == b'lost':
                raise lock_lost_error([merge.staging for merge in merges])
            if kind == b'fenced':
                raise fence_lost_error([merge.staging for merge in merges])
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
    entry.sent = entry.written
    entry.expected = {column.name: None for column in entry.schema.indexed}


def _put_whole(entry: Entry) -> None:
    """Write the whole row, since another client deleted the object meanwhile."""
    entry.mode = Mode.PUT
    _write_whole(entry)


def _command(merges: Sequence[_Merge], entries: list[Entry], stamp: str) -> Command:
    names: list[bytes] = []
    for merge in merges:
        keys = merge.schema.keys
        names += (keys.lock, keys.swapped, keys.mirrored)
    rows, args = row_arguments(entries)
    token = merges[0].staging.token
    fence = merges[0].staging.observer.fence
    if fence:
        rows += [merge.schema.keys.mirror_lock for merge in merges]
        args.append(fence)
    merge_rows = MERGE.of(sorts(entries))
    return merge_rows([*names, *rows], token, GRACE_MS, NOTE_MS, stamp, len(merges), *args)
