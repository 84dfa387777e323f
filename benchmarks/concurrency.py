"""``python -m benchmarks.concurrency``: many small queries at a time, asyncio and threads.

The rule: each subject runs in a process of its own with the same load generator and 16 connections,
over the same keys; they take turns, and what is shown are ratios of runs that followed each other.
They are only timed if all give the same answers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import redis

from IndexedRedis import embedded

from .concurrency_603 import NotInstalled, interpreter
from .concurrency_worker import CONNECTIONS, artist, model
from .data import rows

OURS = 'asyncio'
NAMES = {
    'asyncio': 'this library, asyncio',
    'threads': 'this library, threads',
    'by hand': 'redis.asyncio by hand',
    '6.0.3': '6.0.3, threads',
}
CLIENTS = (1, 4, 16, 64, 256)
QUERIES = {'filter': 'filter(artist=...): 10 rows', 'get': 'get(pk)'}
ARTISTS = 200
# What is measured; whether more of it is better; how it is shown.
FIGURES = {
    'throughput': (True, '{:8,.0f}/s'),
    'p99': (False, '{:8.2f} ms'),
    'cpu': (False, '{:8.0f} us'),
}
HEAD = 'clients  subject                 throughput         p99   client CPU   ratios: throughput'
Loads = dict[str, list[list[float]]]


class Subject:
    """A worker process."""

    def __init__(self, name: str, port: int, python: Path | None = None) -> None:
        worker = Path(__file__).with_name('concurrency_worker.py')
        # 6.0.3 must not find us, who have the same name; the others must.
        command = [str(python), '-I'] if python else [sys.executable]
        home = str(worker.parent.parent)
        self.name = name
        self._process = subprocess.Popen(
            [*command, str(worker), name, str(port)],
            env={**os.environ, 'PYTHONPATH': home},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *command: Any) -> Any:
        """Have a command done, and return the answer."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(command) + '\n')
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f'{NAMES[self.name]}: the worker ended')
        return json.loads(line)

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


def fill(params: dict[str, Any]) -> None:
    """Two thousand tracks, ten of each artist, under the pks from 1."""
    track = model(params)
    tracks = rows(10 * ARTISTS)
    for number, row in enumerate(tracks):
        row['artist'] = artist(number // 10)
    track.reset([track(**row) for row in tracks])


def check_answers(subjects: list[Subject]) -> None:
    """Make sure that all subjects do the same work."""
    for query in QUERIES:
        answers = [subject.ask('answers', query, list(range(1, 50))) for subject in subjects]
        if any(answer != answers[0] for answer in answers) or not all(answers[0]):
            raise SystemExit(f'{query}: the subjects gave different answers')


def measure(subjects: list[Subject], query: str, clients: int, count: int, repeat: int) -> Loads:
    """Load the subjects in turn; the first round warms up."""
    loads: Loads = {subject.name: [] for subject in subjects}
    for repetition in range(repeat + 1):
        numbers = [random.randrange(1, ARTISTS) for _ in range(count)]
        for subject in subjects:
            load = subject.ask('load', query, clients, numbers)
            if repetition:
                loads[subject.name].append(load)
    return loads


def summary(loads: Loads) -> dict[str, dict[str, Any]]:
    """For each subject and figure the median, and how many times as good asyncio is."""
    columns = {name: list(zip(*each, strict=True)) for name, each in loads.items()}
    return {
        name: {
            figure: {'median': statistics.median(theirs), 'ratio': ratio(more, ours, theirs)}
            for (figure, (more, _)), ours, theirs in zip(
                FIGURES.items(), columns[OURS], columns[name], strict=True
            )
        }
        for name in loads
    }


def ratio(more: bool, ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Median of the ratios of the same round, and the quarter marks around it."""
    pairs = zip(ours, theirs, strict=True)
    each = [mine / other if more else other / mine for mine, other in pairs]
    return dict(zip(('low', 'median', 'high'), statistics.quantiles(each, n=4), strict=True))


def show(clients: int, summed: dict[str, dict[str, Any]]) -> None:
    """One line for each subject."""
    for name, figures in summed.items():
        line = f'{clients if name == OURS else "":7}  {NAMES[name]:22}'
        for figure, (_, layout) in FIGURES.items():
            line += ' ' + layout.format(figures[figure]['median'])
        if name != OURS:
            for figure in FIGURES:
                line += '   {median:5.2f} ({low:.2f}-{high:.2f})'.format(**figures[figure]['ratio'])
        print(line, flush=True)


def start(stack: ExitStack, port: int) -> list[Subject]:
    """The worker processes, which end with the stack."""
    pythons: dict[str, Path | None] = dict.fromkeys(NAMES)
    try:
        pythons['6.0.3'] = interpreter()
    except NotInstalled as exc:
        print(f'6.0.3 could not be installed, so it is left out: {exc}\n')
        del pythons['6.0.3']
    subjects = [Subject(name, port, python) for name, python in pythons.items()]
    for subject in subjects:
        stack.callback(subject.stop)
    return subjects


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.concurrency', description=__doc__)
    parser.add_argument('--quick', action='store_true', help='fewer and shorter repetitions')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write every measurement there')
    options = parser.parse_args()
    count, repeat = (300, 3) if options.quick else (600, 15)
    results: dict[str, Any] = {'python': platform.python_version(), 'redis-py': redis.__version__}
    with ExitStack() as stack:
        server = stack.enter_context(embedded.start())
        fill(server.params)
        subjects = start(stack, server.params['port'])
        check_answers(subjects)
        print(f'Python {platform.python_version()}, redis-py {redis.__version__},', end=' ')
        print(f'{os.cpu_count()} cores, {CONNECTIONS} connections each.')
        print(f'Medians of {repeat} rounds of {count} queries. Ratios say how many times as good')
        print('this library is on asyncio, with the quarter marks of the rounds.')
        for query, title in QUERIES.items():
            print(f'\n{title}\n{HEAD}, p99, CPU')
            for clients in CLIENTS:
                loads = measure(subjects, query, clients, count, repeat)
                summed = summary(loads)
                show(clients, summed)
                results.setdefault(query, {})[clients] = {'summary': summed, 'rounds': loads}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + '\n', 'utf-8')


if __name__ == '__main__':
    main()
