"""``name__isnull=True`` and ``name__isnull=False``."""

from __future__ import annotations

from typing import Any

from ....errors import QueryError
from ....fields.null import irNull
from ...column import Column
from ...text import shorten
from ..tree import InSets, Node, Not
from .base import Lookup

__all__ = ('IsNull',)


class IsNull(Lookup):
    """The field is null, or for ``False`` is not."""

    suffix = 'isnull'
    of_pk = False

    def of_column(self, column: Column, value: Any) -> Node:
        if value is not True and value is not False:
            raise QueryError(
                f'{column.label}: __isnull takes True or False, and was given '
                f'{shorten(repr(value))}.'
            )
        null = InSets(column, column.indexes_of_filter(irNull))
        return null if value else Not(null)
