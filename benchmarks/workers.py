"""The processes of the subjects: starting them, asking them in turn, comparing their answers.

The rule: subjects take turns in every round, so that whatever else the machine does hits all of
them; and nothing is timed of which they do not all give the same answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .cache import NotInstalled, environment
from .concurrency_603 import interpreter
from .results import BY_HAND, OLD, US, Result, figure
from .works import Work

__all__ = ('SUBJECTS', 'Worker', 'check', 'measure', 'measure_all', 'start')

SUBJECTS = (US, OLD, BY_HAND, 'rom', 'walrus')


class Worker:
    """A process that serves :mod:`benchmarks.worker`."""

    def __init__(self, name: str, connection: dict[str, Any], data: Path) -> None:
        home = Path(__file__).parent
        command = [*python_of(name), str(home / 'worker.py'), name, json.dumps(connection)]
        self.name, self.db = name, connection['db']
        self.process = subprocess.Popen(
            [*command, str(data)],
            env={**os.environ, 'PYTHONPATH': str(home.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        hello = self.ask('hello')
        self.cannot: dict[str, str] = hello['cannot']
        self.keeps_nulls: bool = hello['keeps_nulls']

    def ask(self, *command: Any) -> Any:
        """Have a command done, and return the answer."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(command) + '\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f'{self.name}: the worker ended; its last words are above')
        return json.loads(line)

    def can(self, work: Work) -> bool:
        """Whether the subject has what the work takes."""
        return work.needs not in self.cannot and work.needs.split('_')[0] not in self.cannot

    def stop(self) -> None:
        """End the process."""
        self.process.communicate()


def start(
    names: list[str], connection: dict[str, Any], data: Path
) -> tuple[list[Worker], list[str]]:
    """Start the subjects; also return a line for each that cannot be had here, and why."""
    workers, missing = [], []
    for number, name in enumerate(names):
        try:
            workers.append(Worker(name, {**connection, 'db': 2 * number}, data))
        except NotInstalled as exc:
            missing.append(f'{name} is left out: {exc}')
    return workers, missing


def python_of(name: str) -> list[str]:
    """The Python that has a subject, isolated from us where it is not our own.

    :raises NotInstalled: if it cannot be had
    """
    if name == OLD:
        return [str(interpreter()), '-I']
    if name in ('rom', 'walrus'):
        packages = ['rom==1.1.2', 'walrus==0.9.8']
        return [str(environment('rom-walrus', packages, 'import rom, walrus')), '-I']
    return [sys.executable]


def check(work: Work, workers: list[Worker]) -> None:
    """Make sure that all subjects give the same answer."""
    answers = [(each, each.ask('answer', work.task, work.args)) for each in able(work, workers)]
    (_, right) = answers[0]
    for worker, answer in answers[1:]:
        if not same(right, answer, worker.keeps_nulls):
            raise SystemExit(
                f'{work.name}: {worker.name} answers otherwise than {answers[0][0].name}:\n'
                f'{str(answer)[:500]}\n{str(right)[:500]}'
            )


def same(right: Any, answer: Any, keeps_nulls: bool = True) -> bool:
    """Whether two answers are equal, where nulls are not kept but for None being '' or 0."""
    if keeps_nulls or not isinstance(right, list):
        return bool(right == answer)
    return sorted(map(_without_nulls, right)) == sorted(map(_without_nulls, answer))


def _without_nulls(row: list[Any]) -> list[str]:
    return ['' if value in (None, '', 0) else str(value) for value in row]


def able(work: Work, workers: list[Worker]) -> list[Worker]:
    """Those that have what the work takes."""
    return [worker for worker in workers if worker.can(work)]


def measure(work: Work, workers: list[Worker]) -> Result:
    """Time the subjects in turn."""
    (result,) = measure_all([work], workers)
    return result


def measure_all(works: list[Work], workers: list[Worker]) -> list[Result]:
    """Time works and subjects in turn."""
    taken: dict[str, dict[str, list[Any]]] = {work.name: {} for work in works}
    for number in range(works[0].rounds + 1):
        for work in works:
            for worker in able(work, workers):
                if number <= work.seldom or worker.name in (US, BY_HAND):
                    sample = worker.ask('sample', work.task, work.args)
                    if number:  # the first round warms up
                        taken[work.name].setdefault(worker.name, []).append(sample)
    return [summed_up(work, taken[work.name]) for work in works]


def summed_up(work: Work, taken: dict[str, list[Any]]) -> Result:
    """A result from samples of the workers."""
    scale = 1000 / work.per
    wall, cpu, longest = {}, {}, {}
    for name, samples in taken.items():
        seconds, used, *commands = zip(*samples, strict=True)
        wall[name] = figure([scale * each for each in seconds])
        cpu[name] = figure([scale * each for each in used])
        longest[name] = _longest(*commands)
    return Result(work.name, 'ms', wall, work.aims, cpu=cpu, longest=longest)


def _longest(seconds: Any, commands: Any) -> tuple[float, str]:
    """The median round's longest command."""
    ordered = sorted(zip(seconds, commands, strict=True))
    middle, name = ordered[len(ordered) // 2]
    return middle * 1000, name
