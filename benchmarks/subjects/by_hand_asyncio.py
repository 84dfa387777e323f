"""redis.asyncio by hand, over the same keys."""

from __future__ import annotations

from typing import Any

import redis.asyncio

from . import by_hand
from .base import Row


class Subject(by_hand.Subject):
    """Two operations on asyncio.

    :param connections: the most connections that tasks share
    """

    def __init__(self, name: str, connection: dict[str, Any], data: Any, connections: int) -> None:
        super().__init__(name, connection, data)
        pool = redis.asyncio.BlockingConnectionPool(
            **connection, decode_responses=True, max_connections=connections, timeout=None
        )
        self.tasks = redis.asyncio.Redis(connection_pool=pool)

    async def get(self, pk: int) -> Row:
        return self.row(await self.tasks.hgetall(f'{by_hand.DATA}{pk}'))

    async def select(self, filters: Row) -> list[Row]:
        ((name, value),) = filters.items()
        pipe = self.tasks.pipeline(transaction=False)
        for pk in await self.tasks.smembers(f'{by_hand.INDEX}{name}:{value}'):
            pipe.hgetall(by_hand.DATA + pk)
        return [self.row(stored) for stored in await pipe.execute()]
