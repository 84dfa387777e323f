"""A reader in a process of its own: ``reader.py CONNECTION``, beside something that others do.

The rule: it asks one small query after the other with plain redis-py, the same beside every
subject, until standard input ends; then it prints how long it waited. How much longer than asked
for its pauses came out is this machine's doing, and a measure of how far to trust the rest. It runs
before other processes where the operating system lets it, so as to wait for the server only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

__all__ = ('Reader',)

PAUSE = 0.0005


class Reader:
    """The process, seen from outside; a context manager, ``waits`` being known at its end."""

    def __init__(self, connection: dict[str, Any]) -> None:
        self._command = [sys.executable, __file__, json.dumps(connection)]
        self.waits: dict[str, float] = {}

    def __enter__(self) -> Reader:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self._process.stdout.readline()  # it reads now
        return self

    def __exit__(self, *error: object) -> None:
        answer, _ = self._process.communicate()
        self.waits = json.loads(answer or '{}')


def _read(client: Any, over: threading.Event) -> dict[str, float]:
    waits, pauses = [], []
    while not over.is_set():
        began = time.perf_counter()
        client.get('benchmarks:reader')
        waits.append(time.perf_counter() - began)
        began = time.perf_counter()
        time.sleep(PAUSE)
        pauses.append(time.perf_counter() - began - PAUSE)
    return {'queries': len(waits), 'longest': max(waits) * 1000, 'machine': max(pauses) * 1000}


def main() -> None:
    """Read until standard input ends."""
    import redis

    client = redis.Redis(**json.loads(sys.argv[1]))
    client.get('benchmarks:reader')
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    print('reading', flush=True)
    print(json.dumps(_read(client, over)))


if __name__ == '__main__':
    main()
