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

    def of_column(self, column: Column, value: Any) -> Node:
        """Return the tree that says which rows match.

        :raises FieldValueError: if the field cannot hold a value
        """
        raise NotImplementedError

    def of_primary_key(self, value: Any) -> Node:
        """Return the tree that says which pks match.

        :raises UsageError: if a value is no primary key
        """
        raise NotImplementedError
