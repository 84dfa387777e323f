"""Carry out commands in the process of a subject; all subjects are timed by the same lines.

A command is a line of JSON on standard input, ``[method of Worker, arguments]``; the answer is one
on standard output.
"""

import cProfile
import gc
import importlib
import io
import json
import pstats
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from .. import floor
from ..machine import own_seconds
from .work import Served, Work

MEASURING = {'info', 'config|resetstat', 'config|set', 'flushdb', 'ping'}  # commands of ours
FUNCTIONS = 25  # in a profile


class Worker:
    """The commands, on what a module serves; its own methods are commands too."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self._works: dict[tuple[str, str], Work] = {}

    def works(self, group: str) -> list[dict[str, Any]]:
        """Return the works of a group that the subject can do."""
        works = list(self.served.works(group))
        self._works |= {(work.name, work.way): work for work in works}
        return [asdict(replace(work, prepare=None)) for work in works]

    def prepare(self, work: str, way: str) -> None:
        """Prepare a work, for one of the next four commands."""
        prepare = self._works[work, way].prepare
        assert prepare
        self._job = prepare()

    def sample(self) -> dict[str, Any]:
        """Return the seconds of the work, those of CPU, and the longest command."""
        client = self.served.client
        client.config_resetstat()
        gc.collect()
        server, cpu = self.served.server_seconds(), own_seconds()
        began = time.perf_counter()
        returned = self._job.run()
        seconds, used = time.perf_counter() - began, own_seconds() - cpu
        return {
            'main': seconds,
            'cpu': {'client CPU': used, 'server CPU': self.served.server_seconds() - server},
            'longest': self._longest_command(),
            'more': self._job.more(returned, seconds),
        }

    def floor(self) -> float | None:
        """Return the seconds of the same bytes over a bare socket; None if they differ."""
        return floor.measure(self._job.run, self.served.connection)

    def value(self) -> dict[str, Any]:
        """Return the sample that the work returns."""
        sample: dict[str, Any] = self._job.run()
        return sample

    def keeps_nulls(self) -> bool:
        """Return whether the subject tells a null from '' and 0."""
        return self.served.keeps_nulls

    def answer(self) -> Any:
        """Return what comes of the work, to be compared."""
        return plain(self._job.answer(self._job.run()))

    def profile(self) -> str:
        """Return the commands that the work sends, and the functions that the client spends in."""
        self.served.client.config_resetstat()
        text = io.StringIO()
        with cProfile.Profile() as profiler:
            self._job.run()
        sent = {
            name.removeprefix('cmdstat_'): f'{each["calls"]} of {each["usec_per_call"]:,.1f} us'
            for name, each in self.served.client.info('commandstats').items()
        }
        print('Commands:', {name: sent[name] for name in sent.keys() - MEASURING}, file=text)
        stats = pstats.Stats(profiler, stream=text).strip_dirs().sort_stats('tottime')
        stats.print_stats(FUNCTIONS)
        return text.getvalue()

    def _longest_command(self) -> tuple[float, str]:
        """Return the longest command since CONFIG RESETSTAT: seconds on the server, and its name.

        A script is one command, and so is an EXEC with all that it carries out.
        """
        stats = self.served.client.info('latencystats')
        longest = {
            name.removeprefix('latency_percentiles_usec_'): each for name, each in stats.items()
        }
        commands = [(longest[name]['p100'] / 1e6, name) for name in longest.keys() - MEASURING]
        return max(commands, default=(0.0, 'none'))


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
