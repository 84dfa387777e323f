"""Decide which rows match a query, by the index values of their stored bytes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import and_

from ..column import Column
from ..mapping.decoder import Row
from .filters import Filters

__all__ = ('Matcher',)


class Matcher:
    """Tells rows that match the filters of a query from rows that do not.

    :param filters: the filters of the query
    :param columns: the columns of the rows, those of the filters among them
    """

    __slots__ = ('_tests',)

    def __init__(self, filters: Filters, columns: Sequence[Column]) -> None:
        self._tests = [
            (columns.index(column), column, lookup, frozenset(wanted))
            for column, lookup, wanted in filters
        ]

    def matches(self, row: Row) -> bool:
        """Return whether one row matches."""
        return self.mask((row,)) is None

    def mask(self, rows: Sequence[Row]) -> list[bool] | None:
        """Return for each row whether it matches; None if all do."""
        mask: list[bool] | None = None
        for i, column, lookup, wanted in self._tests:
            # A chunk holds few different values, usually one.
            found = {row[i] for row in rows}
            right = {each for each in found if lookup.accepts(column.index_of_stored(each), wanted)}
            if len(right) < len(found):
                verdicts = [row[i] in right for row in rows]
                mask = verdicts if mask is None else list(map(and_, mask, verdicts))
        return mask
