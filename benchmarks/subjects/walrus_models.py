"""walrus: it has no nulls, a null text becomes ``''`` and a null number 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import and_, attrgetter
from typing import Any

import walrus

__all__ = ('Subject',)

NONE = 'walrus has no such operation'


class Subject:
    """Models and queries."""

    cannot = {
        'everything': 'not asked of it',
        'save_all': 'walrus saves objects one by one',
        'replace_all': NONE,
        'count': 'walrus counts by loading the objects',
        'first': NONE,
        'last': NONE,
        'random': NONE,
    }
    keeps_nulls = False

    def __init__(self, name: str, connection: dict[str, Any], data: Any) -> None:
        columns: dict[str, Any] = {
            '__database__': walrus.Walrus(**connection),
            'pk': walrus.AutoIncrementField(),
        }
        for key, kind in data.kinds.items():
            column = walrus.IntegerField if kind == 'int' else walrus.TextField
            columns[key] = column(index=key in data.indexed)
        self.model: Any = type('Bench', (walrus.Model,), columns)

    def reader(self, names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
        """What reads these fields of an object."""
        return attrgetter(*names)

    def _expression(self, filters: dict[str, Any]) -> Any:
        return reduce(and_, (getattr(self.model, key) == value for key, value in filters.items()))

    def given(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows as this subject takes them: None is its null."""
        return rows

    def get(self, pk: int) -> Any:
        return self.model.load(pk)

    def select(self, filters: dict[str, Any]) -> Iterable[Any]:
        return list(self.model.query(self._expression(filters)))

    def create(self, row: dict[str, Any]) -> None:
        self.model.create(**row)

    def fill(self, rows: list[dict[str, Any]]) -> None:
        """Store all rows, whatever it takes."""
        for row in rows:
            self.create(row)

    def update(self, found: Any, name: str, value: Any) -> None:
        setattr(found, name, value)
        found.save()

    def delete(self, filters: dict[str, Any]) -> None:
        self.model.query_delete(self._expression(filters))
