"""``name__in=[...]``: one of several values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ....errors import QueryError
from ....fields.base.primary_keys import primary_key
from ...column import Column
from ...text import shorten
from ..tree import HasPk, InSets, Node
from .base import Lookup

__all__ = ('OneOf',)

# Iterables that are one value.
_ONE = (str, bytes, bytearray, memoryview)


class OneOf(Lookup):
    """The field has one of the values; ``None`` among them means null."""

    suffix = 'in'

    def of_column(self, column: Column, value: Any) -> Node:
        found: dict[bytes, None] = {}
        for each in _several(column.label, value):
            found.update(dict.fromkeys(column.indexes_of_filter(each)))
        return InSets(column, tuple(found), self.suffix)

    def of_primary_key(self, value: Any) -> Node:
        pks = dict.fromkeys(map(primary_key, _several('pk', value)))
        return HasPk(tuple(pks), self.suffix)


def _several(label: str, value: Any) -> Iterable[Any]:
    """Return the values of an argument.

    :raises QueryError: if it is one value
    """
    # Iterating a query would fetch its objects, and block a running event loop.
    if isinstance(value, Iterable) and not isinstance(value, _ONE):
        if not hasattr(value, 'getPrimaryKeys'):
            return value
        raise QueryError(
            f'{label}: __in takes values, and was given a query. Pass '
            'query.getPrimaryKeys(), or filter along the link: LINK__FIELD=value.'
        )
    raise QueryError(
        f'{label}: __in takes a list of values, and was given {shorten(repr(value))}. '
        'Write [value].'
    )
