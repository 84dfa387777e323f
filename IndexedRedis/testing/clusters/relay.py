"""A relay between a primary and a replica that delays replication."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from ..nodes import Node

__all__ = ('Relay',)

CHUNK = 1 << 16
# When it arrived, and what.
_Chunks = SimpleQueue[tuple[float, bytes]]


class Relay:
    """Listens for one replica, and passes on what its primary sends after a delay.

    :param primary: the node to connect to
    """

    def __init__(self, primary: Node) -> None:
        self._primary = primary
        self._listener = socket.create_server((primary.host, 0))
        self._changed = threading.Condition()
        self._delay = 0.0
        self._sockets: list[socket.socket] = [self._listener]
        _thread(self._accept)

    @property
    def port(self) -> int:
        """The port for the replica."""
        return int(self._listener.getsockname()[1])

    @property
    def delay(self) -> float:
        """Seconds from the primary to the replica; infinite: until this is changed."""
        return self._delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        with self._changed:
            self._delay = seconds
            self._changed.notify_all()

    def close(self) -> None:
        """Close all connections."""
        self.delay = 0.0
        with self._changed:
            sockets, self._sockets = self._sockets, []
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                _thread(self._serve, self._listener.accept()[0])

    def _serve(self, replica: socket.socket) -> None:
        with (
            replica,
            contextlib.suppress(OSError),  # without its primary, the replica tries again
            socket.create_connection(self._primary.address) as primary,
        ):
            with self._changed:
                self._sockets = [each for each in self._sockets if each.fileno() != -1]
                self._sockets += [replica, primary]
            arrived: _Chunks = SimpleQueue()
            threads = [
                _thread(self._receive, primary, arrived),
                _thread(_pass_back, replica, primary),
            ]
            self._send_late(arrived, replica)
            for thread in threads:
                thread.join()

    def _receive(self, primary: socket.socket, arrived: _Chunks) -> None:
        chunk = b'.'
        while chunk:
            try:
                chunk = primary.recv(CHUNK)
            except OSError:
                chunk = b''
            arrived.put((time.monotonic(), chunk))

    def _send_late(self, arrived: _Chunks, replica: socket.socket) -> None:
        """Send each chunk when it is due; the last one is empty."""
        with contextlib.suppress(OSError):
            while chunk := self._due(*arrived.get()):
                replica.sendall(chunk)
            replica.shutdown(socket.SHUT_RDWR)

    def _due(self, arrived: float, chunk: bytes) -> bytes:
        with self._changed:
            while (wait := arrived + self._delay - time.monotonic()) > 0:
                self._changed.wait(min(wait, threading.TIMEOUT_MAX))
        return chunk


def _pass_back(replica: socket.socket, primary: socket.socket) -> None:
    """Pass on at once what the replica says; end with it."""
    with contextlib.suppress(OSError):
        while chunk := replica.recv(CHUNK):
            primary.sendall(chunk)
        primary.shutdown(socket.SHUT_RDWR)


def _thread(run: Callable[..., None], *args: Any) -> threading.Thread:
    thread = threading.Thread(target=run, args=args, daemon=True)
    thread.start()
    return thread
