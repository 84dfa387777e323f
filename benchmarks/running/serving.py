"""Carry out commands in the process of a subject; all subjects are timed by the same lines.

A command is a line of JSON on standard input, ``[method of Worker, arguments]``; the answer is one
on standard output.
"""

import asyncio
import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from . import loading, profiling
from .reader import Reader
from .work import Job, Work


class Worker:
    """The commands, on what a module serves.

    :param served: an object with some of: ``works(group)``; ``questions`` by name; ``connection``
        and ``client`` of the Redis server; methods that are commands too
    """

    def __init__(self, served: Any) -> None:
        self.served = served
        self.loop = asyncio.new_event_loop()
        self._works: dict[str, Work] = {}

    def works(self, group: str) -> list[dict[str, Any]]:
        """Return the works of a group that the subject can do."""
        works = list(self.served.works(group))
        self._works |= {work.name: work for work in works}
        return [asdict(replace(work, prepare=None)) for work in works]

    def sample(self, work: str) -> dict[str, Any]:
        """Return the seconds of a work, those of the client's CPU, and the longest command."""
        return self._timed(self._job(work))

    def value(self, work: str) -> dict[str, Any]:
        """Return what a work returns."""
        return {'main': self._job(work).run()}

    def beside(self, work: str) -> dict[str, Any]:
        """Return the longest wait of a reader beside a work, and beside nothing."""
        job = self._job(work)
        with Reader(self.served.connection) as reader:
            time.sleep(self.served.sizes.quiet)
            alone = reader.waits()
            sample = self._timed(job)
            waits = reader.waits()
        more = {
            'above quiet, ms': 1000 * (waits['longest'] - alone['longest']),
            'quiet, ms': 1000 * alone['longest'],
            'p99, ms': 1000 * waits['p99'],
            'pauses, ms': 1000 * waits['pauses'],
            'took, ms': 1000 * sample['main'],
        }
        return {**sample, 'main': waits['longest'], 'more': {**more, **sample['more']}}

    def answer(self, work: str) -> Any:
        """Return what comes of a work, to be compared."""
        job = self._job(work)
        return plain(job.answer(job.run()))

    def profile(self, work: str, seconds: float) -> dict[str, Any]:
        """Return where the time of a work goes."""
        return profiling.profile(lambda: self._job(work).run, self.served.client, seconds)

    def load(self, question: str, clients: int, numbers: list[int]) -> dict[str, Any]:
        """Have clients ask for all numbers; return what it took."""
        return loading.load(self.loop, self.served.questions[question], clients, numbers)

    def answers(self, question: str, numbers: list[int]) -> list[Any]:
        """Return the answer for each number."""
        ask = self.served.questions[question]
        if asyncio.iscoroutinefunction(ask):
            return [plain(self.loop.run_until_complete(ask(number))) for number in numbers]
        return [plain(ask(number)) for number in numbers]

    def _job(self, work: str) -> Job:
        prepare = self._works[work].prepare
        assert prepare
        return prepare()

    def _timed(self, job: Job) -> dict[str, Any]:
        self.served.client.config_resetstat()
        gc.collect()
        cpu, began = _cpu_seconds(), time.perf_counter()
        returned = job.run()
        seconds, used = time.perf_counter() - began, _cpu_seconds() - cpu
        longest = profiling.longest_command(self.served.client)
        more = job.more(returned, seconds)
        return {'main': seconds, 'cpu': used, 'longest': longest, 'more': more}


def serve(module: str, config: dict[str, Any]) -> None:
    """Serve ``module.serve(**config)`` until standard input ends."""
    served = importlib.import_module(module).serve(**config)
    worker = Worker(served)
    answers, sys.stdout = sys.stdout, sys.stderr  # a subject may print
    for line in sys.stdin:
        name, *args = json.loads(line)
        command = getattr(worker, name, None) or getattr(served, name)
        print(json.dumps(command(*args)), file=answers, flush=True)


def plain(answer: Any) -> Any:
    """Return an answer as it is compared: nulls of any kind are None, and rows are sorted.

    Lines of text keep their order.
    """
    if isinstance(answer, tuple):
        return [None if type(value).__name__ == 'IRNullType' else value for value in answer]
    if not isinstance(answer, Iterable) or isinstance(answer, str):
        return answer
    parts = [plain(each) for each in answer]
    return parts if isinstance(next(iter(parts), ''), str) else sorted(parts, key=repr)


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of the commands it ran."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system
