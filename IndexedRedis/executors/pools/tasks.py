"""Pools for tasks: a pool of this library, and a wrapper for pools of users.

Rule: as for threads, lending moves a connection to a loan, and it comes back clean or closed. It
comes back without waiting, since a cancelled task may be unable to wait.
"""

from __future__ import annotations

import asyncio
from typing import Any

import redis.asyncio
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from ..._core.logs import logger
from ..cache import tracking
from ..cache.invalidation import aread_invalidations
from ..clock import Clock
from ..errors import PoolExhaustedError
from .coalescing import Coalescing
from .greeting import arenew, falls_back, without_password
from .internals import WRITER_GONE, can_track, close_now, closed_meanwhile, link_of
from .stats import stats_of
from .threads import Loan, connection_of, describe, is_exhausted
from .turns import ConnectionTurns

__all__ = ('AsyncBroughtPool', 'TrackingPool')


class TrackingPool(redis.asyncio.ConnectionPool):
    """Lends connections in turn, and reads pending invalidations before it lends one.

    :param patience: seconds to wait for a connection
    """

    def __init__(self, patience: float, **options: Any) -> None:
        super().__init__(**options)
        self.turns = ConnectionTurns(self.max_connections, patience)
        self.coalescing: Coalescing | None = None
        self.clock = Clock(tracking.POLL_SECONDS)
        #: the loans of tasks that fetch replies to cache them
        self.caching: set[int] = set()
        # renewed tokens, by the connections that have yet to send them
        self._tokens: dict[Any, Any] = {}
        #: how often a connection was opened
        self.connects = 0

    def __repr__(self) -> str:
        return describe(self)

    def stats(self) -> list[dict[str, Any]]:
        """Return the figures of this pool, in a list."""
        lent = [*self._in_use_connections]
        known = [*self._available_connections, *lent]
        turns = self.turns
        return [stats_of(self, 'asyncio', known, len(lent), turns.waiting, turns.waits)]

    async def lend(self, loan: Loan, patience: float | None = None) -> None:
        """Move a connection to a loan, ready for use; wait for one if all are in use.

        :param patience: seconds to wait; None means those of the pool
        :raises PoolExhaustedError: if no connection comes back in time
        :raises redis.exceptions.ConnectionError: if the server cannot be reached
        """
        try:
            await self.turns.take(id(loan), patience)
            try:
                loan.extend(map(list.pop, (self._available_connections,)))
            except IndexError:
                loan.append(self.connection_class(**self.connection_kwargs))
            self._in_use_connections.add(loan[0])
            if not await self._is_ready(loan[0]):
                close_now(loan[0])
                await self._connect(loan[0])
        except BaseException:
            self.reclaim(loan)
            raise

    async def take_back(self, loan: Loan) -> None:
        """Take back a connection that is clean: every reply was read."""
        if getattr(loan[0], '_should_reconnect', False):
            close_now(loan[0])
        self._take_back(loan)

    async def discard(self, loan: Loan) -> None:
        """Close the connection of a loan, if there is one, and take it back."""
        self.reclaim(loan)

    def reclaim(self, loan: Loan) -> None:
        """Do what :meth:`discard` does, for a borrower that is gone."""
        if loan:
            close_now(loan[0])
        self._take_back(loan)

    def _take_back(self, loan: Loan) -> None:
        if loan:
            self._in_use_connections.discard(loan[0])
            self._available_connections.extend(map(list.pop, (loan,)))
        self.turns.leave(id(loan))

    def idle(self) -> list[Any]:
        """Return the idle connections, the most recently used one first."""
        return self._available_connections[::-1]

    def authenticate_by(self, token: Any) -> None:
        """Have each connection send a renewed token before its next use."""
        connections = [*self._available_connections, *self._in_use_connections]
        self._tokens = dict.fromkeys(connections, token)

    async def _is_ready(self, connection: Any) -> bool:
        """Whether a connection is connected and has no unread data."""
        if link_of(connection) is None:
            return False
        try:
            # Before redis-py 8 this call reads data that has arrived, and then closes the
            # connection.
            look = getattr(connection, 'can_read', None) or connection.can_read_destructive
            if await look():
                if not can_track(connection):
                    return False
                await aread_invalidations(connection)
            await arenew(connection, self._tokens)
            return True
        except (RedisError, OSError):
            return False

    async def _connect(self, connection: Any) -> None:
        try:
            await connection.connect()
            self.connects += 1
            logger.debug('%r: opened a connection', self)
            return
        except (AuthenticationError, ResponseError) as exc:
            error = without_password(exc, connection)
        except WRITER_GONE as exc:
            raise closed_meanwhile(exc, connection) from None
        if not falls_back(error, connection, self):
            raise error
        await self._connect(connection)


class AsyncBroughtPool:
    """A user's pool of asyncio, with the methods of :class:`TrackingPool`."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def lend(self, loan: Loan, patience: float | None = None) -> None:
        """Move a connection to a loan, ready for use.

        :param patience: ignored: the pool decides how long it waits
        """
        try:
            loan.append(await connection_of(self._pool))
        except RedisError as error:
            if is_exhausted(error):
                raise PoolExhaustedError from error
            raise
        except asyncio.CancelledError:
            await _wake_another(self._pool)
            raise
        except BaseException:
            # redis-py has put back a connection whose handshake was interrupted.
            await self._pool.disconnect(inuse_connections=False)
            raise

    async def take_back(self, loan: Loan) -> None:
        """Take back a connection that is clean."""
        await self._pool.release(loan.pop())

    async def discard(self, loan: Loan) -> None:
        """Close the connection of a loan, if there is one, and take it back."""
        if loan:
            close_now(loan[0])
            await self._pool.release(loan.pop())

    def reclaim(self, loan: Loan) -> None:
        """Close the connection of a borrower that is gone; redis-py has no way to take it back."""
        if loan:
            close_now(loan.pop())


async def _wake_another(pool: Any) -> None:
    """Wake another task that waits for a connection.

    redis-py waits on a condition. Before Python 3.13 the condition loses a notification if the
    notified task is cancelled in the same moment (gh-112202).
    """
    condition = getattr(pool, '_condition', None)
    if condition is not None:
        async with condition:
            condition.notify()
