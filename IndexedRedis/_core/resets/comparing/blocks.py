"""Compare a new data set with the stored objects, block by block.

The stored rows are read by plain commands, and compared as bytes. A script that compares digests of
the rows would send less, but cost twice as much CPU: Lua makes a string of each value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, NamedTuple

from ....errors import UsageError
from ...column import EMPTY, Column
from ...flows import Batch, Command, Flow, chunks
from ...locking.locks import lock_lost_error
from ...mapping.decoder import Row
from ...mapping.encoder import StoredRow
from ...mapping.index_keys import index_keys_of_values
from ...mapping.resp import get_members
from ...mapping.schema import Schema
from ...objects.graph import children, knows_targets
from ...objects.state import assigned, value_of
from ...queries.by_pk import rows_of
from ...queries.query import pks_of
from ...writes.arguments import check_model
from ...writes.entry import Entry, Mode
from ..staging import Staging, assign, reserve_range

__all__ = (
    'Counts',
    'Key',
    'Merge',
    'Stored',
    'check_targets',
    'compare',
    'pks_under',
    'stored_under',
)

# Keys whose index sets one batch of commands reads.
KEYS_AT_ONCE = 500

# The index values of the key columns, or a pk.
Key = tuple[bytes, ...]
# Pk and row of a stored object, or twice None.
Stored = tuple[int, Row] | tuple[None, None]


class Counts(NamedTuple):
    """How many objects of one model were inserted, updated, unchanged and removed."""

    inserted: int
    updated: int
    unchanged: int
    removed: int


class Merge:
    """The changes of one model, as far as its objects are compared.

    :param staging: the new data set
    :param columns: the key that identifies the objects; none: their pks do
    :param removed: the keys of objects to remove; None: all that the data set lacks are removed
    """

    def __init__(
        self,
        staging: Staging,
        columns: tuple[Column, ...],
        removed: Iterable[Any] | None = None,
    ) -> None:
        self.staging, self.schema, self.columns = staging, staging.schema, columns
        self.removed = removed
        #: whether changed objects may get fresh pks: see :mod:`.fresh`
        self.may_move = False
        #: whether that has begun; the entries that were moved; how many pks it lists and unlists
        self.is_moving = False
        self.moved: list[Entry] = []
        self.listed = self.unlisted = 0
        #: the columns of the key with their positions in a row
        self.places = [(column, self.schema.all.index(column)) for column in columns]
        self.entries: list[Entry] = []
        self.unchanged = self.inserted = 0
        #: pks of the new data set
        self.seen: set[int] = set()
        #: further objects under the keys that were read, by pk: another program saved them
        self.doubles: dict[int, Row] = {}
        self._new: set[Key] = set()

    def check(self, obj: Any) -> None:
        """Check that an object can be part of the new data set.

        :raises UsageError: if it cannot
        """
        check_model(self.schema, obj)
        if not self.columns and obj._id is None:
            raise UsageError(
                f'{self.schema.name}: {obj!r} brings no pk, but pks identify its objects. Give '
                'each object a pk.'
            )
        if self.columns and obj._id is not None:
            raise UsageError(
                f'{self.schema.name}: {obj!r} brings a pk, but a key identifies its objects. '
                'Give objects without a pk.'
            )

    def key_of(self, obj: Any) -> Key:
        """Return the index values of an object's key, or its pk."""
        values = [column.index_of(value_of(obj, column)) for column in self.columns]
        return tuple(values) or (b'%d' % obj._id,)

    def key_of_values(self, key: Any) -> Key:
        """Return the index values of a key: of a value, a tuple of values, or a pk."""
        return index_values(self.columns, key) if self.columns else (b'%d' % key,)

    def key_of_row(self, pk: int, row: Row) -> Key:
        """Return the index values of the key in a stored row, or its pk."""
        return self.keys_of_rows([row])[0] if self.columns else (b'%d' % pk,)

    def keys_of_rows(self, rows: Sequence[Row]) -> list[Key]:
        """Return the index values of the key in each of these stored rows."""
        parts = (map(c.index_of_stored, map(itemgetter(at), rows)) for c, at in self.places)
        return [*zip(*parts, strict=True)]

    def take(self, key: Key, pk: int | None, obj: Any, row: StoredRow | None = None) -> None:
        """Note that an object is part of the new data set.

        :param pk: pk of the stored object with this key, or None
        :param obj: the object, or None, and then ``row`` has its stored bytes
        :raises UsageError: if another object of the data set has the same key
        """
        if pk in self.seen or key in self._new:
            labels = [column.label for column in self.columns] or [self.schema.name]
            if row is not None:
                values = [column.decode(row[place]) for column, place in self.places]
            else:
                values = [value_of(obj, column) for column in self.columns] or [obj._id]
            shown = ', '.join(map(repr, values))
            raise UsageError(
                f'{", ".join(labels)}: {shown} is the key of two objects; give one of them.'
            )
        if pk is None:
            self._new.add(key)
        else:
            self.seen.add(pk)

    def counts(self) -> Counts:
        """Return the counts for the caller."""
        entries = [*self.entries, *self.moved]
        removed = sum(entry.mode == Mode.REMOVE for entry in entries)
        updated = len(entries) - removed - self.inserted
        return Counts(self.inserted, updated, self.unchanged, removed)


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
    stored = yield from stored_under(merge, keys, extend, rows)
    for key, row, (pk, _) in zip(keys, rows, stored, strict=True):
        merge.take(key, pk, None, row)
    fresh = iter((yield from reserve_range(merge.staging, sum(old is None for _, old in stored))))
    pks = [next(fresh) if pk is None else pk for pk, _ in stored]
    merge.staging.note(rows, pks)
    _note_changes(merge, pks, rows, stored)
    return rows


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


def stored_under(
    merge: Merge, keys: Sequence[Key], extend: Command, new: Iterable[Any] = repeat(None)
) -> Flow[list[Stored]]:
    """Return pk and row of the stored object with each key; of two with one key, the lower pk.

    The others are noted in :attr:`Merge.doubles`.

    :param new: the rows that these keys are going to have, if known; one that is stored as it is
        is returned itself
    """
    schema = merge.schema
    names = _index_sets(schema, merge.columns, keys)
    if len(merge.columns) == 1:
        reads = get_members(name for (name,) in names)
    else:
        reads = [('SINTER', *sets) for sets in names]
    held, *found = yield Batch([extend, *reads])
    if not held:
        raise lock_lost_error([merge.staging])
    if not merge.columns:
        listed = [[int(pk)] for (pk,) in keys]
    else:
        pairs = zip(found, names, strict=True)
        listed = [pks_of(schema, members, sets[0]) for members, sets in pairs]
    pks = sorted({*chain.from_iterable(listed)})
    rows = yield from rows_of(schema, pks, schema.all)
    there = {pk: tuple(row) for pk, row in zip(pks, rows, strict=True) if row is not None}
    items = zip(keys, listed, new, strict=False)
    return [_lowest(merge, there, key, some, row) for key, some, row in items]


def _lowest(
    merge: Merge, rows: Mapping[int, Row], key: Key, pks: Sequence[int], new: StoredRow | None
) -> Stored:
    """Return pk and row of the object with a key.

    :param rows: the rows of the objects that are stored
    :param pks: those that the index sets of the key list. A row that is listed only under another
        key would stay lost for queries, so it does not count.
    """
    found: Stored = None, None
    for pk in sorted(pks):
        row = rows.get(pk)
        if row is None or (row != new and merge.key_of_row(pk, row) != key):
            continue
        if found[0] is None:
            found = pk, new if row == new else row
        else:
            merge.doubles[pk] = row
    return found


def pks_under(
    schema: Schema, columns: tuple[Column, ...], keys: Sequence[Any]
) -> Flow[list[int | None]]:
    """Return the pk of the stored object with each key; of two with one key, the lower pk.

    :param columns: the key
    :param keys: values of the columns, or tuples of them
    """
    found: list[int | None] = []
    for some in chunks(keys, KEYS_AT_ONCE):
        names = _index_sets(schema, columns, [index_values(columns, key) for key in some])
        for members in (yield Batch([('SINTER', *sets, schema.keys.all) for sets in names])):
            found.append(min(pks_of(schema, members), default=None))
    return found


def index_values(columns: Sequence[Column], key: Any) -> Key:
    """Return the index values of a key: of a value, or a tuple of values."""
    parts = key if isinstance(key, tuple) else (key,)
    pairs = zip(columns, parts, strict=True)
    return tuple(column.index_of(column.from_input(value)) for column, value in pairs)


def _index_sets(
    schema: Schema, columns: Sequence[Column], keys: Sequence[Key]
) -> list[tuple[bytes, ...]]:
    """Return for each key the index sets of its columns."""
    pairs = zip(columns, zip(*keys, strict=True), strict=True) if columns and keys else ()
    names = [index_keys_of_values(schema.keys, column, part) for column, part in pairs]
    return [*zip(*names, strict=True)]


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
