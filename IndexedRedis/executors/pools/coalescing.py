"""Send small reads of concurrent tasks in one write, over one connection.

If connections are in use, a task adds its batch to a list. A round sends all batches of the list
and reads the replies in order. That saves most of the time of a small query on asyncio: borrowing a
connection, a write, waking up for a reply. Rule: only batches marked as ``shared`` come here. They
read, block the server for well under a millisecond and may be sent again. No batch waits longer for
a connection, or for a server that does not answer, than it would by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple, Protocol

from redis.exceptions import TimeoutError

from ..._core.flows import Batch
from ..errors import PoolExhaustedError
from ..wire import pack
from .turns import ConnectionTurns

__all__ = ('Coalescing',)

# Batches in one write.
BATCHES_IN_WRITE = 64
# Rounds at a time.
ROUNDS = 2

# None: the caller has to send the batch itself.
Replies = list[object] | None


class Line(Protocol):
    """The operations of a connection that a round uses."""

    async def open(self, patience: float | None = None) -> None: ...

    async def send(self, data: bytes) -> None: ...

    async def read(self, count: int) -> list[object]: ...

    async def close(self, broken: bool) -> None: ...

    async def end(self) -> None: ...


class _Waiting(NamedTuple):
    """A batch, how many replies it gets, and since when it waits."""

    data: bytes
    wanted: int
    replies: asyncio.Future[Replies]
    since: float


class Coalescing:
    """The list of batches of one pool.

    :param turns: the turns of the pool, which tell whether a connection is in use
    :param line: returns a :class:`Line` over a connection of the pool
    """

    def __init__(self, turns: ConnectionTurns, line: Callable[[], Line]) -> None:
        self._turns, self._line = turns, line
        self._waiting: list[_Waiting] = []
        self._rounds: set[asyncio.Task[None] | None] = set()

    async def exchange(self, batch: Batch) -> Replies:
        """Return the replies to a batch; None if the caller has to send it: the pool is idle, or
        the round failed.

        :raises redis.exceptions.TimeoutError: if the server did not answer in time
        :raises PoolExhaustedError: if no connection became free in time
        """
        if self._turns.idle and not self._waiting:
            return None
        loop = asyncio.get_running_loop()
        replies: asyncio.Future[Replies] = loop.create_future()
        waiting = _Waiting(pack(batch), len(batch.commands), replies, loop.time())
        self._waiting.append(waiting)
        if len(self._rounds) < ROUNDS:
            task = loop.create_task(self._work())
            self._rounds.add(task)
            task.add_done_callback(self._end)  # if it is cancelled before it begins
        return await replies

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._round()
        finally:
            # Besides the callback: a task that runs before it must see that no round works.
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
        limit = self._turns.patience
        begun = asyncio.get_running_loop().time()
        try:
            some, self._waiting = (
                self._waiting[:BATCHES_IN_WRITE],
                self._waiting[BATCHES_IN_WRITE:],
            )
            wanted = [each for each in some if not each.replies.done()]
            if wanted:
                patience = max(wanted[0].since + limit - begun, 0)
                await _answer(wanted, self._line(), patience)
        except PoolExhaustedError as error:
            late = error
            # The others came later than the first one, and get the rest of their time.
            some, young = _divided(some, max(wanted[0].since, begun - limit))
            self._waiting = sorted(young + self._waiting, key=attrgetter('since'))
        except TimeoutError as error:
            late = error
            # The next round would wait just as long for those that have waited since before.
            old, self._waiting = _divided(self._waiting, begun)
            some += old
        except Exception:  # each batch will meet it, or not, on a connection of its own
            pass
        finally:
            for each in some:
                _settle(each.replies, late)


async def _answer(some: list[_Waiting], line: Line, patience: float) -> None:
    """Send some batches together, and give each its replies.

    :param patience: seconds to wait for a connection
    """
    try:
        await line.open(patience)
        await line.send(b''.join([each.data for each in some]))
        for each in some:
            replies = await line.read(each.wanted)
            if not each.replies.done():  # it may have been cancelled
                each.replies.set_result(replies)
        await line.close(False)
    finally:
        await line.end()


def _divided(batches: list[_Waiting], moment: float) -> tuple[list[_Waiting], list[_Waiting]]:
    """Return the batches that came up to a moment, and those that came later."""
    old = [each for each in batches if each.since <= moment]
    return old, [each for each in batches if each.since > moment]


def _settle(replies: asyncio.Future[Replies], late: Exception | None) -> None:
    if replies.done():
        return
    if late is None:
        replies.set_result(None)
    elif isinstance(late, PoolExhaustedError):
        replies.set_exception(PoolExhaustedError())
    else:
        replies.set_exception(TimeoutError(*late.args))
