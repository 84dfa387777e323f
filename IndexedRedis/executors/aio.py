"""Runs the same flows over a connection pool of ``redis.asyncio``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from redis.exceptions import ConnectionError, ResponseError

from .._core.flows import Batch, Flow
from .cache.invalidation import has_cached, has_pending, start_tracking
from .cache.tracking import note_write
from .conversation import converse
from .pools.replies import arrived, handle_push
from .pools.tasks import TrackingPool
from .pools.threads import connection_of
from .pools.turns import turns_of

__all__ = ('AsyncExecutor', 'Line')

T = TypeVar('T')

# So many tasks at a time ask for what is to be remembered, each over a connection of its own; what
# others ask goes out together, which takes a third of the time.
MAX_CACHING_TASKS = 2
_SENDING = ('send', 'ask_and_cache')


class AsyncExecutor:
    """Runs flows in the event loop that the pool belongs to.

    :param pool: a ``redis.asyncio.ConnectionPool``, or one of its relatives
    :param executor_of: gives the executor of another model
    """

    def __init__(self, pool: Any, executor_of: Callable[[Any], Any] | None = None) -> None:
        self.pool = pool
        self._executor_of = executor_of or (lambda model: self)

    async def run(self, flow: Flow[T], answers: int | None = None) -> T:
        """Run a flow to its end and return its result; ``answers`` as of the other executor."""
        line = Line(self.pool, self._executor_of, answers)
        conversation = converse(flow, bool(answers))
        cancellations = _cancellations()
        noticed = cancellations()
        try:
            operation = next(conversation)
            while True:
                try:
                    outcome = await getattr(line, operation[0])(*operation[1:])
                    if operation[0] in _SENDING and cancellations() > noticed:
                        raise asyncio.CancelledError  # which was swallowed
                except BaseException as exc:
                    noticed = cancellations()
                    operation = conversation.throw(exc)
                else:
                    operation = conversation.send(outcome)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            if answers is None:
                note_write()


def _cancellations() -> Callable[[], int]:
    """Return a function that counts the cancellations of the running task.

    In Python 3.11 ``wait_for``, by which redis-py writes, may swallow a cancellation.
    """
    task = asyncio.current_task()
    return task.cancelling if task else int


async def _wake_another(pool: Any) -> None:
    """Let another task look whether there is a connection now.

    Before Python 3.13 a condition, which redis-py waits on, loses the notice that a connection is
    free if the task that got it was cancelled in the same moment (gh-112202).
    """
    condition = getattr(pool, '_condition', None)
    if condition is not None:
        async with condition:
            condition.notify()


class Line:
    """The operations of a conversation, on one connection at a time."""

    def __init__(
        self,
        pool: Any,
        executor_of: Callable[[Any], Any] | None = None,
        answers: int | None = None,
    ) -> None:
        self._pool = pool
        self._executor_of = executor_of
        self._answers = answers
        self._turns: Any = turns_of(pool)
        self._connection: Any = None
        self._sent = False

    async def from_cache(self, batch: Batch) -> Sequence[Any] | None:
        if not isinstance(self._pool, TrackingPool):
            return None
        if self._pool.clock.is_due():
            # What the server tells arrives: the loop looks in the first of these turns, and takes
            # what is there in the second.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        commands = tuple(batch.commands)
        for connection in self._pool.idle():
            # One that was told something is asked: whoever takes it takes note of that first.
            if has_cached(connection, commands) and not await has_pending(connection):
                return start_tracking(connection).get(commands)
        return None

    async def send_now(self, batch: Batch) -> list[Any] | None:
        coalescing = getattr(self._pool, 'coalescing', None) if batch.shared else None
        return None if coalescing is None else await coalescing.exchange(batch)

    async def ask_and_cache(self, batch: Batch) -> list[Any] | None:
        if not isinstance(self._pool, TrackingPool) or self._pool.learners >= MAX_CACHING_TASKS:
            return await self.send_now(batch)
        broken = True
        self._pool.learners += 1
        try:
            await self.open()
            tracked = start_tracking(self._connection)
            await self.send(tracked.request(batch))
            replies = await self.read(tracked.reply_count(batch))
            broken = False
            return tracked.receive(batch, replies, self._answers or 0)
        except ConnectionError:
            return None
        finally:
            self._pool.learners -= 1
            if self._connection is not None:
                await self.close(broken)

    async def open(self) -> None:
        await self._turns.take()
        try:
            self._connection = await connection_of(self._pool)
        except BaseException as exc:
            self._turns.leave()
            if isinstance(exc, asyncio.CancelledError):
                await _wake_another(self._pool)
            raise
        self._sent = False

    async def send(self, data: bytes) -> None:
        # redis-py's health check reads a reply, so it must come before anything is in flight.
        check, self._sent = not self._sent, True
        await self._connection.send_packed_command([data], check_health=check)

    async def read(self, count: int) -> list[Any]:
        read_response = self._connection.read_response
        replies: list[Any] = []
        while len(replies) < count:
            try:
                replies.append(await read_response())
            except ResponseError as error:
                replies.append(error)
            more, message = arrived(self._connection, count - len(replies))
            replies += more
            if message is not None:
                await handle_push(self._connection, message)
        return replies

    async def close(self, broken: bool) -> None:
        connection, self._connection = self._connection, None
        try:
            if broken:
                await connection.disconnect()
        finally:
            try:
                await self._pool.release(connection)
            finally:
                self._turns.leave()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def elsewhere(self, model: Any, flow: Flow[Any]) -> Any:
        assert self._executor_of is not None
        answers = None if self._answers is None else model.CLIENT_SIDE_CACHE
        return await self._executor_of(model).run(flow, answers)
