"""One subject in a process of its own: ``worker.py SUBJECT CONNECTION DATASET``.

The rule: this file runs in the virtual environment of the subject, so it uses only what all have,
and all subjects are timed by the same lines. It reads commands from standard input, one line of
JSON each, ``[method of Worker, arguments]``, and answers in kind.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

# At the end, so that 6.0.3 is found before us, who have the same name.
sys.path.append(str(Path(__file__).parent.parent))
import redis

from benchmarks import profiling, subjects
from benchmarks.dataset import load
from benchmarks.tasks import TASKS, Context, Job, fill, plain


class Worker:
    """The commands."""

    def __init__(self, name: str, connection: dict[str, Any], path: str) -> None:
        data = load(path)
        beside = {**connection, 'db': connection['db'] + 1}
        shelf, scratch = (subjects.make(name, each, data) for each in (connection, beside))
        self.server = redis.Redis(**beside)
        with suppress(redis.ResponseError):  # before Redis 7
            self.server.config_set('latency-tracking-info-percentiles', '100')
        self.at = Context(shelf, scratch, data, self.server.flushdb)

    def hello(self) -> dict[str, Any]:
        """What the subject cannot do, and whether it keeps nulls."""
        return {'cannot': self.at.shelf.cannot, 'keeps_nulls': self.at.shelf.keeps_nulls}

    def fill(self) -> None:
        """Store all rows, for the tasks that read."""
        fill(self.at.shelf, self.at.rows())

    def clear(self) -> None:
        """Empty the database that is written to."""
        self.server.flushdb()

    def sample(self, task: str, args: dict[str, Any]) -> tuple[float, float, float, str]:
        """Seconds that a task takes, seconds of our own CPU, and the longest command."""
        job = self._job(task, args)
        self.server.config_resetstat()
        gc.collect()
        cpu, began = time.process_time(), time.perf_counter()
        job.run()
        ended, used = time.perf_counter(), time.process_time()
        return ended - began, used - cpu, *profiling.longest_command(self.server)

    def answer(self, task: str, args: dict[str, Any]) -> Any:
        """What comes of a task."""
        job = self._job(task, args)
        return plain(job.answer(job.run()))

    def memory(self, filters: dict[str, Any]) -> float:
        """Bytes that each object of a result takes in this process, after its fields were read."""
        read = self.at.shelf.reader(self.at.names)
        list(map(read, self.at.shelf.select(filters)))  # what is made once, is made
        gc.collect()
        tracemalloc.start()
        found = list(self.at.shelf.select(filters))
        for each in found:
            read(each)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return taken / len(found)

    def profile(self, task: str, args: dict[str, Any], seconds: float) -> Any:
        """Where the time of a task goes."""
        return profiling.profile(lambda: self._job(task, args).run, self.server, seconds)

    def _job(self, task: str, args: dict[str, Any]) -> Job:
        return TASKS[task](self.at, **args)


def main() -> None:
    """Serve until standard input ends."""
    name, connection, path = sys.argv[1:]
    worker = Worker(name, json.loads(connection), path)
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever a subject prints
    for line in sys.stdin:
        method, *args = json.loads(line)
        print(json.dumps(getattr(worker, method)(*args)), file=answers, flush=True)


if __name__ == '__main__':
    main()
