"""Who gets the next connection: tasks wait in the order in which they came.

The pools of redis-py let a task that has just given a connection back take it again before those
that wait, so that a busy task keeps others from ever getting one.
"""

from __future__ import annotations

import asyncio
from collections import deque

from ..errors import PoolExhaustedError

__all__ = ('ConnectionTurns',)


class ConnectionTurns:
    """Turns for the connections of a pool.

    Rule: what counts is who has a turn, so that giving one back twice, or for somebody who has
    none, changes nothing.

    :param size: how many connections there are
    :param patience: seconds to wait for one
    """

    def __init__(self, size: int, patience: float) -> None:
        self._size = size
        self._patience = patience
        self._holders: set[int] = set()
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def idle(self) -> bool:
        """Whether nobody has a turn."""
        return not self._holders

    async def take(self, holder: int) -> None:
        """Wait for a turn. Whatever happens, :meth:`leave` has to be called in the end.

        :raises PoolExhaustedError: if it does not come in time
        """
        if len(self._holders) < self._size:
            self._holders.add(holder)
            return
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        alarm = loop.call_later(self._patience, _give_up, turn)
        try:
            self._waiting.append((holder, turn))
            await turn
        finally:
            turn.cancel()  # nobody waits for it
            alarm.cancel()

    def leave(self, holder: int) -> None:
        """Give a turn back: hand it to whoever waits longest."""
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
