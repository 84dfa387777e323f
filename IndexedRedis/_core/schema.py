"""A schema is all that the flows need to know of a model, worked out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import InvalidModelException
from ..fields.base import IRField
from .accessors import FieldAccessor, LinkAccessor, LinkIdAccessor
from .column import Column
from .keylist import KeyList
from .keys import Keys
from .rows import RowBuilder, compile_builder
from .validate import problems

__all__ = ('Schema',)


class Schema:
    """The validated definition of one model.

    :param cls: the model
    :param reserved: names that fields cannot have
    :param adopt: called with each fetched object where the model has its own ``__init__``
    :raises InvalidModelException: with every problem of the definition
    """

    def __init__(self, cls: Any, reserved: Any, adopt: Callable[[Any], None] | None = None) -> None:
        found = problems(cls, cls.FIELDS, cls.INDEXED_FIELDS, reserved)
        if found:
            raise InvalidModelException(
                f'{cls.__name__} cannot be used:' + ''.join(f'\n  - {each}' for each in found)
            )
        self.cls = cls
        self.name: str = cls.__name__
        self.keys = Keys(cls.KEY_NAME)
        self.fields = KeyList(cls.FIELDS)
        indexed = set(cls.INDEXED_FIELDS)
        self.columns = {
            field.name: Column(self.name, field, field in indexed) for field in self.fields
        }
        self.all = tuple(self.columns.values())
        self.indexed = tuple(column for column in self.all if column.indexed)
        self.links = tuple(column for column in self.all if column.is_link)
        for column in self.links:
            column.field.home = cls.__module__
        self._adopt = adopt
        self._builders: dict[tuple[str, ...], Callable[..., list[Any]]] = {}

    def install(self) -> None:
        """Put an accessor for each field on the class."""
        for column in self.all:
            accessor = LinkAccessor if column.is_link else FieldAccessor
            type.__setattr__(self.cls, column.name, accessor(column))
        for column in self.links:
            type.__setattr__(self.cls, f'{column.name}__id', LinkIdAccessor(column))

    def named(self, names: Sequence[str]) -> tuple[Column, ...]:
        """Return the columns of these names, in the order given, each once.

        :raises KeyError: for a name that is no field
        """
        plain = (name.name if isinstance(name, IRField) else name for name in names)
        return tuple(self.columns[name] for name in dict.fromkeys(plain))

    def builder(self, columns: Sequence[Column]) -> RowBuilder:
        """Return a builder of objects from rows of these columns."""
        names = tuple(column.name for column in columns)
        build = self._builders.get(names)
        if build is None:
            build = compile_builder(columns, partial=set(names) != set(self.columns))
            self._builders[names] = build
        return RowBuilder(self.cls, columns, build, self._adopt)
