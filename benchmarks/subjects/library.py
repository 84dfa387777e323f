"""This library and IndexedRedis 6.0.3: one source, since both have the same API."""

from collections.abc import Iterable
from typing import Any

import redis

import IndexedRedis
from IndexedRedis import IndexedRedisModel, IRField, irNull

from . import BaseSubject, Row


class Subject(BaseSubject):
    """Models and queries.

    :param connections: the most connections that threads or tasks share
    """

    def __init__(
        self, name: str, connection: dict[str, Any], data: Any, connections: int = 0
    ) -> None:
        old = name.startswith('6.0.3')
        assert (IndexedRedis.__version__ == '6.0.3') == old, IndexedRedis.__file__
        if connections and old:  # the pool of 6.0.3 fails when it is empty, and so is given
            pool = redis.BlockingConnectionPool(
                **connection, max_connections=connections, timeout=None
            )
            connection = {**connection, 'connection_pool': pool}
        elif connections:
            connection = {**connection, 'max_connections': connections}

        class Bench(IndexedRedisModel):
            FIELDS = [
                IRField(key, valueType=int if kind == 'int' else str)
                for key, kind in data.kinds.items()
            ]
            INDEXED_FIELDS = data.indexed
            KEY_NAME = 'Bench'
            REDIS_CONNECTION_PARAMS = connection

        self.model: Any = Bench

    def given(self, rows: list[Row]) -> list[Row]:
        """Return rows with irNull: a None would be the text "None" to 6.0.3."""
        return [
            {key: irNull if value is None else value for key, value in row.items()} for row in rows
        ]

    def get(self, pk: int) -> Any:
        return self.model.objects.get(pk)

    def select(self, filters: Row) -> Iterable[Any]:
        return self.model.objects.filter(**filters).all()

    def everything(self) -> Iterable[Any]:
        return self.model.objects.all()

    def count(self, filters: Row) -> int:
        return self.model.objects.filter(**filters).count()

    def first(self, filters: Row) -> Any:
        return self.model.objects.filter(**filters).first()

    def last(self, filters: Row) -> Any:
        return self.model.objects.filter(**filters).last()

    def random(self, filters: Row) -> Any:
        return self.model.objects.filter(**filters).random()

    def create(self, row: Row) -> None:
        self.model(**row).save()

    def save_all(self, rows: list[Row]) -> None:
        self.model.saver.save([self.model(**row) for row in rows])

    def replace_all(self, rows: list[Row]) -> None:
        self.model.reset([self.model(**row) for row in rows])

    def delete(self, filters: Row) -> None:
        self.model.objects.filter(**filters).delete()


class TaskSubject(Subject):
    """This library on asyncio."""

    async def get(self, pk: int) -> Any:
        return await self.model.objects.aget(pk)

    async def select(self, filters: Row) -> Iterable[Any]:
        return await self.model.objects.filter(**filters).aall()
