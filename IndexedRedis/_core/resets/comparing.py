"""Compare a new data set with the stored objects, block by block.

Most objects are stored as they are: fingerprints find them. The rows of the others are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from ...errors import UsageError
from ..column import Column
from ..flows import Batch, Command, Flow
from ..locking.locks import lock_lost_error
from ..mapping.decoder import Row
from ..mapping.index_keys import index_keys_of_values
from ..objects.graph import children, knows_targets
from ..objects.state import assigned, value_of
from ..queries.by_pk import rows_of
from ..queries.query import pks_of
from ..writes.arguments import check_model
from ..writes.entry import Entry, Mode, entry_of
from . import fingerprints
from .staging import Staging, assign

__all__ = ('Counts', 'Merge', 'compare')

# The index values of the key columns, or a pk.
Key = tuple[bytes, ...]


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
    """

    def __init__(self, staging: Staging, columns: tuple[Column, ...]) -> None:
        self.staging, self.schema, self.columns = staging, staging.schema, columns
        #: the columns of the key with their positions in a row
        self.places = [(column, self.schema.all.index(column)) for column in columns]
        self.entries: list[Entry] = []
        self.unchanged = self.inserted = 0
        #: pks of the new data set
        self.seen: set[int] = set()
        self._new: set[Key] = set()
        #: the keys of the objects of this block that are stored as they are, by pk
        self.alike: dict[int, Key] = {}

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

    def key_of_row(self, pk: int, row: Row) -> Key:
        """Return the same of stored bytes; ``pk`` counts if no key identifies the objects."""
        values = [column.index_of_stored(row[place]) for column, place in self.places]
        return tuple(values) or (b'%d' % pk,)

    def knows_links(self, obj: Any) -> bool:
        """Whether all objects that an object links to have a pk."""
        pks = self.staging.promises.pks
        return all(target._id is not None or id(target) in pks for target in children(obj))

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


def compare(merge: Merge, block: Sequence[Any], extend: Command) -> Flow[None]:
    """Compare a block of objects with the stored objects that have the same keys.

    :param extend: the command that extends the locks
    """
    staging, promises = merge.staging, merge.staging.promises
    for obj in block:
        merge.check(obj)
    others, size = yield from _take_alike(merge, block, extend)
    keys = [merge.key_of(obj) for obj in others]
    rows: dict[Key, tuple[int, Row]] = {}
    if others:
        rows = yield from _stored_under(merge, keys, extend)
        # Another client may have moved an object of this block to another key just now.
        alike = merge.alike
        rows = {key: found for key, found in rows.items() if alike.get(found[0], key) == key}
    for obj, key in zip(others, keys, strict=True):
        merge.take(obj, key, rows[key][0] if key in rows else None)
    yield from assign(staging, [obj for obj in others if id(obj) not in promises.pks])
    staging.note(block)
    for obj, key in zip(others, keys, strict=True):
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
    staging.observer.staged(merge.schema.cls, len(block), size)


def _take_alike(merge: Merge, block: Sequence[Any], extend: Command) -> Flow[tuple[list[Any], int]]:
    """Take the objects that are stored as they are; return the others, and the size of the former.

    An object that links to one without a pk is among the others: its bytes are not known yet.
    """
    staging, schema = merge.staging, merge.schema
    merge.alike = {}
    known = [*filter(merge.knows_links, block)] if knows_targets(block) else block
    if not known or len(schema.all) > fingerprints.VALUES:
        return [*block], 0
    values = [assigned(obj) for obj in known]
    rows = staging.encode(known)
    keys = [merge.key_of_row(obj._id, row) for obj, row in zip(known, rows, strict=True)]
    commands = fingerprints.commands_of(schema, merge.columns, keys, rows)
    held, *answers = yield Batch([extend, *commands])
    if not held:
        raise lock_lost_error([staging])
    names = [*chain.from_iterable(answers)]
    alike = [i for i, name in enumerate(names) if name]
    for i, pk in zip(alike, pks_of(schema, [names[i] for i in alike]), strict=True):
        merge.take(known[i], keys[i], pk)
        merge.alike[pk] = keys[i]
    merge.unchanged += len(alike)
    objs, found = [known[i] for i in alike], [rows[i] for i in alike]
    staging.promises.stage(objs, schema, found, [values[i] for i in alike])
    taken = {*map(id, objs)}
    others = [obj for obj in block if id(obj) not in taken]
    return others, sum(len(b''.join(row)) for row in found)


def _stored_under(
    merge: Merge, keys: Sequence[Key], extend: Command
) -> Flow[dict[Key, tuple[int, Row]]]:
    """Return pk and row of the stored object with each key; of two with one key, the lower pk."""
    schema, columns = merge.schema, merge.columns
    names = _index_sets(merge, keys)
    reads = [('SINTER' if len(sets) > 1 else 'SMEMBERS', *sets) for sets in names]
    held, *found = yield Batch([extend, *reads])
    if not held:
        raise lock_lost_error([merge.staging])
    under: dict[int, set[Key]] = {}  # the keys that list a pk
    if not columns:
        under = {int(key[0]): {key} for key in keys}
    for key, sets, members in zip(keys, names, found, strict=bool(columns)):
        for pk in pks_of(schema, members, sets[0]):
            under.setdefault(pk, set()).add(key)
    pks = sorted(under)
    rows = yield from rows_of(schema, pks, schema.all)
    stored: dict[Key, tuple[int, Row]] = {}
    for pk, row in zip(pks, rows, strict=True):
        if row is not None:
            key = merge.key_of_row(pk, row)
            # A row that its key does not list, but another one, would stay lost for queries.
            if key in under[pk]:
                stored.setdefault(key, (pk, row))
    return stored


def _index_sets(merge: Merge, keys: Sequence[Key]) -> list[tuple[bytes, ...]]:
    """Return for each key the index sets of its columns."""
    columns = zip(merge.columns, zip(*keys, strict=True), strict=True) if merge.columns else ()
    names = [index_keys_of_values(merge.schema.keys, column, part) for column, part in columns]
    return [*zip(*names, strict=True)]


def _entry(merge: Merge, obj: Any, pk: int, row: Row | None) -> Entry:
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
        entry.expected = {name: stored[name] for name in schema.compared(entry.sent)}
        entry.overwritten = [stored[name] for name in entry.sent]
        entry.mode = Mode.UPDATE if entry.sent else ''
    return entry
