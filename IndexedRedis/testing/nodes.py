"""A server process for tests: a program of this machine, on a free port, without data on disk."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..embedded.process import HOST, free_port
from ..errors import EmbeddedServerError

__all__ = ('Node',)

PORT_ATTEMPTS = 5
START_SECONDS = 30.0
REPLY_SECONDS = 5.0
BUS = 10000  # the port of the cluster bus lies so far above that of a node
LOG_LINES = 12  # shown of the log of a server that did not start


class Node:
    """A server process; groups such as :class:`Cluster` make it, start it and end it.

    :param program: the path of the program, of Redis or Valkey
    :param folder: an empty folder for its files
    :param config: lines of its configuration
    :param kind: ``cluster`` (a free port for the bus too), ``sentinel``, or nothing
    """

    host = HOST

    def __init__(self, program: str, folder: Path, config: Sequence[str], kind: str = '') -> None:
        self._program = program
        self._folder = folder
        self._log = folder / 'server.log'
        self._config = config
        #: ``cluster``, ``sentinel``, or nothing for a server on its own
        self.kind = kind
        #: the TCP port; 0 before the first start. It stays the same afterwards
        self.port = 0
        #: the process; ``None`` if none runs
        self.process: subprocess.Popen[bytes] | None = None
        #: whether the process is stopped by SIGSTOP
        self.paused = False
        #: whether it is a replica that its group cut off from its primary
        self.held = False

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return (self.host, self.port)

    @property
    def params(self) -> dict[str, Any]:
        """The connection parameters of this process alone, a new dict each time."""
        return {'host': self.host, 'port': self.port, 'db': 0}

    @property
    def live(self) -> bool:
        """Whether the process runs and is not paused."""
        return self.process is not None and self.process.poll() is None and not self.paused

    def client(self, **more: Any) -> redis.Redis:
        """Return a redis-py client of this process. It gives ``bytes`` and never retries.

        :param more: further parameters of ``redis.Redis``
        """
        params = {'socket_timeout': REPLY_SECONDS, 'retry': Retry(NoBackoff(), 0), 'protocol': 2}
        return redis.Redis(**{**self.params, **params, **more})

    def call(self, *command: Any) -> Any:
        """Send one command over a connection of its own; return the reply of redis-py."""
        with self.client() as client:
            return client.execute_command(*command)

    def launch(self) -> None:
        """Start the process. :meth:`wait_started` follows."""
        first = not self.port
        self.port = self.port or _free_port(self.kind == 'cluster')
        path = self._folder / 'server.conf'
        if first:  # later a sentinel keeps its state in this file
            lines = [f'port {self.port}', f'bind {self.host}', f'dir "{self._folder}"']
            path.write_text('\n'.join([*lines, *self._config, '']))
        (self._folder / 'dump.rdb').unlink(missing_ok=True)  # of its last full synchronization
        with self._log.open('ab') as log:
            self.process = subprocess.Popen(
                [self._program, str(path), *(['--sentinel'] if self.kind == 'sentinel' else [])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches pytest, which ends the servers
            )

    def wait_started(self, again: bool) -> None:
        """Wait until the process answers.

        :param again: choose another port if a stranger was quicker to take this one
        :raises EmbeddedServerError: if it did not start; the message shows the end of its log
        """
        for _ in range(PORT_ATTEMPTS if again else 1):
            if self._answers():
                return
            self.kill()
            if again:
                self.port = 0
                self.launch()
        self.kill()
        lines = self._log.read_text(errors='replace').splitlines()
        end = ''.join(f'\n    {line}' for line in lines[-LOG_LINES:])
        raise EmbeddedServerError(
            f'{self._program} did not start; its log ends:{end or " (empty)"}'
        )

    def kill(self) -> None:
        """End the process as a crash does (SIGKILL), paused or not."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process, self.paused = None, False

    def signal(self, number: signal.Signals) -> None:
        """Pause (SIGSTOP) or resume (SIGCONT) the process.

        :raises EmbeddedServerError: if it does not run
        """
        if self.process is None or self.process.poll() is not None:
            raise EmbeddedServerError(f'{self!r} does not run. restart() starts it.')
        self.process.send_signal(number)
        self.paused = number == signal.SIGSTOP

    def _answers(self) -> bool:
        """Wait for a reply; return whether it is from our process, not from a stranger."""
        end = time.monotonic() + START_SECONDS
        with self.client() as client:
            while time.monotonic() < end and self.process and self.process.poll() is None:
                try:
                    return bool(client.info('server')['process_id'] == self.process.pid)
                except (redis.RedisError, OSError):
                    time.sleep(0.01)
        return False

    def __repr__(self) -> str:
        state = 'paused' if self.paused else 'live' if self.live else 'not running'
        return f'<Node {self.kind or "server"} {self.host}:{self.port} {state}>'


def _free_port(bus: bool) -> int:
    """Return a free port; with a bus, one whose bus port is free too."""
    while True:
        port = free_port(0) or 0
        if not bus:
            return port
        with contextlib.suppress(OverflowError):  # no port is that high
            if free_port(port + BUS):
                return port
