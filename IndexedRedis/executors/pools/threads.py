"""Pools of redis-py: what its versions do differently, and a quicker one for threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Full, LifoQueue
from typing import Any

import redis

from ..cache.invalidation import read_invalidations, tracked_replies_of

__all__ = ('QuickPool', 'connection_of', 'connection_that', 'idle_connection_of')

# Before 5.3 the name of the command had to be given; from then on giving it is deprecated.
_NAMELESS = tuple(int(part) for part in redis.__version__.split('.')[:2]) >= (5, 3)


class QuickQueue(LifoQueue):  # type: ignore[type-arg]
    """A queue that takes its lock only where somebody waits: lists need none. 0.5 us, not 3."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._waiting = 0

    def put_nowait(self, item: Any) -> None:
        """Put something in; raises ``Full``."""
        if len(self.queue) >= self.maxsize:
            raise Full
        self.queue.append(item)
        if self._waiting:
            with self.mutex:
                self.not_empty.notify()

    def get_nowait(self) -> Any:
        """Take the latest; raises ``Empty``."""
        try:
            return self.queue.pop()
        except IndexError:
            raise Empty from None

    def take(self, item: Any) -> bool:
        """Take this one; says whether it was there."""
        try:
            self.queue.remove(item)
        except ValueError:
            return False
        return True

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the latest, waiting so many seconds for one; raises ``Empty``."""
        try:
            return self.get_nowait()
        except Empty:
            if not block:
                raise
        ends = None if timeout is None else time.monotonic() + timeout
        with self.mutex:
            self._waiting += 1  # first, so that who puts something in after the next look sees it
            try:
                return self._wait(ends)
            finally:
                self._waiting -= 1

    def _wait(self, ends: float | None) -> Any:
        while True:
            with suppress(Empty):  # woken up in vain, if somebody without the lock was quicker
                return self.get_nowait()
            left = None if ends is None else ends - time.monotonic()
            if left is not None and left <= 0:
                raise Empty
            self.not_empty.wait(left)


class QuickPool(redis.BlockingConnectionPool):
    """Gives a connection that is idle and in order without further ado: 1 us instead of 8, which is
    a tenth of a small query. All else is done by redis-py's own methods.

    Its counters for OpenTelemetry leave those connections out.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(queue_class=QuickQueue, **options)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return described(self)

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """Take a connection, waiting for one if all are in use."""
        return self.idle(True) or super().get_connection(*args, **options)  # type: ignore[no-untyped-call]

    def idle(self, certain: bool) -> Any:
        """Take a connection that is idle and in order; None if the next one is not.

        :param certain: look whether the server has closed it meanwhile, which takes 1 us
        """
        self._checkpid()
        try:
            connection = self.pool.get_nowait()
        except Empty:
            return None
        if not self._is_special(connection) and _is_ready(connection, certain):
            return connection
        self.pool.put_nowait(connection)
        return None

    def idle_that(self, suits: Callable[[Any], bool]) -> Any:
        """Take a connection that is idle, in order and suits; None if there is none."""
        self._checkpid()
        for connection in [*self.pool.queue][::-1]:
            if connection is None or not suits(connection) or not self.pool.take(connection):
                continue
            if not self._is_special(connection) and _is_ready(connection, False):
                return connection
            self.pool.put_nowait(connection)
        return None

    def release(self, connection: Any) -> None:
        """Give a connection back."""
        if connection.pid != self.pid or self._is_special(connection):
            super().release(connection)  # type: ignore[no-untyped-call]
        else:
            self.pool.put_nowait(connection)

    def _is_special(self, connection: Any) -> bool:
        """Whether a server that moves (redis-py 7 and later) has something done to it."""
        moving = getattr(self, '_in_maintenance', False)
        return moving or getattr(connection, '_should_reconnect', False)


def _is_ready(connection: Any, certain: bool) -> bool:
    """Whether a connection of a pool is connected, and nothing has come in unasked."""
    if getattr(connection, '_sock', None) is None:
        return False
    try:
        if certain and tracked_replies_of(connection) is not None:
            read_invalidations(connection)
        return not (certain and connection.can_read())
    except Exception:  # it is broken, and will be connected anew
        return False


def idle_connection_of(pool: Any, certain: bool) -> Any:
    """Take a connection that is ready for use; None where that takes more than taking it.

    :param certain: as of :meth:`QuickPool.idle`
    """
    return pool.idle(certain) if isinstance(pool, QuickPool) else None


def connection_that(pool: Any, suits: Callable[[Any], bool]) -> Any:
    """Take a connection that is ready for use and suits; None where there is none."""
    return pool.idle_that(suits) if isinstance(pool, QuickPool) else None


def described(pool: Any) -> str:
    """Return the text for a pool: where it leads to. Those of redis-py 5 to 7 show passwords."""
    at = pool.connection_kwargs
    where = at.get('path') or f'{at.get("host", "localhost")}:{at.get("port", 6379)}'
    return f'<{type(pool).__name__} of {where}, database {at.get("db") or 0}>'


def connection_of(pool: Any) -> Any:
    """Take a connection from a pool (of asyncio: return the awaitable)."""
    return pool.get_connection() if _NAMELESS else pool.get_connection('_')
