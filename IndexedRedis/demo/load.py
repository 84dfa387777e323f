"""Measure all systems: one client with one question after the other, then 16 clients at a time.

The rule: what is measured is shown, and only systems that give the same pages are compared.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from . import data
from .crew import Crew
from .questions import QUESTIONS, Page, Question
from .reader import Got, percentile
from .systems import Pages, System

RUNS = 15  # of a question by one client; the median is shown
CHECKED = 10  # further values of each question that all systems must answer alike
TURNS, TURN_SECONDS = 4, 0.5  # of each system, so that all meet what else the machine does
SOON = 0.05  # until all processes have read the command


@dataclass(frozen=True)
class Answer:
    """The answer to a question.

    :param page: the lines, of the first system
    :param times: the median seconds of one client, by system
    :param different: the systems that gave other lines, for this value or another
    """

    question: Question
    page: Page
    times: Mapping[str, float]
    different: Sequence[str] = ()


@dataclass(frozen=True)
class Load:
    """What the clients got from a system.

    :param pages: how many pages
    :param rate: pages a second
    :param median: the seconds that half of the pages took at most
    :param p99: the seconds that 99 of 100 pages took at most
    """

    system: str
    pages: int
    rate: float
    median: float
    p99: float


def ask(
    question: Question, systems: Mapping[str, Pages], values: Sequence[Any], runs: int = RUNS
) -> Answer:
    """Ask all systems in turn, and compare what they give.

    :param systems: the pages of each, by name
    :param values: what can be asked for; a few of them are compared too
    """
    asks: dict[str, Callable[[Any], Page]] = {
        name: getattr(pages, question.name) for name, pages in systems.items()
    }
    more = random.Random(data.SEED).choices(values, k=CHECKED)
    answers = {name: [call(value) for value in more] for name, call in asks.items()}
    times: dict[str, list[float]] = {name: [] for name in asks}
    for _ in range(runs):
        for name, call in asks.items():
            start = perf_counter()
            page = call(question.example)
            times[name].append(perf_counter() - start)
            answers[name].append(page)
    first = next(iter(answers.values()))
    different = [name for name, pages in answers.items() if pages != first]
    return Answer(
        question, first[-1], {name: median(each) for name, each in times.items()}, different
    )


def ask_all(systems: Sequence[System], values: Mapping[str, list[Any]]) -> list[Answer]:
    """Ask all questions of all systems, with one client."""
    with ExitStack() as stack:
        pages = {system.name: system.open(stack) for system in systems}
        return [ask(question, pages, values[question.name]) for question in QUESTIONS]


def load(
    crew: Crew,
    systems: Sequence[System],
    values: Mapping[str, list[Any]],
    turns: int = TURNS,
    advance: Callable[[], object] = lambda: None,
) -> list[Load]:
    """Have the crew make pages of each system, in turns, after a warm-up.

    :param values: what to ask for, by the name of the question
    :param turns: how many turns each system has
    :param advance: called after each turn
    """
    crew.do('know', values)
    got: dict[str, list[Got]] = {system.name: [] for system in systems}
    seconds = dict.fromkeys(got, 0.0)
    for turn in range(-1, turns):  # the first is the warm-up
        for system in systems:
            crew.do('use', system)
            begin = perf_counter() + SOON
            part = [each for some in crew.do('load', begin, TURN_SECONDS) for each in some]
            if turn >= 0:
                got[system.name] += part
                seconds[system.name] += max(when for when, _, _ in part) - begin
            advance()
    return [_load(name, pages, seconds[name]) for name, pages in got.items()]


def _load(system: str, got: Sequence[Got], seconds: float) -> Load:
    times = [took for _, took, _ in got]
    return Load(
        system=system,
        pages=len(got),
        rate=len(got) / seconds,
        median=median(times),
        p99=percentile(times, 0.99),
    )
