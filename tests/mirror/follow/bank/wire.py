"""A wire to a server that can be frozen, or cut. The rule: it passes bytes on, whatever
they are."""

from __future__ import annotations

import contextlib
import socket
import threading


class Wire:
    """Listens on a port of its own, and connects each client to a port of this machine.

    :param port: of the server
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._sockets: set[socket.socket] = set()
        self._start(self._accept)

    def freeze(self) -> None:
        """Pass nothing on; connections stay open, and new ones get no answer."""
        self._open.clear()

    def thaw(self) -> None:
        """Pass on what has come meanwhile, and all that comes."""
        self._open.set()

    def cut(self) -> None:
        """Close all connections."""
        for each in [*self._sockets]:
            _close(each)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *error: object) -> None:
        _close(self._listener)
        self.cut()
        self.thaw()

    def _start(self, *what: object) -> None:
        run, *args = what
        threading.Thread(target=run, args=args, daemon=True).start()  # type: ignore[arg-type]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(('127.0.0.1', self._target))
        except OSError:  # the server is down
            _close(client)
            return
        self._sockets |= {client, server}
        for source, target in ((client, server), (server, client)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(self._pass_on, source, target)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
        for each in (source, target):
            _close(each)
            self._sockets.discard(each)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
