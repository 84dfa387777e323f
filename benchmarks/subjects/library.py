"""This library and IndexedRedis 6.0.3: one source, since both have the same API."""

from collections.abc import Iterable
from typing import Any

import redis

import IndexedRedis
from IndexedRedis import IndexedRedisModel, IRField, irNull
from IndexedRedis.fields import IRForeignLinkField

from . import BaseSubject, Row

KINDS = {'int': int, 'float': float, 'str': str}


def model_of(
    connection: dict[str, Any],
    kinds: dict[str, str],
    indexed: list[str],
    links: dict[str, Any] | None = None,
    **attributes: Any,
) -> Any:
    """Return a model.

    :param kinds: of the fields, a key of :data:`KINDS` each
    :param links: further fields, which link to objects of these models
    :param attributes: more of the class
    """
    fields = [IRField(key, valueType=KINDS[kind]) for key, kind in kinds.items()]
    fields += [IRForeignLinkField(key, model) for key, model in (links or {}).items()]
    space = {'KEY_NAME': 'Bench', 'REDIS_CONNECTION_PARAMS': connection, **attributes}
    space |= {'FIELDS': fields, 'INDEXED_FIELDS': indexed}
    return type(space['KEY_NAME'], (IndexedRedisModel,), space)


class Subject(BaseSubject):
    """Models and queries."""

    def __init__(self, connection: dict[str, Any], data: Any, connections: int = 0) -> None:
        if connections and IndexedRedis.__version__ == '6.0.3':  # its own pool fails when empty
            how = {'max_connections': connections, 'timeout': None}
            pool = redis.BlockingConnectionPool(**connection, **how)
            connection = {**connection, 'connection_pool': pool}
        elif connections:
            connection = {**connection, 'max_connections': connections}
        if IndexedRedis.__version__ == '6.0.3':
            self.cannot = frozenset(('values', 'tally', 'asyncio'))
        self.model: Any = model_of(connection, data.kinds, data.indexed)

    def given(self, rows: list[Row]) -> list[Row]:
        """Return rows with irNull: a None would be the text "None" to 6.0.3."""
        return [
            {key: irNull if value is None else value for key, value in row.items()} for row in rows
        ]

    def get(self, pk: int) -> Any:
        return self.model.objects.get(pk)

    def select(self, filters: Row) -> Iterable[Any]:
        return self.model.objects.filter(**filters).all()

    async def aget(self, pk: int) -> Any:
        return await self.model.objects.aget(pk)

    async def aselect(self, filters: Row) -> Iterable[Any]:
        return await self.model.objects.filter(**filters).aall()

    def everything(self) -> Iterable[Any]:
        return self.model.objects.all()

    def values(self, filters: Row, names: list[str]) -> list[tuple[Any, ...]]:
        return self.model.objects.filter(**filters).valuesList(*names)

    def tally(self, name: str) -> dict[Any, int]:
        return self.model.objects.countBy(name)

    def count(self, filters: Row) -> int:
        return self.model.objects.filter(**filters).count()

    def pick(self, how: str, filters: Row) -> Any:
        return getattr(self.model.objects.filter(**filters), how)()

    def create(self, row: Row) -> None:
        self.model(**row).save()

    def fill(self, rows: list[Row]) -> None:
        self.model.saver.save([self.model(**row) for row in rows])

    def replace_all(self, rows: list[Row]) -> None:
        self.model.reset([self.model(**row) for row in rows])

    def delete(self, filters: Row) -> None:
        self.model.objects.filter(**filters).delete()
