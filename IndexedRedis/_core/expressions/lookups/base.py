"""What a lookup is."""

from __future__ import annotations

from typing import Any

from ...column import Column
from ..tree import Node

__all__ = ('Lookup',)


class Lookup:
    """One way to compare a field with a value: ``name__SUFFIX=value``.

    A new lookup is a class in a file of this folder. It turns the value into a tree of atoms.
    """

    #: the end of the name, after ``__``
    suffix = ''
    #: whether it can be asked of the primary key
    of_pk = True
    #: whether a sorted set answers it, not the index sets
    of_sorted = False

    def serves(self, column: Column | None) -> bool:
        """Return whether it can be asked of a field; None is the primary key."""
        if column is None:
            return self.of_pk
        return column.sorted if self.of_sorted else column.indexed

    def of_column(self, column: Column, value: Any) -> Node:
        """Return the tree that says which rows match.

        :raises FieldValueError: if the field cannot hold a value
        """
        raise NotImplementedError

    def of_primary_key(self, value: Any) -> Node:
        """Return the tree that says which pks match.

        :raises UsageError: if a value cannot be a primary key
        """
        raise NotImplementedError
