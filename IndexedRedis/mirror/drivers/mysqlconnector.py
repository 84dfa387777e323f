"""MySQL Connector returns None where a date has zeros, as 0000-00-00, so nobody can tell it from
NULL.

The rule: SQL is asked whether there are such dates, at the end of a select in which a column of
dates had a None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.sql import FromClause

from .driver import Driver

__all__ = ('MySqlConnector', 'zeros_in')

# Numbers of the types DATE, DATETIME and TIMESTAMP in the description of a cursor.
_DATES = (7, 10, 12)


class MySqlConnector(Driver):
    """MySQL Connector, which notes the columns of dates that had a None."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._without: list[int] = []
        self._with: list[int] = []

    def begin_select(self, description: Iterable[Any]) -> None:
        """Find the columns of dates."""
        described = enumerate(description)
        self._without = [number for number, column in described if column[1] in _DATES]
        self._with = []

    def note(self, rows: Sequence[Any]) -> None:
        """Note the columns of dates that have a None in some rows."""
        for number in [*self._without]:
            if any(row[number] is None for row in rows):
                self._without.remove(number)
                self._with.append(number)

    def columns_with_none(self) -> list[int]:
        """Return the numbers of the columns where None may be a date with zeros."""
        return self._with


def zeros_in(rows: FromClause, number: int, null_is_meant: bool) -> Any:
    """Return the select that counts the dates with zeros in a column.

    :param number: that of the column
    :param null_is_meant: whether 0000-00-00 does not count, since it means NULL
    """
    date = list(rows.c)[number]
    year, month, day = func.year(date), func.month(date), func.day(date)
    zeros = or_(year == 0, month == 0, day == 0)
    if null_is_meant:
        zeros = zeros & or_(year != 0, month != 0, day != 0)
    return select(func.count()).select_from(rows).where(zeros)
