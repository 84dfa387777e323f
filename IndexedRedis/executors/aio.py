"""Run flows over a connection pool of ``redis.asyncio``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from redis.exceptions import ConnectionError

from .._core.flows import Batch, Flow
from .._core.replication import FRESHNESS, Freshness
from .base import Executor, Lanes
from .cache.invalidation import has_cached, has_pending, start_tracking
from .cache.tracking import note_write
from .conversation import Conversation, converse
from .errors import PoolExhaustedError
from .pools.internals import WRITER_GONE, closed_meanwhile
from .pools.nodes import NodePools
from .pools.replies import aread_replies
from .pools.tasks import AsyncBroughtPool, TrackingPool
from .topology.nodes import Node, Role

__all__ = ('AsyncExecutor', 'Line')

T = TypeVar('T')

# Tasks that fetch replies to cache them at a time, each over a connection of its own. The batches
# of other tasks go out together, which takes a third of the time.
MAX_CACHING_TASKS = 2
_SENDING = ('send', 'ask_and_cache')


class AsyncExecutor(Executor):
    """Runs flows in the event loop that the pool belongs to."""

    async def run(
        self, flow: Flow[T], cache_size: int | None = None, fresh: Freshness | None = None
    ) -> T:
        """Run a flow to its end and return its result.

        The parameters are those of :meth:`~IndexedRedis.executors.sync.SyncExecutor.run`.
        """
        line = Line(self.pool, self._executor_of, cache_size)
        try:
            way = self._way(cache_size, fresh)
            return await line.converse(converse(flow, bool(cache_size), way))
        finally:
            try:
                if cache_size is None:
                    note_write()
            finally:
                await line.end()


def _cancellations() -> Callable[[], int]:
    """Return a function that counts the cancellations of the running task.

    In Python 3.11 ``wait_for``, by which redis-py writes, may swallow a cancellation.
    """
    task = asyncio.current_task()
    return task.cancelling if task else int


class Line(Lanes):
    """The operations of a conversation, on one connection at a time."""

    _loan: list[Any] = []  # for __del__, if __init__ was interrupted

    def __init__(
        self,
        pool: Any,
        executor_of: Callable[[Any], Any] | None = None,
        cache_size: int | None = None,
    ) -> None:
        self._nodes = pool
        ours = isinstance(pool, (TrackingPool, NodePools))
        self._pool: Any = pool if ours else AsyncBroughtPool(pool)
        self._executor_of = executor_of
        self._cache_size = cache_size
        self._loan: list[Any] = []
        self._sent = False

    def __del__(self) -> None:
        if self._loan:  # `end` was interrupted, too
            self._pool.reclaim(self._loan)
        for pool, loan in self._aside:
            if loan:
                pool.reclaim(loan)

    async def converse(self, conversation: Conversation[T]) -> T:
        """Perform the operations of a conversation; return its result."""
        cancellations = _cancellations()
        noticed = cancellations()
        try:
            operation = next(conversation)
            while True:
                try:
                    outcome = await getattr(self, operation[0])(*operation[1:])
                    if operation[0] in _SENDING and cancellations() > noticed:
                        raise asyncio.CancelledError  # `wait_for` swallowed it
                except BaseException as exc:
                    noticed = cancellations()
                    operation = conversation.throw(exc)
                else:
                    operation = conversation.send(outcome)
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def from_cache(self, batch: Batch) -> Sequence[Any] | None:
        if not isinstance(self._pool, TrackingPool):
            return None
        if self._pool.clock.is_due():
            # Let pending messages arrive: the loop polls the socket in the first of these turns,
            # and reads it in the second.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        commands = tuple(batch.commands)
        for connection in self._pool.idle():
            # Skip a connection with unread data: its next borrower reads that first.
            if has_cached(connection, commands) and not await has_pending(connection):
                return start_tracking(connection).get(commands)
        return None

    async def send_now(self, batch: Batch) -> list[Any] | None:
        coalescing = getattr(self._pool, 'coalescing', None) if batch.shared else None
        return None if coalescing is None else await coalescing.exchange(batch)

    async def ask_and_cache(self, batch: Batch) -> list[Any] | None:
        pool, loan = self._pool, self._loan
        if not isinstance(pool, TrackingPool) or len(pool.caching) >= MAX_CACHING_TASKS:
            return await self.send_now(batch)
        try:
            pool.caching.add(id(loan))
            await self.open()
            tracked = start_tracking(loan[0])
            await self.send(tracked.request(batch))
            replies = tracked.receive(
                batch, await self.read(tracked.reply_count(batch)), self._cache_size or 0
            )
            await self.close(False)
        except PoolExhaustedError:
            raise  # the next try would wait just as long
        except ConnectionError:
            return None
        finally:
            pool.caching.discard(id(loan))
            await self.end()
        return replies

    async def open(self, patience: float | None = None) -> None:
        await self._pool.lend(self._loan, patience)
        self._sent = False

    async def send(self, data: bytes) -> None:
        # redis-py's health check reads a reply, so it must come before anything is in flight.
        check, self._sent = not self._sent, True
        try:
            await self._loan[0].send_packed_command([data], check_health=check)
        except WRITER_GONE as error:
            raise closed_meanwhile(error, self._loan[0]) from None

    async def read(self, count: int) -> list[Any]:
        return await aread_replies(self._loan[0], count)

    async def close(self, broken: bool) -> None:
        if broken:
            await self._pool.discard(self._loan)
        else:
            await self._pool.take_back(self._loan)

    async def end(self) -> None:
        """Close the connections that are still on loan; give the turns back."""
        if not isinstance(self._pool, NodePools):  # it went to a node
            await self._pool.discard(self._loan)
        if self._aside:
            await self._end_aside()

    async def _end_aside(self) -> None:
        for pool, loan in self._aside:
            await pool.discard(loan)
        self._aside = ()

    async def lane(self, number: int) -> None:
        self._turn_to(number)
        if not number:
            await self._end_aside()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def at(self, node: Node, role: Role) -> None:
        self._pool = self._nodes.pool(node, role)

    async def keep(self, nodes: Collection[Node]) -> None:
        for pool in self._nodes.drop_others(nodes):
            await pool.disconnect(inuse_connections=False)

    async def elsewhere(self, model: Any, flow: Flow[Any]) -> Any:
        assert self._executor_of is not None
        cache_size = None if self._cache_size is None else model.CLIENT_SIDE_CACHE
        fresh = None if cache_size is None else FRESHNESS[model.REPLICA_READS]
        return await self._executor_of(model).run(flow, cache_size, fresh)
