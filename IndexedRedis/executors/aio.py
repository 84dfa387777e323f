"""Runs the same flows over a connection pool of ``redis.asyncio``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from redis.exceptions import ResponseError

from .._core.plan import Flow
from .conversation import converse
from .pools import connection_of

__all__ = ('AsyncExecutor',)

T = TypeVar('T')


class AsyncExecutor:
    """Runs flows in the event loop that the pool belongs to.

    :param pool: a ``redis.asyncio.ConnectionPool``, or one of its relatives
    :param executor_of: gives the executor of another model
    """

    def __init__(self, pool: Any, executor_of: Callable[[Any], Any] | None = None) -> None:
        self.pool = pool
        self._executor_of = executor_of or (lambda model: self)

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return its result."""
        line = _Line(self.pool, self._executor_of)
        conversation = converse(flow)
        try:
            operation = next(conversation)
            while True:
                try:
                    outcome = await getattr(line, operation[0])(*operation[1:])
                except BaseException as exc:
                    operation = conversation.throw(exc)
                else:
                    operation = conversation.send(outcome)
        except StopIteration as stop:
            result: T = stop.value
            return result


class _Line:
    """The operations of a conversation, on one connection at a time."""

    def __init__(self, pool: Any, executor_of: Callable[[Any], Any]) -> None:
        self._pool = pool
        self._executor_of = executor_of
        self._connection: Any = None
        self._sent = False

    async def open(self) -> None:
        self._connection = await connection_of(self._pool)
        self._sent = False

    async def send(self, data: bytes) -> None:
        # redis-py's health check reads a reply, so it must come before anything is in flight.
        check, self._sent = not self._sent, True
        await self._connection.send_packed_command([data], check_health=check)

    async def read(self, count: int) -> list[Any]:
        read_response = self._connection.read_response
        replies = []
        for _ in range(count):
            try:
                replies.append(await read_response())
            except ResponseError as error:
                replies.append(error)
        return replies

    async def close(self, broken: bool) -> None:
        connection, self._connection = self._connection, None
        try:
            if broken:
                await connection.disconnect()
        finally:
            await self._pool.release(connection)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def elsewhere(self, model: Any, flow: Flow[Any]) -> Any:
        return await self._executor_of(model).run(flow)
