"""Sample subjects in turns, round by round, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from ..results import BEFORE, BY_HAND, FLOOR, US, Result
from .process import Process
from .work import Work

if TYPE_CHECKING:
    from ..run import Run

T = TypeVar('T')
FAST = (US, BEFORE, BY_HAND)  # the subjects that take part in all rounds
SCALES = {'us': 1e6, 'ms': 1e3}


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


def compare(run: Run, group: str, processes: list[Process]) -> Iterator[Result]:
    """Compare the answers of the subjects, then sample works in turns; yield the results.

    :param group: of the works, which the subjects list
    """
    works: dict[str, Work] = {}
    able: dict[str, list[Process]] = {}
    for process in processes:
        for plan in process.ask('works', group):
            works.setdefault(plan['name'], Work(**plan))
            able.setdefault(plan['name'], []).append(process)
    wanted = [work for work in works.values() if run.wants(work.name)]
    for _, batch in groupby(wanted, lambda work: work.turns or work.name):
        turns = [(work, process) for work in batch for process in able[work.name]]
        for work in dict(turns):
            if work.how == 'sample' and not work.turns:
                check(work, able[work.name])
        yield from _measure(run, turns)


def check(work: Work, processes: list[Process]) -> None:
    """Make sure that all subjects give the same answer.

    :raises SystemExit: if one does not
    """

    def answer_of(process: Process) -> Any:
        process.ask('prepare', work.name)
        return process.ask('answer')

    first, *others = processes
    right = answer_of(first)
    for process in others:
        answer = answer_of(process)
        if not same(right, answer, process.ask('keeps_nulls')):
            raise SystemExit(
                f'{work.name}: {process.name} answers otherwise than {first.name}:\n'
                f'{str(answer)[:500]}\n{str(right)[:500]}'
            )


def same(right: Any, answer: Any, keeps_nulls: bool) -> bool:
    """Return whether two answers are equal.

    :param keeps_nulls: if False, a null may have become '' or 0
    """
    if keeps_nulls or not isinstance(right, list):
        return bool(right == answer)
    return sorted(map(_without_nulls, right)) == sorted(map(_without_nulls, answer))


def _without_nulls(row: list[Any]) -> list[str]:
    return ['' if value in (None, '', 0) else str(value) for value in row]


def _measure(run: Run, turns: list[tuple[Work, Process]]) -> Iterator[Result]:
    def rounds(turn: tuple[Work, Process]) -> int:
        work, process = turn
        return work.rounds if process.name in FAST else min(work.rounds, work.slow_rounds)

    def sample(turn: tuple[Work, Process]) -> Any:
        work, process = turn
        process.ask('prepare', work.name)
        if work.how == 'beside':
            return _beside(run, process)
        taken = process.ask(work.how)
        if work.reads and process.name == US and (seconds := process.ask('floor')):
            taken['cpu'][FLOOR] = seconds  # scaled as those are
        return taken

    samples = take_turns(turns, rounds, sample, turns[0][0].warm_up)
    for work in dict(turns):
        result = result_of(work, {p.name: each for (w, p), each in samples.items() if w is work})
        if run.profiles(work.name):
            _, first = turns[0]
            first.ask('prepare', work.name)
            result.note = f'{first.name}, one run of {work.per}. {first.ask("profile")}'
        yield result


def _beside(run: Run, process: Process) -> dict[str, Any]:
    """Sample a prepared work beside a reader; then have it send as many PINGs beside nothing."""
    run.reader.ask('start')
    sample = process.ask('sample')
    beside = run.reader.ask('stop')
    process.ask('settle')
    time.sleep(run.sizes.rest)
    quiet = run.reader.ask('read', beside['pings'])
    figures = {
        'quiet': quiet['longest'],
        'above quiet': beside['longest'] - quiet['longest'],
        'p99.9': beside['p99.9'],
        'quiet p99.9': quiet['p99.9'],
        'pause': beside['pause'],
        'took': sample['main'],
    }
    more = {f'{name}, ms': 1000 * seconds for name, seconds in figures.items()}
    more |= {'PINGs': beside['pings'], **sample['more']}
    return {**sample, 'main': beside['longest'], 'more': more}


def result_of(work: Work, samples: dict[str, list[dict[str, Any]]]) -> Result:
    """Return the result of a work.

    :param samples: by subject, as :class:`benchmarks.running.serving.Worker` returns them
    """
    scale = SCALES.get(work.unit, 1) / work.per
    result = Result(work.name, work.unit, {})
    for name, rounds in samples.items():
        result.samples[name] = [scale * each['main'] for each in rounds]
        for kind, factor in (('cpu', scale), ('more', 1)):
            for heading in rounds[0].get(kind, ()):
                if any(heading not in each[kind] for each in rounds):
                    continue
                figures = [factor * each[kind][heading] for each in rounds]
                result.more.setdefault(heading, {})[name] = figures
        if 'longest' in rounds[0]:
            longest = sorted(each['longest'] for each in rounds)
            seconds, command = longest[len(longest) // 2]
            result.longest[name] = (1000 * seconds, command)
    return result


def wait_and_total(result: Result) -> Iterator[Result]:
    """Yield the longest wait of a reader beside a work, then the whole time of the work."""
    name, more = result.work.removesuffix(', beside that reader'), result.more
    total, longest = more.pop('took, ms'), result.longest
    cpu = {heading: more.pop(heading) for heading in ('client CPU', 'server CPU')}
    quiet, pause = (max(map(max, more[heading].values())) for heading in ('quiet, ms', 'pause, ms'))
    note = (
        f'With nobody else at work the reader waited {quiet:.1f} ms at most. Its own pauses came '
        f'out up to {pause:.1f} ms too long beside the work: that much is the machine, where '
        'processes outnumber its cores.'
    )
    yield Result(f'{name}: longest wait of a reader', 'ms', result.samples, more, note=note)
    yield Result(result.work, 'ms', total, cpu, longest, note=result.note)
