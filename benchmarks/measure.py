"""Interleaved repetitions and their medians: machines are noisy, ratios in one run are not."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ('Case', 'Timing', 'run')


class Case(NamedTuple):
    """Some work: what to do before each repetition, what to time, how often."""

    name: str
    prepare: Callable[[Any], None]
    work: Callable[[Any], Any]
    repeat: int


class Timing(NamedTuple):
    """Milliseconds of one subject: median, and the quarter marks around it."""

    median: float
    low: float
    high: float


def run(case: Case, subjects: list[Any]) -> dict[str, Timing]:
    """Time the subjects in turn, after checking that they give the same answer."""
    times: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for repetition in range(case.repeat + 1):
        answers = []
        for subject in subjects:
            case.prepare(subject)
            gc.collect()
            began = time.perf_counter()
            answer = case.work(subject)
            elapsed = (time.perf_counter() - began) * 1000
            if repetition:  # the first one warms up
                times[subject.name].append(elapsed)
            answers.append(sorted(answer) if answer else answer)
        if any(answer != answers[0] for answer in answers):
            raise SystemExit(f'{case.name}: the subjects gave different answers')
    return {name: _timing(found) for name, found in times.items()}


def _timing(found: list[float]) -> Timing:
    low, median, high = statistics.quantiles(found, n=4)
    return Timing(median, low, high)
