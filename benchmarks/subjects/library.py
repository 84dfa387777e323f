"""This library and IndexedRedis 6.0.3: one source, since one is the API of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import IndexedRedis
from IndexedRedis import IndexedRedisModel, IRField, irNull

__all__ = ('Subject',)


class Subject:
    """Models and queries."""

    cannot: dict[str, str] = {}
    keeps_nulls = True

    def __init__(self, name: str, connection: dict[str, Any], data: Any) -> None:
        assert (IndexedRedis.__version__ == '6.0.3') == (name == '6.0.3'), 'the wrong one'

        class Row(IndexedRedisModel):
            FIELDS = [
                IRField(key, valueType=int if kind == 'int' else str)
                for key, kind in data.kinds.items()
            ]
            INDEXED_FIELDS = data.indexed
            KEY_NAME = 'Bench'
            REDIS_CONNECTION_PARAMS = connection

        self.model: Any = Row

    def reader(self, names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
        """What reads these fields of an object."""
        return attrgetter(*names)

    def given(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows as both versions take them: a None would be the text "None" to 6.0.3."""
        return [
            {key: irNull if value is None else value for key, value in row.items()} for row in rows
        ]

    def get(self, pk: int) -> Any:
        return self.model.objects.get(pk)

    def select(self, filters: dict[str, Any]) -> Iterable[Any]:
        return self.model.objects.filter(**filters).all()

    def everything(self) -> Iterable[Any]:
        return self.model.objects.all()

    def count(self, filters: dict[str, Any]) -> int:
        return self.model.objects.filter(**filters).count()

    def first(self, filters: dict[str, Any]) -> Any:
        return self.model.objects.filter(**filters).first()

    def last(self, filters: dict[str, Any]) -> Any:
        return self.model.objects.filter(**filters).last()

    def random(self, filters: dict[str, Any]) -> Any:
        return self.model.objects.filter(**filters).random()

    def create(self, row: dict[str, Any]) -> None:
        self.model(**row).save()

    def update(self, found: Any, name: str, value: Any) -> None:
        setattr(found, name, value)
        found.save()

    def save_all(self, rows: list[dict[str, Any]]) -> None:
        self.model.saver.save([self.model(**row) for row in rows])

    def replace_all(self, rows: list[dict[str, Any]]) -> None:
        self.model.reset([self.model(**row) for row in rows])

    def delete(self, filters: dict[str, Any]) -> None:
        self.model.objects.filter(**filters).delete()
