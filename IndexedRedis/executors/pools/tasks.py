"""A pool of asyncio whose idle connections may be told that keys have changed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import redis.asyncio
from redis.exceptions import ConnectionError, TimeoutError

from ..cache.invalidation import aread_invalidations, tracked_replies_of
from ..cache.tracking import Clock
from .threads import described

__all__ = ('TrackingPool',)


class TrackingPool(redis.asyncio.ConnectionPool):
    """Takes note of what a connection was told before it gives it; redis-py would connect it anew,
    since something has come in that nobody asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.clock = Clock()
        #: tasks that ask for what is to be remembered now
        self.learners = 0

    def __repr__(self) -> str:
        return described(self)

    async def ensure_connection(self, connection: Any) -> None:
        """Make sure that a connection can be used."""
        if tracked_replies_of(connection) is not None:
            with suppress(ConnectionError, TimeoutError, OSError):  # it is connected anew
                await aread_invalidations(connection)
        await super().ensure_connection(connection)

    def idle(self) -> list[Any]:
        """The connections that nobody uses now, the one used last first."""
        return self._available_connections[::-1]
