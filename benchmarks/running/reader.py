"""Measure how long a second connection waits: it sends one PING after the other.

A PING waits wherever the server is busy, with a command, a script or an EXEC. The reader's own
pauses, where they last longer than asked for, show the delays of the machine itself. It runs before
other processes where the operating system allows that.
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from .served import Served

PAUSE = 0.0005  # seconds between two PINGs


class Reader(Served):
    """The commands of the reader's process."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.client.ping()
        self._thread = ThreadPoolExecutor(1)
        with suppress(AttributeError, OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

    def start(self) -> None:
        """Send PINGs until :meth:`stop`."""
        self._stopping = stopping = threading.Event()
        self._read = self._thread.submit(self._waits, lambda pings: not stopping.is_set())

    def stop(self) -> dict[str, float]:
        """Return seconds since :meth:`start`, as :meth:`read` does."""
        self._stopping.set()
        return self._read.result()

    def read(self, pings: int) -> dict[str, float]:
        """Return seconds of so many PINGs: ``longest``, ``p99.9``, and of the longest pause."""
        return self._waits(lambda sent: sent < pings)

    def _waits(self, goes_on: Callable[[int], bool]) -> dict[str, float]:
        waits, pauses = [], []
        while not waits or goes_on(len(waits)):
            began = time.perf_counter()
            self.client.ping()
            answered = time.perf_counter()
            time.sleep(PAUSE)
            waits.append(answered - began)
            pauses.append(time.perf_counter() - answered - PAUSE)
        late = sorted(waits)[int(0.999 * len(waits))]
        return {'longest': max(waits), 'p99.9': late, 'pause': max(pauses), 'pings': len(waits)}


serve = Reader
