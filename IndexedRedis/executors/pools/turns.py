"""Who gets the next connection: tasks wait in the order in which they came.

The pools of redis-py let a task that has just given a connection back take it again before those
that wait, so that some wait nearly for ever where there is always work.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from redis.exceptions import ConnectionError

__all__ = ('ConnectionTurns', 'turns_of')


class ConnectionTurns:
    """Turns for the connections of a pool.

    :param size: how many connections there are
    :param patience: seconds to wait for one
    """

    def __init__(self, size: int, patience: float) -> None:
        self._size = self._free = size
        self._patience = patience
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def idle(self) -> bool:
        """Whether nobody has a connection now."""
        return self._free == self._size

    async def take(self) -> None:
        """Wait for one's turn.

        :raises ConnectionError: if it does not come in time
        """
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        alarm = loop.call_later(self._patience, _give_up, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()  # it came in the same moment
            raise
        finally:
            alarm.cancel()

    def leave(self) -> None:
        """Hand one's turn to whoever waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(ConnectionError('No connection available.'))


class _Unmanaged(ConnectionTurns):
    """For pools that users brought, which have their own ways."""

    def __init__(self) -> None:
        super().__init__(0, 0)

    async def take(self) -> None:
        pass

    def leave(self) -> None:
        pass


_UNMANAGED = _Unmanaged()


def turns_of(pool: Any) -> ConnectionTurns:
    """Return the queue before a pool."""
    turns: ConnectionTurns = getattr(pool, 'turns', _UNMANAGED)
    return turns
