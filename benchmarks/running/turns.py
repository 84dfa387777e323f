"""Sample subjects in turns, round by round, so that a busy moment of the machine hits all alike."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar

from ..results import Result
from ..run import Run
from .process import Process
from .sampling import Turn
from .work import Work

T = TypeVar('T')
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
    teams: dict[str, list[Process]] = {}
    for process in processes:
        teams.setdefault(process.name, []).append(process)
    works: dict[str, list[Turn]] = {}
    for team in teams.values():
        for turn in turns_of(team, group):
            if run.wants(turn.work.name):
                works.setdefault(turn.work.name, []).append(turn)
    for _, batch in groupby(works.values(), lambda turns: turns[0].work.turns or turns[0].work):
        together = [*batch]
        for turns in together:
            if turns[0].work.how in ('sample', 'load') and not turns[0].work.turns:
                check(turns)
        yield from _measure(run, together)


def turns_of(team: list[Process], group: str) -> list[Turn]:
    """Return a turn for each work of a group; all processes of the subject list them."""
    plans, *_ = [process.ask('works', group) for process in team]
    return [Turn(Work(**plan), team) for plan in plans]


def check(turns: list[Turn]) -> None:
    """Make sure that all subjects give the same answer.

    :raises SystemExit: if one does not
    """
    first, *others = turns
    right = first.ask('answer')
    for turn in others:
        answer = turn.ask('answer')
        if not same(right, answer, turn.team[0].ask('keeps_nulls')):
            raise SystemExit(
                f'{turn.work.name}: {turn.name} answers otherwise than {first.name}:\n'
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


def _measure(run: Run, together: list[list[Turn]]) -> Iterator[Result]:
    """Sample works, of which each has a turn of each subject that can do it."""
    turns = [turn for each in together for turn in each]
    samples = take_turns(
        turns, Turn.rounds, lambda turn: turn.sample(run), warm_up=turns[0].work.warm_up
    )
    for each in together:
        first = each[0]
        result = result_of(first.work, {turn.name: samples[turn] for turn in each})
        if run.profiles(first.work.name):
            profile = first.ask('profile')
            result.note = f'{first.name}, one run of {first.work.per}. {profile}'
        yield result


def result_of(work: Work, samples: dict[str, list[dict[str, Any]]]) -> Result:
    """Return the result of a work.

    :param samples: by subject, as :class:`benchmarks.running.serving.Worker` returns them
    """
    scale = SCALES.get(work.unit, 1) / work.per
    result = Result(work.name, work.unit, {}, higher_is_better=work.unit.endswith('/s'))
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
