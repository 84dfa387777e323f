"""walrus: it has no nulls; a null text becomes ``''`` and a null number 0."""

from collections.abc import Iterable
from functools import reduce
from operator import and_
from typing import Any

import walrus

from . import BaseSubject, Row


class Subject(BaseSubject):
    """Models and queries."""

    # It saves objects one by one, and counts by loading them.
    cannot = frozenset(
        ('everything', 'save_all', 'replace_all', 'count', 'first', 'last', 'random')
    )
    keeps_nulls = False
    module = 'walrus'

    def __init__(self, name: str, connection: dict[str, Any], data: Any) -> None:
        columns: dict[str, Any] = {
            '__database__': walrus.Walrus(**connection),
            'pk': walrus.AutoIncrementField(),
        }
        for key, kind in data.kinds.items():
            column = walrus.IntegerField if kind == 'int' else walrus.TextField
            columns[key] = column(index=key in data.indexed)
        self.model: Any = type('Bench', (walrus.Model,), columns)

    def _expression(self, filters: Row) -> Any:
        return reduce(and_, (getattr(self.model, key) == value for key, value in filters.items()))

    def get(self, pk: int) -> Any:
        return self.model.load(pk)

    def select(self, filters: Row) -> Iterable[Any]:
        return list(self.model.query(self._expression(filters)))

    def create(self, row: Row) -> None:
        self.model.create(**row)

    def delete(self, filters: Row) -> None:
        self.model.query_delete(self._expression(filters))
