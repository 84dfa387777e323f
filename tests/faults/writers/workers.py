"""Other processes, which write at the same time and can be killed. The rule: a worker does one
named job of ``jobs.py`` at a time, in a child of its own, and reports what came of it.

    with Worker(params) as worker:
        worker.start('update', pks=[1, 2], rounds=100)
        counts = worker.result()         # None if the child was killed
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from faults.item import Item

# Processes that no test uses now. A job leaves nothing behind in its process.
_idle: list[subprocess.Popen[bytes]] = []


class Worker:
    """One process that forks a child for each job, so that a job begins within milliseconds."""

    def __init__(self, params: dict[str, Any]):
        self._params = params
        self._process = _idle.pop() if _idle else _new_process()
        self._child = 0
        self._started = threading.Event()

    def start(self, job: str, **args: Any) -> None:
        """Begin a job."""
        assert self._process.stdin
        self._started.clear()
        line = json.dumps([self._params, job, args, [*Item.SORTED_FIELDS]])
        self._process.stdin.write(line.encode() + b'\n')
        self._process.stdin.flush()
        self._child = self._line()
        self._started.set()

    def signal(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, kill -9 if nothing is said, to the child that does the job."""
        assert self._started.wait(10)
        assert self._child, 'it does no job'  # 0 would be this process and its group
        os.kill(self._child, number)

    def result(self) -> Any:
        """Wait for the end of the job; what it returned, or None if it was killed."""
        outcome = self.outcome()
        if outcome['killed']:
            return None
        assert outcome['error'] is None, outcome['error']
        return outcome['result']

    def outcome(self) -> Any:
        """Wait for the end of the job; its `result`, its `error`, whether it was `killed`."""
        outcome = self._line()
        self._child = 0
        return outcome

    def _line(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, 'the worker itself died'
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._child:  # nobody waited for its end
            _end(self._process)
        else:
            _idle.append(self._process)


def _new_process() -> subprocess.Popen[bytes]:
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    command, pipe = [sys.executable, '-m', 'faults.writers.jobs'], subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    assert process.stdout
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stdout.close()
    process.kill()
    process.wait()


@atexit.register
def _end_all() -> None:
    while _idle:
        _end(_idle.pop())


def wait_until(happened: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for what comes soon, and not for ever."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f'it did not happen within {seconds} s'
        time.sleep(0.001)


@contextlib.contextmanager
def crew(params: dict[str, Any], count: int) -> Iterator[list[Worker]]:
    """Several workers."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Worker(params)) for _ in range(count)]


def together(
    workers: list[Worker],
    *jobs: tuple[str, dict[str, Any]],
    enough: dict[str, int],
    seconds: float = 0.25,
) -> Counter[str]:
    """Have each worker do its job at the same time, again and again until all of `enough` has
    happened; returns how often what happened.

    A busy machine needs more rounds than an idle one; too many of them are an error.

    :param seconds: how long a round is
    """
    counts: Counter[str] = Counter()
    for _ in range(240):
        for worker, (job, args) in zip(workers, jobs, strict=True):
            worker.start(job, seconds=seconds, **args)
        for worker in workers:
            counts += Counter(worker.result())
        if all(counts[what] >= least for what, least in enough.items()):
            return counts
    raise AssertionError(f'too little happened to mean anything: {counts}')
