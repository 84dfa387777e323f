"""A proxy before a server that breaks things at the n-th command. The rule: it passes on one
command at a time and knows its reply, so that it breaks exactly where it was told to.

    with Proxy(server.params) as proxy:
        proxy.fault(3, 'lost')  # the third command from now is carried out, but not answered
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

# What happens to the command: 'cut': the connection is closed before it reaches the server.
# 'lost': it is carried out, then the connection is closed. 'silent': it is carried out, the
# connection stays open, and no reply comes any more.
MODES = ('cut', 'lost', 'silent')
# Nothing is broken; what `then` does comes just before the command.
INTERLEAVED = 'interleaved'
# What redis-py says to a server when it connects; it is passed on and not counted.
HANDSHAKE = (b'HELLO', b'CLIENT', b'AUTH', b'SELECT')


class Proxy:
    """Listens on a port of its own; every connection has a thread."""

    def __init__(self, params: dict[str, Any]):
        self._target = params['host'], params['port']
        self._listener = socket.create_server(('127.0.0.1', 0))
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._due, self._mode, self._then = 0, '', lambda: None
        #: names of the commands that came since the last call of `fault` or `watch`
        self.commands: list[bytes] = []
        #: how many faults took place
        self.happened = 0
        #: seconds between two bytes of a reply, that of a handshake too
        self.trickle = 0.0
        self.params = {**params, 'host': '127.0.0.1', 'port': self._listener.getsockname()[1]}

    def lead_to(self, params: dict[str, Any]) -> None:
        """Lead connections that are made from now on to another server."""
        self._target = params['host'], params['port']

    def watch(self) -> None:
        """Count from now on, and break nothing."""
        self.fault(0, '')

    def fault(self, number: int, mode: str, then: Callable[[], None] = lambda: None) -> None:
        """Break at this command, counted from now, the first being 1; once.

        `then` is called when it happens, before a connection is closed; others wait meanwhile.
        """
        with self._lock:
            self._due, self._mode, self._then = number, mode, then
            self.commands = []

    def __enter__(self) -> Proxy:
        self._start(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for each in (self._listener, *sockets):
            _close(each)
        for thread in self._threads:
            thread.join()

    def _start(self, run: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:  # the server is down, which its client is to see
            _close(client)
            return
        with self._lock:
            self._sockets += [client, server]
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with (
            contextlib.suppress(OSError, EOFError, ValueError),
            client.makefile('rb') as commands,
            server.makefile('rb') as replies,
        ):
            while self._pass_on(client, server, commands, replies):
                pass
        for each in (client, server):
            _close(each)

    def _pass_on(
        self, client: socket.socket, server: socket.socket, commands: BinaryIO, replies: BinaryIO
    ) -> bool:
        """Pass one command on; returns whether the connection is to stay."""
        command = read(commands)
        mode = self._count(command)
        if mode in ('cut', INTERLEAVED):
            self._then()
        if mode == 'cut':
            return False
        server.sendall(command)
        reply = read(replies)
        if mode == 'lost':
            self._then()
            return False
        while mode == 'silent':  # a reply that is missing, followed by others, would be worse
            server.sendall(read(commands))
            read(replies)
        if self.trickle:
            for number in range(len(reply)):
                client.sendall(reply[number : number + 1])
                time.sleep(self.trickle)
        else:
            client.sendall(reply)
        return True

    def _count(self, command: bytes) -> str:
        """The mode if the fault is due at this command, else nothing."""
        name = command.split(b'\r\n')[2].upper()
        if name in HANDSHAKE:
            return ''
        with self._lock:
            self.commands.append(name)
            if len(self.commands) != self._due:
                return ''
            self.happened += 1
            return self._mode


def read(source: BinaryIO) -> bytes:
    """One command, or one reply of either protocol, as the bytes it came in."""
    line = source.readline()
    if not line.endswith(b'\r\n'):
        raise EOFError
    kind, size = line[:1], line[1:-2]
    if size == b'-1':
        return line
    if kind in b'$=!':
        return line + source.read(int(size) + 2)
    if kind in b'*~>%':
        parts = int(size) * (2 if kind == b'%' else 1)
        return line + b''.join(read(source) for _ in range(parts))
    return line


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
