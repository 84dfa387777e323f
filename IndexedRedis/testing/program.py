"""A server program of this machine, run for the tests.

The rule: as the embedded server, it ends with the process that started it, even after SIGKILL.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import redis

from ..embedded.home import Home
from ..embedded.process import HOST, free_port, process_at, tie_to_us
from ..errors import EmbeddedServerError

__all__ = ('Program',)

PORT_ATTEMPTS = 5
START_SECONDS = 30.0
STOP_SECONDS = 30.0
LOG_LINES = 12  # shown of the log of a server that did not start


class Program:
    """A running server without data on disk.

    :param path: the program, of Redis or Valkey
    :raises EmbeddedServerError: if it did not start; the message shows the end of its log
    """

    def __init__(self, path: str) -> None:
        self._home = Home(None)
        try:
            self._process, self._port = self._start(path)
        except BaseException:
            self._home.give_up()
            raise
        self._lifeline = tie_to_us(self._process.pid, self._home)

    @property
    def params(self) -> dict[str, Any]:
        """The connection parameters, a new dict each time."""
        return {'host': HOST, 'port': self._port, 'db': 0}

    def stop(self) -> None:
        """Stop the server and remove its files."""
        _end(self._process)
        self._lifeline.kill()  # the watcher last, so that the server is never unwatched
        self._lifeline.communicate()
        self._home.give_up()

    def _start(self, path: str) -> tuple[subprocess.Popen[bytes], int]:
        for _ in range(PORT_ATTEMPTS):  # a stranger may take the port first
            port = free_port(0) or 0
            process = self._launch(path, port)
            if self._answers(process, port):
                return process, port
            _end(process)
        log = self._home.folder / 'valkey.log'
        lines = log.read_text(errors='replace').splitlines() if log.exists() else []
        end = ''.join(f'\n    {line}' for line in lines[-LOG_LINES:])
        raise EmbeddedServerError(f'{path} did not start; its log ends:{end or " (empty)"}')

    def _launch(self, path: str, port: int) -> subprocess.Popen[bytes]:
        # The lifeline of the embedded server expects these file names.
        files = {
            '--dir': str(self._home.folder),
            '--pidfile': str(self._home.folder / 'valkey.pid'),
            '--logfile': str(self._home.folder / 'valkey.log'),
        }
        options = [word for option in files.items() for word in option]
        return subprocess.Popen(
            [path, '--bind', HOST, '--port', str(port), '--save', '', *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches pytest, which ends the server in order
        )

    def _answers(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """Wait for a reply; return whether it is from our process, not from a stranger."""
        folder: Path = self._home.folder
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            try:
                return process_at(port, folder) == process.pid
            except (redis.RedisError, OSError):
                time.sleep(0.01)
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
