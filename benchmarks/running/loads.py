"""Load subjects in turns with questions of many clients."""

import statistics
from typing import NamedTuple

from ..machine import cpu_seconds
from ..results import Result
from .processes import Process
from .turns import take_turns

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
) -> Result:
    """Return questions a second, with waits and CPU; work and unit are for the caller to name.

    :param numbers: to ask for; the same for all subjects and in all rounds
    :param seconds: how long a subject works in a round, at least once through the numbers
    """
    by_name = {subject.name: subject for subject in subjects}
    passes = dict.fromkeys(by_name, 1)

    def once(name: str) -> dict[str, float]:
        return _load(shape, by_name[name], numbers * passes[name])

    for _ in range(WARM_UP):
        for name in by_name:
            passes[name] = max(1, round(seconds * once(name)['throughput'] / len(numbers)))
    samples = take_turns(list(by_name), lambda name: rounds, once, warm_up=0)
    _, *more = samples[subjects[0].name][0]
    return Result(
        shape.name,
        'questions/s',
        {name: [each['throughput'] for each in loads] for name, loads in samples.items()},
        {
            heading: {name: [each[heading] for each in loads] for name, loads in samples.items()}
            for heading in more
        },
        higher_is_better=True,
    )


def _load(shape: Shape, subject: Loaded, numbers: list[int]) -> dict[str, float]:
    team = subject.team[: shape.processes]
    before = cpu_seconds(subject.server) if subject.server else 0.0
    for start, process in enumerate(team):
        process.send('load', subject.question, shape.clients, numbers[start :: len(team)])
    loads = [process.receive() for process in team]
    worked = sum(load['cpu'] for load in loads)
    worked += cpu_seconds(subject.server) - before if subject.server else 0.0
    times = sorted(1000 * time for load in loads for time in load['times'])
    return {
        'throughput': len(times) / max(load['seconds'] for load in loads),
        'ms': statistics.median(times),
        'ms, p99': times[int(0.99 * len(times))],
        'us of CPU': worked / len(times) * 1e6,
    }
