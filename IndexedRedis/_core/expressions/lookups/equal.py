"""``name=value``, ``name__eq=value`` and ``name__ne=value``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from typing import Any

from ....errors import FieldValueError
from ....fields.base.primary_keys import primary_key
from ...column import Column
from ...text import shorten
from ..tree import HasPk, InSets, Node, Not
from .base import Lookup

__all__ = ('Equals', 'NotEquals')

# Types of nearly all values. Comparing a value with abstract classes takes ten times as long.
_ONE = frozenset((str, int, bytes, float, bool, type(None)))
# Texts and bytes are not among them.
_MANY = (list, tuple, Set, Mapping, range, Iterator)


class Equals(Lookup):
    """The field has the value. ``None`` means null."""

    suffix = 'eq'

    def of_column(self, column: Column, value: Any) -> Node:
        return InSets(column, index_values(column, value, f'{column.name}__in=[...]'))

    def of_primary_key(self, value: Any) -> Node:
        return HasPk((primary_key(value),))


class NotEquals(Lookup):
    """The field has another value, or null."""

    suffix = 'ne'

    def of_column(self, column: Column, value: Any) -> Node:
        remedy = f'exclude({column.name}__in=[...])'
        return Not(InSets(column, index_values(column, value, remedy)))

    def of_primary_key(self, value: Any) -> Node:
        return Not(HasPk((primary_key(value),)))


def index_values(column: Column, value: Any, remedy: str) -> tuple[bytes, ...]:
    """Return the index values of one value.

    :param remedy: what to write for several values
    :raises FieldValueError: if the field cannot hold the value
    """
    if type(value) in _ONE or not isinstance(value, _MANY):
        return column.indexes_of_filter(value)
    # Some fields hold lists, such as links to several objects. A text field would take the text of
    # the list, which nobody means.
    with suppress(FieldValueError):
        if column.is_link or not isinstance(column.from_input(value), (str, bytes)):
            return column.indexes_of_filter(value)
    raise FieldValueError(
        f'{column.label}: cannot hold {shorten(repr(value))}: it holds one value. To ask for one '
        f'of several values, write {remedy}.'
    )
