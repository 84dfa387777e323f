"""The changes of one model, while its new data set is compared with the stored objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ....errors import UsageError
from ...column import Column
from ...mapping.decoder import Row
from ...mapping.encoder import StoredRow
from ...objects.state import value_of
from ...writes.arguments import check_model
from ...writes.entry import Entry, Mode
from ..staging import Staging

__all__ = ('Counts', 'Key', 'Merge', 'index_values')

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

    def take_equal(
        self, keys: Sequence[Key], pks: Sequence[int | None], rows: Sequence[StoredRow]
    ) -> None:
        """Note rows of the data set that are stored as they are.

        :param pks: those of the rows; None for a row that is not stored as it is
        :raises UsageError: if another object of the data set has the same key
        """
        found = [pk for pk in pks if pk is not None]
        some = {*found}
        if len(some) < len(found) or not self.seen.isdisjoint(some):
            for key, pk, row in zip(keys, pks, rows, strict=True):
                if pk is not None:
                    self.take(key, pk, None, row)  # raises an error that names the key
        self.seen |= some
        self.unchanged += len(found)

    def counts(self) -> Counts:
        """Return the counts for the caller."""
        entries = [*self.entries, *self.moved]
        removed = sum(entry.mode == Mode.REMOVE for entry in entries)
        updated = len(entries) - removed - self.inserted
        return Counts(self.inserted, updated, self.unchanged, removed)


def index_values(columns: Sequence[Column], key: Any) -> Key:
    """Return the index values of a key: of a value, or a tuple of values."""
    parts = key if isinstance(key, tuple) else (key,)
    pairs = zip(columns, parts, strict=True)
    return tuple(column.index_of(column.from_input(value)) for column, value in pairs)
