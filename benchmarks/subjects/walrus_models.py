"""walrus: it has no nulls; a null text becomes ``''`` and a null number 0."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import and_
from typing import Any

import walrus

from . import base
from .base import Row

NONE = 'walrus has no such operation'


class Subject(base.Subject):
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

    def update(self, obj: Any, name: str, value: Any) -> None:
        setattr(obj, name, value)
        obj.save()

    def delete(self, filters: Row) -> None:
        self.model.query_delete(self._expression(filters))
