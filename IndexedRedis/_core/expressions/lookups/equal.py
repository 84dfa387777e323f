"""``name=value``, ``name__eq=value`` and ``name__ne=value``."""

from __future__ import annotations

from typing import Any

from ....fields.base.primary_keys import primary_key
from ...column import Column
from ..tree import HasPk, InSets, Node, Not
from .base import Lookup

__all__ = ('Equals', 'NotEquals')


class Equals(Lookup):
    """The field has the value. ``None`` means null."""

    suffix = 'eq'

    def of_column(self, column: Column, value: Any) -> Node:
        return InSets(column, column.indexes_of_filter(value))

    def of_primary_key(self, value: Any) -> Node:
        return HasPk((primary_key(value),))


class NotEquals(Lookup):
    """The field has another value, or null."""

    suffix = 'ne'

    def of_column(self, column: Column, value: Any) -> Node:
        return Not(InSets(column, column.indexes_of_filter(value)))

    def of_primary_key(self, value: Any) -> Node:
        return Not(HasPk((primary_key(value),)))
