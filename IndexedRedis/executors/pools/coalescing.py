"""Small reads of concurrent tasks go out in one write, over one connection.

A task that finds connections in use puts its batch on a list, and a round sends all that has
gathered and reads the replies in order. That saves most of the time of a small query on asyncio:
taking a connection, a write, waking up for a reply. Rule: only batches marked as ``shared`` come
here. They read, take the server well under a millisecond and may be sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from redis.exceptions import TimeoutError

from ..._core.flows import Batch
from ..errors import PoolExhaustedError
from ..wire import pack
from .turns import ConnectionTurns

__all__ = ('Coalescing',)

# Batches in one write.
BATCHES_IN_WRITE = 64
# Rounds that are under way at a time.
ROUNDS = 2

# None: the batch should go its own way.
Replies = list[object] | None


class Line(Protocol):
    """What a round needs of a connection."""

    async def open(self) -> None: ...

    async def send(self, data: bytes) -> None: ...

    async def read(self, count: int) -> list[object]: ...

    async def close(self, broken: bool) -> None: ...

    async def end(self) -> None: ...


class _Waiting(NamedTuple):
    data: bytes
    wanted: int
    replies: asyncio.Future[Replies]


class Coalescing:
    """The list of one pool.

    :param turns: those of the pool, which tell whether any connection is in use
    :param line: gives what talks over a connection of the pool
    """

    def __init__(self, turns: ConnectionTurns, line: Callable[[], Line]) -> None:
        self._turns, self._line = turns, line
        self._waiting: list[_Waiting] = []
        self._rounds: set[asyncio.Task[None] | None] = set()

    async def exchange(self, batch: Batch) -> Replies:
        """Return the replies to a batch; None if it should go its own way, since the pool is idle,
        or since the round failed.

        :raises redis.exceptions.TimeoutError: if the server did not answer in time
        :raises PoolExhaustedError: if no connection became free in time
        """
        if self._turns.idle and not self._waiting:
            return None
        loop = asyncio.get_running_loop()
        waiting = _Waiting(pack(batch), len(batch.commands), loop.create_future())
        self._waiting.append(waiting)
        if len(self._rounds) < ROUNDS:
            task = loop.create_task(self._work())
            self._rounds.add(task)
            task.add_done_callback(self._end)  # where it was cancelled before it began
        return await waiting.replies

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._round()
        finally:
            # Not only in the callback: a task that comes in between must see that none works.
            self._end(asyncio.current_task())

    def _end(self, task: asyncio.Task[None] | None) -> None:
        self._rounds.discard(task)
        if not self._rounds:
            for each in self._waiting:  # left by a round that was cancelled
                _settle(each.replies, None)
            self._waiting = []

    async def _round(self) -> None:
        some: list[_Waiting] = []
        late: Exception | None = None
        try:
            some, self._waiting = (
                self._waiting[:BATCHES_IN_WRITE],
                self._waiting[BATCHES_IN_WRITE:],
            )
            wanted = [each for each in some if not each.replies.done()]
            if wanted:
                await _answer(wanted, self._line())
        except (TimeoutError, PoolExhaustedError) as error:
            late = error
        except Exception:  # each batch will meet it, or not, on a connection of its own
            pass
        finally:
            for each in some:
                _settle(each.replies, late)


async def _answer(some: list[_Waiting], line: Line) -> None:
    """Send some batches together, and give each its replies."""
    try:
        await line.open()
        await line.send(b''.join([each.data for each in some]))
        for each in some:
            replies = await line.read(each.wanted)
            if not each.replies.done():  # it may have been cancelled
                each.replies.set_result(replies)
        await line.close(False)
    finally:
        await line.end()


def _settle(replies: asyncio.Future[Replies], late: Exception | None) -> None:
    if replies.done():
        return
    if late is None:
        replies.set_result(None)
    elif isinstance(late, PoolExhaustedError):
        replies.set_exception(PoolExhaustedError())
    else:
        replies.set_exception(TimeoutError(*late.args))
