"""Measure how long a second connection waits: ``reader.py CONNECTION``.

The reader sends one PING after the other. It waits wherever the server is busy, with a command, a
script or an EXEC. Its pauses, where they last longer than asked for, show the delays of the machine
itself. It runs before other processes where the operating system allows that.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

PAUSE = 0.0005  # seconds between two PINGs


class Reader:
    """The process, as a context manager."""

    def __init__(self, connection: dict[str, Any]) -> None:
        self._command = [sys.executable, __file__, json.dumps(connection)]

    def __enter__(self) -> Reader:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.waits()  # its first answer says that it reads
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def waits(self) -> dict[str, float]:
        """Return seconds since the last call: ``longest``, ``p99`` and ``pauses``."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write('\n')
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def main() -> None:
    """Print the waits since the last line of standard input at each line."""
    import redis

    client = redis.Redis(**json.loads(sys.argv[1]))
    client.ping()
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    while True:
        waits, pauses = [], []
        while not waits or not select.select([sys.stdin], [], [], 0)[0]:
            began = time.perf_counter()
            client.ping()
            answered = time.perf_counter()
            time.sleep(PAUSE)
            waits.append(answered - began)
            pauses.append(time.perf_counter() - answered - PAUSE)
        if not sys.stdin.readline():
            return
        waits.sort()
        p99 = waits[int(0.99 * len(waits))]
        summary = {'longest': waits[-1], 'p99': p99, 'pauses': max(pauses)}
        print(json.dumps(summary), flush=True)


if __name__ == '__main__':
    main()
