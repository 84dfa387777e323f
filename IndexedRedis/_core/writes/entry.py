"""One row on its way to the server: its new values, the expected ones, its index entries.

Making an entry encodes every value. So a value without a stored form stops the whole operation
before the first write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..column import EMPTY, Column
from ..mapping.index_keys import index_key, index_keys_of, unique_key
from ..mapping.schema import Schema
from ..mapping.unique import Unique
from ..objects.state import UNKNOWN, assigned, current_bytes, expected_bytes, is_changed
from .arguments import check_whole
from .sizes import update_us

__all__ = (
    'Entry',
    'Mode',
    'Reserved',
    'entry_of',
    'expected_token',
    'hset_arguments',
    'is_extended',
    'plan_entry',
)


class Mode:
    """What a script does with a row."""

    INSERT = 'insert'  # store it under a reserved pk
    UPDATE = 'update'  # change a stored object
    PUT = 'put'  # store it under a given pk, which may be in use
    REMOVE = 'remove'  # delete the object; the row stays readable for a grace time


# The pks that objects are about to get, by ``id()``: links to the objects are stored with them.
Reserved = Mapping[int, int]
Move = tuple[Column, Any, bytes, bytes, bytes]

# Expected bytes that match whatever is stored.
ANY: Any = object()
# The score of a move into the index set of a unique value, of which there may be one.
UNIQUE = b'u'


class Entry:
    """One row on its way to the server.

    :param schema: the model
    :param pk: None until a pk is reserved
    :param mode: one of :class:`Mode`
    :param written: stored bytes by field. The attribute ``sent`` has the fields to send: all of
        them, or fewer if some are stored already
    :param expected: the bytes that are expected to be stored, by indexed field; for a reindex, by
        sorted field too
    :param obj: the object that is being saved, if there is one
    :param values: the result of :func:`~.state.assigned` before the object was encoded
    """

    __slots__ = (
        *('drawn', 'expected', 'mode', 'obj', 'overwritten', 'pk', 'rehash'),
        *('schema', 'sent', 'values', 'written'),
    )

    def __init__(
        self,
        schema: Schema,
        pk: Any,
        mode: str,
        written: dict[str, bytes],
        expected: dict[str, Any],
        obj: Any = None,
        values: Mapping[str, Any] = EMPTY,
    ) -> None:
        self.schema, self.pk, self.mode, self.written = schema, pk, mode, written
        self.expected, self.sent, self.obj = expected, written, obj
        self.values = values
        # The id of the incarnation that the pk was drawn under; empty: do not check the pk.
        self.drawn = b''
        # The expected bytes of the fields in `sent`, for a script that compares them; empty: none.
        self.overwritten: Sequence[bytes | None] = ()
        # Whether to remove the entry under the other choice of hashIndex.
        self.rehash = False

    @property
    def us(self) -> int:
        """Microseconds that the server takes to write the row."""
        scores = sum(column.name in self.sent for column in self.schema.sorted)
        uniques = self.schema.uniques
        checks = sum(not self.sent.keys().isdisjoint(unique.names) for unique in uniques)
        return update_us(len(self.sent), len(self.expected) + checks, scores)

    def index_keys(self) -> list[bytes]:
        """The index sets that list the object after the write."""
        return [self._new_key(name, stored) for name, stored in self.expected.items()]

    def _new_key(self, name: str, stored: Any) -> bytes:
        column, value = self.schema.columns[name], self.written.get(name, stored)
        # An unknown value is compared, and never moved.
        return index_key(self.schema, column, b'' if value is UNKNOWN else value)

    def moves(self) -> list[Move]:
        """The moves between index sets: column, expected bytes, old set, new set, no score.

        Those into the set of a unique value have the score ``UNIQUE``. Then those in sorted sets:
        column, expected bytes, twice the set, score.
        """
        columns = self.schema.columns
        claimed = {key for _, key in self.claims()} if self.schema.uniques else ()
        moves = [
            (columns[name], stored, old, new, UNIQUE if new in claimed else b'')
            for name, stored in self.expected.items()
            if columns[name].indexed
            for new in [self._new_key(name, stored)]
            for old in self._old_keys(columns[name], stored, new)
        ]
        for unique in self.schema.composites:
            if self.expected.keys() >= {*unique.names}:
                stored = unique.values_in(self.expected)
                old, new = self._unique_keys(unique, stored)
                score = UNIQUE if new in claimed else b''
                moves.append((unique.columns[0], stored[0], old, new, score))
        for column, key in zip(self.schema.sorted, self.schema.sorted_keys, strict=True):
            name, expected = column.name, self.expected.get(column.name, ANY)
            if name in self.sent or expected is not ANY:
                stored = self.written.get(name, expected)
                moves.append((column, expected, key, key, column.score_of_stored(stored)))
            elif self.mode == Mode.REMOVE:
                moves.append((column, ANY, key, key, b'0'))
        return moves

    def _unique_keys(self, unique: Unique, stored: list[Any]) -> tuple[bytes, bytes]:
        """Return the index sets of unique fields that the row leaves and enters."""
        new = unique.values_in({**self.expected, **self.written})
        # Unknown values are compared, and never moved.
        target = unique_key(self.schema, unique, [b'' if v is UNKNOWN else v for v in new])
        if UNKNOWN in stored or (self.mode == Mode.INSERT and None in stored):
            return target, target
        return unique_key(self.schema, unique, stored), target

    def claims(self) -> Iterator[tuple[Unique, bytes]]:
        """Yield the unique values that the row is going to have, each with its index set.

        Only where the write sends a field, and all values are known.
        """
        row = {**self.expected, **self.written}
        for unique in self.schema.uniques:
            if not self.sent.keys().isdisjoint(unique.names):
                values = unique.values_in(row)
                if UNKNOWN not in values and not unique.is_null(values):
                    yield unique, unique_key(self.schema, unique, values)

    def _old_keys(self, column: Column, stored: Any, new: bytes) -> list[bytes]:
        if stored is UNKNOWN or (stored is None and self.mode == Mode.INSERT):
            return [new]
        return index_keys_of(self.schema, column, stored, self.rehash)

    def learn(self, actual: Sequence[bytes | None]) -> None:
        """Expect the values that the script returned, one for each move."""
        for (column, expected, *_), stored in zip(self.moves(), actual, strict=True):
            if expected is not ANY:
                self.expected[column.name] = stored

    def after(self, earlier: Entry) -> Entry:
        """Return one entry that writes an earlier entry of the same row, then this one."""
        mode = Mode.PUT if Mode.PUT in (earlier.mode, self.mode) else self.mode
        written = {**earlier.written, **self.written}
        entry = Entry(self.schema, self.pk, mode, written, {**self.expected, **earlier.expected})
        entry.drawn = self.drawn or earlier.drawn
        return entry

    def relink(self, reserved: Reserved) -> None:
        """Encode the links with the pks that their targets got."""
        for column in self.schema.links:
            if column.name in self.written:
                self.written[column.name] = current_bytes(self.obj, column, reserved)


def entry_of(
    schema: Schema,
    obj: Any,
    pk: int | None,
    mode: str,
    columns: Iterable[Column],
    reserved: Reserved,
) -> Entry:
    """Encode these columns of an object.

    :raises FieldValueError: if a value has no stored form
    """
    columns = list(columns)
    values = assigned(obj)  # before encoding, so that an assignment in between is detected
    written = {column.name: current_bytes(obj, column, reserved) for column in columns}
    compared = schema.compared(written)
    expected = {
        column.name: expected_bytes(obj, column) if mode == Mode.UPDATE else None
        for column in map(schema.columns.__getitem__, compared)
    }
    entry = Entry(schema, pk, mode, written, expected, obj, values)
    if mode == Mode.UPDATE:
        entry.drawn = obj._state.drawn
    return entry


def expected_token(stored: Any) -> bytes:
    """Return an expected value as scripts take it: ``=`` and the bytes, ``-`` for none.

    ``?`` stands for unknown bytes, which never match, and ``*`` for any.
    """
    if stored is UNKNOWN or stored is ANY:
        return b'?' if stored is UNKNOWN else b'*'
    return b'-' if stored is None else b'=' + stored


def is_extended(entries: Iterable[Entry]) -> bool:
    """Return whether a model of these entries has sorted or unique fields."""
    return any(entry.schema.is_extended for entry in entries)


def plan_entry(schema: Schema, obj: Any, forced_pk: int | None, reserved: Reserved) -> Entry | None:
    """Return the entry that stores the changes of ``obj``, or None if nothing changed.

    :raises FieldValueError: if a value has no stored form
    """
    state = obj._state
    if forced_pk is not None:
        check_whole(obj)
        return entry_of(schema, obj, forced_pk, Mode.PUT, schema.all, reserved)
    if obj._id is None:
        return entry_of(schema, obj, None, Mode.INSERT, schema.all, reserved)
    if not state.stored:
        known = (column for column in schema.all if state.knows(column.name))
        return entry_of(schema, obj, obj._id, Mode.PUT, known, reserved)
    # Compare only values that were assigned, or can change in place.
    noted = state.changed
    candidates = (column for column in schema.all if column.name in noted or not column.immutable)
    changed = [column for column in candidates if is_changed(obj, column, reserved)]
    return entry_of(schema, obj, obj._id, Mode.UPDATE, changed, reserved) if changed else None


def hset_arguments(entry: Entry) -> Iterator[bytes]:
    """Yield the fields and values of a row, as HSET takes them."""
    for name, stored in entry.sent.items():
        yield entry.schema.columns[name].key
        yield stored
