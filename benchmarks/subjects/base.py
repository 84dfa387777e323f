"""Say what every subject has."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

Row = dict[str, Any]


class Subject:
    """Operations that subjects share.

    A subject has the methods that :mod:`benchmarks.rows.tasks` calls, but for those that it names
    in ``cannot``, with the reason.
    """

    cannot: dict[str, str] = {}
    #: whether a null is told from '' and 0
    keeps_nulls = True
    #: what ``import`` imports
    module = 'IndexedRedis'

    def reader(self, names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
        """Return what reads these fields of an object."""
        return attrgetter(*names)

    def given(self, rows: list[Row]) -> list[Row]:
        """Return rows as the subject takes them, None being a null."""
        return rows

    def save_all(self, rows: list[Row]) -> None:
        """Save rows in one call, or one by one."""
        for row in rows:
            self.create(row)

    def fill(self, rows: list[Row]) -> None:
        """Store rows by the best way there is."""
        self.save_all(rows)
