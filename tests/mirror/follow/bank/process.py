"""A follower of the bank in a process of its own, which can be killed.

The rule: it is what a user runs, but that its locks and pauses are short. Run as a program, this
is the other end.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from faults.writers.workers import wait_until

import IndexedRedis
from IndexedRedis.mirror.follow import loop

LOCK_SECONDS = 1.0
ENV = 'BANK'


class Process:
    """A follower; it runs until it is stopped or killed.

    :param url: of the database
    :param params: connection parameters of Redis
    :param folder: for its log
    :param naive: the way in which it is wrong, one of ``naive.py``
    """

    def __init__(self, url: str, params: dict[str, Any], folder: Path, naive: str = '') -> None:
        self._config = json.dumps([url, params, naive])
        self._log = folder / 'follower.log'
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0

    def start(self) -> Process:
        """Run it, once more if it ran before."""
        path = os.pathsep.join(filter(None, sys.path))
        self.listen()
        with self._log.open('ab') as log:
            self._process = subprocess.Popen(
                [sys.executable, '-m', 'mirror.follow.bank.process'],
                env={**os.environ, 'PYTHONPATH': path, ENV: self._config},
                stdout=log,
                stderr=log,
            )
        return self

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process
        assert self._process.poll() is None, self.log()
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it by SIGKILL.

        :raises AssertionError: if it had ended by itself
        """
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        """End it as systemd does.

        :raises AssertionError: if it does not end well
        """
        self.signal(signal.SIGTERM)
        assert self.wait() == 0, self.log()

    def listen(self) -> Process:
        """Forget what it said so far."""
        self._begun = len(self.log(whole=True))
        return self

    def wait(self) -> int:
        """Wait for its end; return the exit status."""
        assert self._process
        return self._process.wait(60)

    def log(self, whole: bool = False) -> str:
        """What it said since :meth:`listen`, or at all."""
        text = self._log.read_text('utf-8') if self._log.exists() else ''
        return text if whole else text[self._begun :]

    def says(self, text: str) -> None:
        """Wait until its log has a text."""
        wait_until(lambda: text in self.log() or not self.runs)
        assert text in self.log(), self.log()

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Follow until SIGTERM."""
    from mirror.follow.bank.naive import WAYS
    from mirror.follow.bank.tables import mirror_of

    url, params, naive = json.loads(os.environ[ENV])
    rules = {}
    if naive:
        WAYS[naive]()
        rules['dangling'] = 'null'  # what else would end it
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    loop.FOLLOWER_LOCK_SECONDS, loop.LONGEST_PAUSE = LOCK_SECONDS, 0.5
    IndexedRedis.setDefaultRedisConnectionParams(params)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=stop.set).start())
    mirror_of(url, **rules).follow(stop, prepare=True)


if __name__ == '__main__':
    main()
