"""Load subjects in turns with questions of many clients."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..machine import cpu_seconds
from ..results import Result
from .process import Process
from .turns import result_of, take_turns
from .work import Work

if TYPE_CHECKING:
    from ..run import Run

WARM_UP = 2  # after the first round, what can be cached is


class Shape(NamedTuple):
    """How many clients ask: threads, or tasks of asyncio, in each of some processes."""

    name: str
    processes: int
    clients: int


class Loaded(NamedTuple):
    """A subject that answers a question.

    :param team: its equal processes
    :param server: the process of its database server, whose CPU counts too
    """

    name: str
    team: list[Process]
    question: str
    server: int | None


def ask_in_turns(
    run: Run, title: str, unit: str, subjects: list[Loaded], numbers: list[int], shapes: list[Shape]
) -> Iterator[Result]:
    """Compare the answers of the subjects, then yield the result of each shape.

    :param numbers: to ask for; the same for all subjects and in all rounds
    """
    answers = check_answers(subjects, numbers)
    for shape in shapes:
        samples = measure_load(shape, subjects, numbers, run.sizes.rounds, run.sizes.seconds)
        result = result_of(Work(f'{title}, {shape.name}', unit=unit), samples)
        result.higher_is_better = True
        asked, rows = unit.removesuffix('/s'), sum(map(len, answers))
        result.note = f'{len(answers)} {asked} of {rows:,} rows in all'
        yield result


def check_answers(subjects: list[Loaded], numbers: list[int]) -> list[list[str]]:
    """Make sure that all subjects give the same answers, and return these.

    :raises SystemExit: if one does not
    """
    expected: list[list[str]] = []
    for subject in subjects:
        answers = subject.team[0].ask('answers', subject.question, numbers)
        expected = expected or answers
        for number, right, answer in zip(numbers, expected, answers, strict=True):
            if answer != right or not answer:
                raise SystemExit(f'{subject.name} answers {number} otherwise: {answer[:3]}')
    return expected


def measure_load(
    shape: Shape, subjects: list[Loaded], numbers: list[int], rounds: int, seconds: float
) -> dict[str, list[dict]]:
    """Return the samples by subject: questions a second, and with them waits and CPU.

    :param seconds: how long a subject works in a round, at least once through the numbers
    """
    by_name = {subject.name: subject for subject in subjects}
    passes = dict.fromkeys(by_name, 1)

    def once(name: str) -> dict:
        return _load(shape, by_name[name], numbers * passes[name])

    for _ in range(WARM_UP):
        for name in by_name:
            passes[name] = max(1, round(seconds * once(name)['main'] / len(numbers)))
    return take_turns(list(by_name), lambda name: rounds, once, warm_up=0)


def _load(shape: Shape, subject: Loaded, numbers: list[int]) -> dict:
    team = subject.team[: shape.processes]
    before = cpu_seconds(subject.server) if subject.server else 0.0
    for start, process in enumerate(team):
        process.send('load', subject.question, shape.clients, numbers[start :: len(team)])
    loads = [process.receive() for process in team]
    worked = sum(load['cpu'] for load in loads)
    worked += cpu_seconds(subject.server) - before if subject.server else 0.0
    times = sorted(1000 * time for load in loads for time in load['times'])
    more = {
        'ms': statistics.median(times),
        'ms, p99': times[int(0.99 * len(times))],
        'us of CPU': worked / len(times) * 1e6,
    }
    return {'main': len(times) / max(load['seconds'] for load in loads), 'more': more}
