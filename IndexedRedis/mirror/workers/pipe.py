"""One end of the pipe between the process of a run and a worker.

The rule: sending never waits for the other side, and receiving goes on all the time. So a process
that is stopped or frozen holds up nobody, and the end of a process is noticed at once.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any

from .messages import failure_of

__all__ = ('Pipe',)

# What the pipe raises when the other side is gone, or was killed while it sent.
_BROKEN = (EOFError, OSError)


class Pipe:
    """One end of a pipe.

    :param connection: of multiprocessing
    :param received: gets each message; of one that cannot be unpickled, a ``Failed``
    :param gone: called when the other side is gone
    """

    def __init__(
        self, connection: Any, received: Callable[[Any], Any], gone: Callable[[], Any]
    ) -> None:
        self._connection, self._received, self._gone = connection, received, gone
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._sender = Thread(target=self._send_all, daemon=True)
        self._sender.start()
        Thread(target=self._receive_all, daemon=True).start()

    def send(self, message: Any) -> None:
        """Send a message soon.

        :raises Exception: if it cannot be pickled
        """
        self._waiting.put(pickle.dumps(message))

    def finish(self, seconds: float) -> None:
        """Wait until everything is sent, at most so long; nothing can be sent after it."""
        self._waiting.put(None)
        self._sender.join(seconds)

    def _send_all(self) -> None:
        with suppress(*_BROKEN):  # the other thread notices it
            while (packed := self._waiting.get()) is not None:
                self._connection.send_bytes(packed)

    def _receive_all(self) -> None:
        while True:
            try:
                packed = self._connection.recv_bytes()
            except _BROKEN:
                self._gone()
                return
            try:
                message = pickle.loads(packed)
            except Exception as error:
                message = failure_of(error)
            self._received(message)
