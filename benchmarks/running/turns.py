"""Sample subjects in turns, round by round, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..results import BEFORE, BY_HAND, US, Result
from .processes import Process
from .work import Work

T = TypeVar('T')
FAST = (US, BEFORE, BY_HAND)  # the subjects that take part in all rounds
SCALES = {'us': 1e6, 'ms': 1e3, 'bytes': 1.0}


def take_turns(
    turns: Sequence[T], rounds: Callable[[T], int], sample: Callable[[T], Any], warm_up: int = 1
) -> dict[T, list[Any]]:
    """Return the samples of each turn, in the order of the rounds.

    :param turns: what is sampled in each round; each round begins with another one
    :param rounds: how many samples of a turn count
    :param warm_up: rounds that come first and do not count
    """
    samples: dict[T, list[Any]] = {turn: [] for turn in turns}
    for number in range(-warm_up, max(map(rounds, turns))):
        first = number % len(turns)
        for turn in [*turns[first:], *turns[:first]]:
            if number < rounds(turn):
                taken = sample(turn)
                if number >= 0:
                    samples[turn].append(taken)
    return samples


def measure(works: list[Work], processes: list[Process]) -> list[Result]:
    """Sample works and subjects in turns; return a result for each work."""
    turns = [(work, process) for work in works for process in able(work, processes)]

    def rounds(turn: tuple[Work, Process]) -> int:
        work, process = turn
        return work.rounds if process.name in FAST else min(work.rounds, work.slow_rounds)

    def sample(turn: tuple[Work, Process]) -> Any:
        work, process = turn
        return process.ask(work.how, work.task, work.args)

    samples = take_turns(turns, rounds, sample, works[0].warm_up)
    return [
        result_of(work, {p.name: samples[w, p] for w, p in turns if w is work}) for work in works
    ]


def result_of(work: Work, samples: dict[str, list[dict[str, Any]]]) -> Result:
    """Return the result of a work.

    :param samples: by subject, as :class:`benchmarks.running.serving.Worker` returns them
    """
    scale = SCALES[work.unit] / work.per
    result = Result(work.name, work.unit, {})
    for name, some in samples.items():
        result.samples[name] = [scale * each['main'] for each in some]
        if 'cpu' in some[0]:
            result.more.setdefault('client CPU', {})[name] = [scale * each['cpu'] for each in some]
        for heading in some[0].get('more', ()):
            figures = [each['more'][heading] for each in some]
            result.more.setdefault(heading, {})[name] = figures
        if 'longest' in some[0]:
            longest = sorted(each['longest'] for each in some)
            seconds, command = longest[len(longest) // 2]
            result.longest[name] = (1000 * seconds, command)
    return result


def check(work: Work, processes: list[Process]) -> None:
    """Make sure that all subjects give the same answer.

    :raises SystemExit: if one does not
    """
    first, *others = able(work, processes)
    right = first.ask('answer', work.task, work.args)
    for process in others:
        answer = process.ask('answer', work.task, work.args)
        if not same(right, answer, process.ask('keeps_nulls')):
            raise SystemExit(
                f'{work.name}: {process.name} answers otherwise than {first.name}:\n'
                f'{str(answer)[:500]}\n{str(right)[:500]}'
            )


def able(work: Work, processes: list[Process]) -> list[Process]:
    """Return the subjects that have the operation."""
    return [each for each in processes if not work.needs or each.ask('can', work.needs)]


def same(right: Any, answer: Any, keeps_nulls: bool) -> bool:
    """Return whether two answers are equal.

    :param keeps_nulls: if False, a null may have become '' or 0
    """
    if keeps_nulls or not isinstance(right, list):
        return bool(right == answer)
    return sorted(map(_without_nulls, right)) == sorted(map(_without_nulls, answer))


def _without_nulls(row: list[Any]) -> list[str]:
    return ['' if value in (None, '', 0) else str(value) for value in row]
