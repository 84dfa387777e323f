"""The schema of a model: its validated definition, in the form that flows use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from functools import cached_property
from typing import Any

from ...encoding import getDefaultIREncoding
from ...errors import InvalidModelException
from ...fields.base import IRField
from ...fields.null import IR_NULL_STR
from ..column import Column
from ..keys import Keys
from ..objects.attributes import FieldAccessor, LinkAccessor, LinkIdAccessor
from ..objects.unknown_names import nearest
from .decoder import Memo, RowDecoder
from .encoder import RowEncoder, StoredRow, compile_packer, compile_row_encoder
from .plain_values import ValueDecoder
from .resp import Setter, compile_setter
from .unique import Unique, uniques_of
from .validation import indexed_fields, names_in, problems, sorted_fields, unique_fields

__all__ = (
    'KeyList',
    'Schema',
)

_MISSING = object()
# Decoders that one model keeps; to generate one takes about 0.2 ms.
MAX_DECODERS = 200


class Schema:
    """The validated definition of one model.

    :param cls: the model
    :param reserved: names that fields cannot have
    :param adopt: called with each fetched object, if the model has its own ``__init__``
    :raises InvalidModelException: with every problem of the definition
    """

    #: what this process knows of its editions, if it has partitions; see ``editions.known``
    known: Any = None

    def __init__(self, cls: Any, reserved: Any, adopt: Callable[[Any], None] | None = None) -> None:
        lines = [f'\n  - {each}' for each in problems(cls, reserved)]
        if lines:
            raise InvalidModelException(f'{cls.__name__} cannot be used:{"".join(lines)}')
        self.name: str = cls.__name__
        self.key_name: str = cls.KEY_NAME
        self.cls, self.keys = cls, Keys(cls.KEY_NAME)
        #: whether connections cache the replies to queries
        self.remembers = getattr(cls, 'CLIENT_SIDE_CACHE', 0) > 0
        self.fields = KeyList(cls.FIELDS)
        indexed, ordered = _indexed(cls), set(sorted_fields(cls))
        self.columns = columns = {
            field.name: Column(self.name, field, field in indexed, field in ordered)
            for field in self.fields
        }
        self.all = tuple(self.columns.values())
        #: the names that the constructor takes
        self.names = frozenset({'_id', *self.columns})
        #: the field that the name of another attribute is a slip of; empty if it is none
        self.slips = Memo(lambda name: nearest(name, columns))
        self.indexed = tuple(column for column in self.all if column.indexed)
        #: the indexed columns with their positions in a row
        self.indexed_places = tuple((i, c) for i, c in enumerate(self.all) if c.indexed)
        self.sorted_places = tuple((i, c) for i, c in enumerate(self.all) if c.sorted)
        self.sorted = tuple(column for column in self.all if column.sorted)
        #: the sorted sets, one for each of these columns
        self.sorted_keys = tuple(self.keys.sorted(column.key) for column in self.sorted)
        #: the columns whose values a reindex reads
        self.kept = tuple(column for column in self.all if column.indexed or column.sorted)
        self.uniques = tuple(uniques_of(self.name, unique_fields(cls), self.columns))
        self.links = tuple(column for column in self.all if column.is_link)
        for column in self.links:
            column.field.home = cls.__module__
        self.plain = all(column.immutable for column in self.all)
        self._adopt = adopt
        self._decoders: dict[Any, Any] = {}
        self._encoder: RowEncoder | None = None
        self._field_keys = tuple(column.key for column in self.all)
        self._attributes = tuple(
            (c.name, c.slot, c.native_type, c.from_input, c.default) for c in self.all
        )

    def install(self) -> None:
        """Set an accessor for each field on the model."""
        for column in self.all:
            accessor = LinkAccessor if column.is_link else FieldAccessor
            type.__setattr__(self.cls, column.name, accessor(column))
        for column in self.links:
            type.__setattr__(self.cls, f'{column.name}__id', LinkIdAccessor(column))

    def named(self, names: Sequence[str]) -> tuple[Column, ...]:
        """Return the columns of these names, in the order given, without repeats.

        :raises KeyError: if a name is not a field
        """
        plain = (name.name if isinstance(name, IRField) else name for name in names)
        return tuple(self.columns[name] for name in dict.fromkeys(plain))

    @property
    def encoder(self) -> RowEncoder:
        """The encoder of whole objects, for the present default encoding."""
        if self._encoder is None or self._encoder.encoding != getDefaultIREncoding():
            self._encoder = RowEncoder(self.all)
        return self._encoder

    @cached_property
    def pack_rows(self) -> Callable[[Sequence[StoredRow]], list[bytes]]:
        """The function that packs whole rows for a script."""
        return compile_packer(self.all)

    @cached_property
    def set_rows(self) -> Setter:
        """The function that returns the ``HSET`` commands of whole rows, given their keys."""
        return compile_setter(self.all)

    def construct(self, fields: dict[str, Any], values: Mapping[str, Any]) -> None:
        """Fill the ``__dict__`` of a new object.

        :param fields: the ``__dict__``
        :param values: by field name, converted as if assigned; other fields get their default
        :raises FieldValueError: if a field cannot hold its value
        """
        for name, slot, native_type, from_input, default in self._attributes:
            value = values.get(name, _MISSING)
            if type(value) is native_type and value != IR_NULL_STR:
                fields[slot] = value
            else:
                fields[slot] = default() if value is _MISSING else from_input(value)

    @property
    def has_own_constructor(self) -> bool:
        """Whether the class has a constructor of its own, which may do anything."""
        return self._adopt is not None or self.cls.__new__ is not object.__new__

    def row_encoder(
        self,
        names: Sequence[str | None],
        converters: Mapping[str, Callable[[Any], bytes]],
        called: Container[str] = (),
    ) -> Callable[[Sequence[Any]], StoredRow]:
        """Return the result of :func:`~.encoder.compile_row_encoder`."""
        return compile_row_encoder(self.all, names, converters, called)

    def builder(self, columns: Sequence[Column]) -> RowDecoder:
        """Return the decoder of rows of these columns, for the present default encoding."""
        # Most callers pass all columns; None is hashed faster than a tuple of columns.
        key = None if columns is self.all else tuple(columns)
        decoder: RowDecoder | None = self._decoders.get(key)
        if decoder is None or decoder.encoding != getDefaultIREncoding():
            partial = len(columns) < len(self.all)
            decoder = RowDecoder(self.cls, tuple(columns), partial, self._adopt)
            self._keep(key, decoder)
        return decoder

    def value_decoder(self, names: tuple[str, ...], shape: str) -> ValueDecoder:
        """Return the decoder of rows to plain values, for the present default encoding.

        :param names: names of columns, and of the pk
        :param shape: one of :class:`~.plain_values.Shape`
        """
        key = (shape, names)
        decoder: ValueDecoder | None = self._decoders.get(key)
        if decoder is None or decoder.encoding != getDefaultIREncoding():
            columns = self.named([name for name in names if name in self.columns])
            decoder = ValueDecoder(names, columns, shape)
            self._keep(key, decoder)
        return decoder

    def _keep(self, key: Any, decoder: Any) -> None:
        # Programs may let their users choose the fields.
        if len(self._decoders) >= MAX_DECODERS:
            self._decoders.clear()
        self._decoders[key] = decoder

    @cached_property
    def partitions(self) -> int:
        """Over how many partitions objects are spread; 0: there are none."""
        count: int = self.cls.PARTITIONS
        return count

    @cached_property
    def partition_by(self) -> Column | None:
        """The column whose values decide the partitions of objects."""
        return self.columns.get(self.cls.PARTITION_BY or '')

    @cached_property
    def acknowledged_by(self) -> int:
        """How many replicas confirm each write."""
        by: int = self.cls.ACKNOWLEDGED_BY
        return by

    @cached_property
    def is_extended(self) -> bool:
        """Whether its writes need the second text of a ``ScriptPair``."""
        return bool(self.sorted or self.uniques)

    @cached_property
    def composites(self) -> tuple[Unique, ...]:
        """The fields that are unique together, which have index sets of their own."""
        return tuple(unique for unique in self.uniques if unique.is_composite)

    @cached_property
    def indexed_names(self) -> tuple[str, ...]:
        """The names of the indexed columns."""
        return tuple(column.name for column in self.indexed)

    def compared(self, names: Collection[str]) -> tuple[str, ...]:
        """Return the indexed fields whose stored values decide the index sets that a row leaves.

        :param names: the fields that are written
        """
        found = {name for name in names if self.columns[name].indexed}
        for each in self.composites:
            if not found.isdisjoint(each.names):
                found.update(each.names)
        return tuple(name for name in self.indexed_names if name in found)

    def keys_of(self, columns: Sequence[Column]) -> tuple[bytes, ...]:
        """Return the names of these columns as bytes: the fields of the rows."""
        return self._field_keys if columns is self.all else tuple(column.key for column in columns)


def _indexed(cls: Any) -> set[Any]:
    """Return the names of the indexed fields, which unique ones are too."""
    return {*indexed_fields(cls), *(name for item in unique_fields(cls) for name in names_in(item))}


class KeyList(list):  # type: ignore[type-arg]
    """A list that is also indexed by a value equal to an item: ``FIELDS['name']``.

    A slice is a plain list.
    """

    def __getitem__(self, index: Any) -> Any:
        """Return an item.

        :param index: its position, a value equal to it, or a slice
        :raises KeyError: if no item equals ``index``
        """
        if isinstance(index, (int, slice)):
            return list.__getitem__(self, index)
        for item in self:
            if item == index:
                return item
        raise KeyError(index)
