"""Decide which task gets the next connection: tasks are served in the order of their requests.

The pools of redis-py let a task take the connection again that it has just given back, before the
waiting tasks. So a busy task may keep the others waiting for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque

from ..errors import PoolExhaustedError

__all__ = ('ConnectionTurns',)


class ConnectionTurns:
    """Turns for the connections of a pool.

    Rule: it keeps the set of holders, so giving a turn back twice, or one that was never taken,
    changes nothing.

    :param size: number of connections
    :param patience: seconds to wait for a turn
    """

    def __init__(self, size: int, patience: float) -> None:
        self._size = size
        self.patience = patience
        self._holders: set[int] = set()
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        #: how many tasks had to wait so far
        self.waits = 0

    @property
    def idle(self) -> bool:
        """Whether no task has a turn."""
        return not self._holders

    @property
    def waiting(self) -> int:
        """How many tasks wait now."""
        return sum(not turn.done() for _, turn in self._waiting)

    async def take(self, holder: int, patience: float | None = None) -> None:
        """Wait for a turn. The caller has to call :meth:`leave` in the end, even after an error.

        :param patience: seconds to wait; None means those of the pool
        :raises PoolExhaustedError: if the turn does not come in time
        """
        if len(self._holders) < self._size:
            self._holders.add(holder)
            return
        self.waits += 1
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        seconds = self.patience if patience is None else patience
        alarm = loop.call_later(seconds, _give_up, turn)
        try:
            self._waiting.append((holder, turn))
            await turn
        finally:
            turn.cancel()  # if this wait was interrupted
            alarm.cancel()

    def leave(self, holder: int) -> None:
        """Give a turn back: hand it to the task that waits longest."""
        self._holders.discard(holder)
        while self._waiting and len(self._holders) < self._size:
            next_holder, turn = self._waiting[0]
            if not turn.done():
                self._holders.add(next_holder)
                turn.set_result(None)
            self._waiting.popleft()


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(PoolExhaustedError())
