"""Rounds in which all subjects take their turn at the same pages.

The rule: the pages, and so the artists, are the same for all subjects and in all rounds; fast
subjects make them several times.
"""

from __future__ import annotations

import statistics
from typing import NamedTuple

from ..results import Result, figure
from . import cpu
from .subjects import Subject

__all__ = ('SHAPES', 'UNITS', 'Shape', 'check_answers', 'measure')

AIM = 7.0
# How long a subject works in a round, at least once through the pages: short ones are all chance.
SECONDS = 0.5
# Rounds that do not count: after the first one, what can be remembered is.
WARM_UP = 2


class Shape(NamedTuple):
    """How many clients there are: threads, or tasks of asyncio, in each of some processes."""

    name: str
    processes: int
    clients: int


SHAPES = (
    Shape('one client', 1, 1),
    Shape('8 clients in one process', 1, 8),
    Shape('32 clients in 4 processes', 4, 8),
)
# What is measured of a round, in the order of :class:`_Round`.
UNITS = ('pages/s', 'ms a page', 'ms a page, p99', 'us of CPU a page')


class _Round(NamedTuple):
    """What one subject did in one round; the CPU is that of clients and server together."""

    throughput: float
    middle: float
    p99: float
    cpu: float


def check_answers(subjects: list[Subject], artists: list[int]) -> list[list[str]]:
    """Make sure that all subjects make exactly the same pages, and return those."""
    expected: list[list[str]] = []
    for subject in subjects:
        (pages,) = subject.team.ask([['answers', subject.page, artists]])
        expected = expected or pages
        for artist, page, other in zip(artists, expected, pages, strict=True):
            if page != other or not page:
                raise SystemExit(f'{subject.name}: another page of artist {artist}: {other[:3]}')
    return expected


def measure(shape: Shape, subjects: list[Subject], artists: list[int], rounds: int) -> list[Result]:
    """Load the subjects in turn; the first rounds warm up, and tell how long the others last."""
    samples: dict[str, list[_Round]] = {subject.name: [] for subject in subjects}
    passes = dict.fromkeys(samples, 1)
    for number in range(WARM_UP + rounds):
        # None is always the one that follows a heavy one.
        turn = number % len(subjects)
        for subject in subjects[turn:] + subjects[:turn]:
            done = _round(shape, subject, artists * passes[subject.name])
            if number >= WARM_UP:
                samples[subject.name].append(done)
            else:
                passes[subject.name] = max(1, round(SECONDS * done.throughput / len(artists)))
    return _results(shape, samples)


def _round(shape: Shape, subject: Subject, artists: list[int]) -> _Round:
    shares = [artists[start :: shape.processes] for start in range(shape.processes)]
    server = subject.team.server if cpu.known() else None
    before = cpu.seconds(server) if server else 0.0
    loads = subject.team.ask([['load', subject.page, shape.clients, share] for share in shares])
    worked = sum(load['cpu'] for load in loads)
    worked += cpu.seconds(server) - before if server else 0.0
    times = sorted(time * 1000 for load in loads for time in load['times'])
    count = len(times)
    seconds = max(load['seconds'] for load in loads)
    middle, p99 = statistics.median(times), times[int(0.99 * count)]
    return _Round(count / seconds, middle, p99, worked / count * 1e6)


def _results(shape: Shape, samples: dict[str, list[_Round]]) -> list[Result]:
    work = f"a page of one artist's tracks, {shape.name}"
    # What 6.0.3 claimed was said of an ORM over a database server.
    aims = {name: AIM for name in samples if name.startswith('MariaDB, ORM')}
    return [
        Result(
            work,
            unit,
            {name: figure([each[at] for each in found]) for name, found in samples.items()},
            aims if unit == 'pages/s' else {},
            higher_is_better=unit == 'pages/s',
        )
        for at, unit in enumerate(UNITS)
        if cpu.known() or 'CPU' not in unit
    ]
