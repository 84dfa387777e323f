"""Pools for threads: a quick, interrupt-safe pool of this library, and a wrapper for users' pools.

Rule: lending moves a connection to a *loan*, a list that belongs to the borrower. The connection
comes back either clean, with every reply read, or closed. A borrower that was interrupted at any
line still has its loan, so no connection is lost, and none comes back with an unread reply.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Full
from threading import Lock
from typing import Any

import redis
from redis.exceptions import AuthenticationError, ConnectionError, RedisError, ResponseError

from ..._core.logs import logger
from ..cache.invalidation import read_invalidations
from ..errors import PoolExhaustedError
from ..remedies import explained
from .greeting import falls_back, renew, without_password
from .internals import can_track, link_of, safe_options
from .stats import stats_of

__all__ = (
    'BroughtPool',
    'QuickPool',
    'QuickQueue',
    'connection_of',
    'describe',
)

Loan = list[Any]

# get_connection() requires the name of a command before redis-py 5.3; later that is deprecated.
_NAMELESS = tuple(int(part) for part in redis.__version__.split('.')[:2]) >= (5, 3)
# Seconds after which a waiting thread tries again if no other thread woke it.
_NAP_SECONDS = 1.0


class QuickQueue:
    """The idle connections of a pool, the most recently used one last; None for one not yet made.

    An entry moves between this list and a loan by one call of C code, ``extend`` of a ``map`` of
    ``pop``, during which Python runs no signal handler and no other thread. Only threads that wait
    need locks: 0.5 us for both ways. ``queue.LifoQueue``: 3 us.
    """

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self.queue: list[Any] = []
        self._waiting: deque[Any] = deque()  # a lock for each thread, which its waker releases
        #: how many threads had to wait so far
        self.waits = 0

    @property
    def waiting(self) -> int:
        """How many threads wait now."""
        return len(self._waiting)

    def qsize(self) -> int:
        """Return the number of entries."""
        return len(self.queue)

    def put_nowait(self, item: Any) -> None:
        """Add an entry.

        :raises queue.Full: if the queue has all its entries
        """
        if len(self.queue) >= self.maxsize:
            raise Full
        self.queue.append(item)
        self._wake_one()

    def lend(self, loan: Loan) -> bool:
        """Move the most recently used entry to a loan; return whether there was one."""
        try:
            loan.extend(map(list.pop, (self.queue,)))
        except IndexError:
            return False
        return True

    def lend_that(self, loan: Loan, suits: Callable[[Any], bool]) -> bool:
        """Move the most recently used entry that suits to a loan; return whether there was one."""
        for index in range(len(self.queue) - 1, -1, -1):
            with suppress(IndexError):  # other threads take entries meanwhile
                connection = self.queue[index]
                if connection is None or not suits(connection):
                    continue
                loan.extend(map(self.queue.pop, (index,)))
                if loan[0] is connection:
                    return True
                self.take_back(loan)
        return False

    def take_back(self, loan: Loan) -> None:
        """Move the entry of a loan back."""
        self.queue.extend(map(list.pop, (loan,)))
        self._wake_one()

    def wait(self, loan: Loan, seconds: float | None) -> bool:
        """Do what :meth:`lend` does; wait up to ``seconds`` for an entry, None: without limit."""
        if self.lend(loan):
            return True
        self.waits += 1
        ends = float('inf') if seconds is None else time.monotonic() + seconds
        waker = Lock()
        try:
            while not self.lend(loan):
                left = ends - time.monotonic()
                if left <= 0:
                    return False
                waker.acquire(False)
                if waker not in self._waiting:
                    self._waiting.append(waker)
                if not self.queue:  # an entry may have come before this thread was on the list
                    waker.acquire(True, min(left, _NAP_SECONDS))
            return True
        finally:
            with suppress(ValueError):
                self._waiting.remove(waker)
            if self.queue:
                self._wake_one()  # the wake-up may have been for another thread

    def _wake_one(self) -> None:
        if self._waiting:
            with suppress(IndexError, RuntimeError):  # another thread was quicker
                self._waiting.popleft().release()


class QuickPool(redis.BlockingConnectionPool):
    """Lends an idle connection in 1 us. redis-py takes 8 us, a tenth of a small query.

    redis-py's counters for OpenTelemetry do not count its connections.
    """

    _in_maintenance = False  # redis-py 7 and later sets it while it moves to another server

    def __init__(self, **options: Any) -> None:
        super().__init__(queue_class=QuickQueue, **options, **safe_options())  # type: ignore[no-untyped-call]
        # renewed tokens, by the connections that have yet to send them
        self._tokens: dict[Any, Any] = {}
        #: how often a connection was opened
        self.connects = 0

    def __repr__(self) -> str:
        return describe(self)

    def stats(self) -> list[dict[str, Any]]:
        """Return the figures of this pool, in a list."""
        queue = self.pool
        lent = queue.maxsize - queue.qsize()
        waits = queue.waiting, queue.waits
        return [stats_of(self, 'threads', [*self._connections], lent, *waits)]

    def lend(self, loan: Loan) -> None:
        """Move a connection to a loan, ready for use; wait for one if all are in use.

        :raises PoolExhaustedError: if no connection comes back in time
        :raises redis.exceptions.ConnectionError: if the server cannot be reached
        """
        self._checkpid()
        if self._in_maintenance:
            with self._lock:
                pass
        if not self.pool.wait(loan, self.timeout):
            raise PoolExhaustedError
        try:
            if loan[0] is None:
                loan[0] = self.make_connection()  # type: ignore[no-untyped-call]
            if not self._is_ready(loan[0], certain=True):
                loan[0].disconnect()
                self._connect(loan[0])
        except BaseException:
            self.discard(loan)
            raise

    def lend_idle(self, loan: Loan, certain: bool) -> bool:
        """Move an idle, usable connection to a loan; return whether there was one.

        :param certain: test whether the server has closed it meanwhile, which takes 1 us
        """
        self._checkpid()
        if not self.pool.lend(loan):
            return False
        connection = loan[0]
        if (
            certain
            or connection is None
            or connection._sock is None
            or self._in_maintenance
            or self._tokens
        ):
            return self._is_good(loan, certain)
        return True

    def lend_that(self, loan: Loan, suits: Callable[[Any], bool]) -> bool:
        """Do what :meth:`lend_idle` does, with the connections that suit."""
        self._checkpid()
        return self.pool.lend_that(loan, suits) and self._is_good(loan, False)

    def _is_good(self, loan: Loan, certain: bool) -> bool:
        if loan[0] is not None and not self._in_maintenance and self._is_ready(loan[0], certain):
            return True
        self.discard(loan)
        return False

    def _is_ready(self, connection: Any, certain: bool) -> bool:
        """Whether a connection is connected and, if ``certain``, has no unread data."""
        if link_of(connection) is None:
            return False
        try:
            if certain and connection.can_read():
                if not can_track(connection):
                    return False
                read_invalidations(connection)
            renew(connection, self._tokens)
            return True
        except (RedisError, OSError):
            return False

    def _connect(self, connection: Any) -> None:
        try:
            connection.connect()
            self.connects += 1
            logger.debug('%r: opened a connection', self)
            return
        except (AuthenticationError, ResponseError) as exc:
            error = without_password(exc, connection)
        if not falls_back(error, connection, self):
            raise error
        self._connect(connection)

    def authenticate_by(self, token: Any) -> None:
        """Have each connection send a renewed token before its next use."""
        self._tokens = dict.fromkeys([*self._connections], token)

    def take_back(self, loan: Loan) -> None:
        """Take back a connection that is clean: every reply was read."""
        if loan[0].pid != self.pid:  # it belongs to the process that this one was forked from
            loan.pop().disconnect()
        elif getattr(loan[0], '_should_reconnect', False):
            self.discard(loan)
        else:
            self.pool.take_back(loan)

    def discard(self, loan: Loan) -> None:
        """Close the connection of a loan, and take it back."""
        if loan[0] is not None:
            loan[0].disconnect()
            if loan[0].pid != self.pid:
                loan.clear()
                return
        self.pool.take_back(loan)

    def close_idle(self) -> None:
        """Close the connections that nobody has borrowed.

        ``disconnect`` closes all. A thread that waits for an answer might then read from another
        connection, whose socket got the same number.
        """
        loan: Loan = []
        while self.pool.lend_that(loan, link_of):
            self.discard(loan)

    def end(self) -> None:
        """Close the idle connections now, and each of the others when it comes back."""
        # In the place of the method: a test in it would be paid by each query.
        self.take_back = self.discard  # type: ignore[method-assign]
        self.close_idle()

    def reclaim(self, loan: Loan) -> None:
        """Replace a connection whose borrower is gone and could not close it by a new entry."""
        connection, loan[0] = loan[0], None
        self._tokens.pop(connection, None)
        with suppress(ValueError):
            self._connections.remove(connection)
        self.pool.take_back(loan)

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """Return a connection ready for use, to callers outside of this library."""
        loan: Loan = []
        try:
            self.lend(loan)
        except RedisError as error:
            raise explained(error)  # noqa: B904  (the same one)
        return loan.pop()

    def release(self, connection: Any) -> None:
        """Take back what :meth:`get_connection` returned."""
        # redis-py releases a connection in a `finally`, even with unread replies.
        error = sys.exc_info()[1]
        if connection in self.pool.queue:
            return  # it was released before
        if error is None or isinstance(error, RedisError):
            self.take_back([connection])
        else:
            self.discard([connection])


class BroughtPool:
    """A user's pool, with the methods of :class:`QuickPool`.

    It lends and takes back connections by redis-py's own methods.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def lend(self, loan: Loan) -> None:
        """Move a connection to a loan, ready for use."""
        try:
            loan.append(connection_of(self._pool))
        except RedisError as error:
            if is_exhausted(error):
                raise PoolExhaustedError from error
            raise
        except BaseException:
            # redis-py has put back a connection whose handshake was interrupted.
            for connection in _idle_connections(self._pool):
                connection.disconnect()
            raise

    def lend_idle(self, loan: Loan, certain: bool) -> bool:
        """Return False: :meth:`lend` lets redis-py test the state of the connections."""
        return False

    def lend_that(self, loan: Loan, suits: Callable[[Any], bool]) -> bool:
        """Return False: the connections have no caches."""
        return False

    def take_back(self, loan: Loan) -> None:
        """Take back a connection that is clean."""
        self._pool.release(loan.pop())

    def discard(self, loan: Loan) -> None:
        """Close the connection of a loan, and take it back."""
        loan[0].disconnect()
        self._pool.release(loan.pop())

    reclaim = discard


def is_exhausted(error: RedisError) -> bool:
    """Whether a user's pool says that no connection became free in time."""
    return type(error) is ConnectionError and str(error).startswith('No connection available')


def _idle_connections(pool: Any) -> list[Any]:
    """Return the idle connections of a pool of redis-py."""
    queue = getattr(pool, 'pool', None)
    idle = pool._available_connections if queue is None else queue.queue
    return [connection for connection in [*idle] if connection is not None]


def describe(pool: Any) -> str:
    """Return the repr of a pool: its server. The reprs of redis-py 5 to 7 show passwords."""
    at = pool.connection_kwargs
    where = at.get('path') or f'{at.get("host", "localhost")}:{at.get("port", 6379)}'
    return f'<{type(pool).__name__} of {where}, database {at.get("db") or 0}>'


def connection_of(pool: Any) -> Any:
    """Take a connection from a pool of redis-py; on asyncio, return the awaitable."""
    return pool.get_connection() if _NAMELESS else pool.get_connection('_')
