"""Sample subjects in turns, round by round, so that a busy moment of the machine hits all alike."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

from ..results import BEFORE, BY_HAND, FLOOR, US, Result
from .process import Process
from .run import Run
from .served import Work

SCALES = {'us': 1e6, 'ms': 1e3}
FAST = (US, BEFORE, BY_HAND)  # the subjects that take part in all rounds


@dataclass(frozen=True, eq=False)
class Turn:
    """A work, and the equal processes of the subject that does it."""

    work: Work
    team: list[Process]

    @property
    def name(self) -> str:
        """What the subject is called."""
        return self.team[0].name + self.work.way

    @property
    def rounds(self) -> int:
        """How many samples count."""
        fast = self.team[0].name in FAST
        return self.work.rounds if fast else min(self.work.rounds, self.work.slow_rounds)

    def ask(self, command: str) -> Any:
        """Have the first process prepare the work and carry out a command; return its answer."""
        (process,) = self._prepared()
        return process.ask(command)

    def _prepared(self, processes: int = 1) -> list[Process]:
        """Have so many processes prepare the work; return them."""
        team = self.team[:processes]
        for process in team:
            process.ask('prepare', self.work.name, self.work.way)
        return team

    def sample(self, run: Run) -> dict[str, Any]:
        """Return a sample, as :meth:`benchmarks.running.served.Served.sample` does."""
        if self.work.how == 'load':
            sent = [process.send('sample') for process in self._prepared(self.work.processes)]
            return _done_in_a_second([answer() for answer in sent])
        if self.work.how == 'beside':
            return self._beside(run)
        sample: dict[str, Any] = self.ask(self.work.how)
        if self.work.reads and self.name == US and (seconds := self.team[0].ask('floor')):
            sample['cpu'][FLOOR] = seconds  # scaled as those are
        return sample

    def _beside(self, run: Run) -> dict[str, Any]:
        """Sample the work beside a reader; then have it send as many PINGs beside nothing."""
        (process,) = self._prepared()
        run.reader.ask('start')
        sample = process.ask('sample')
        beside = run.reader.ask('stop')
        process.ask('settle')
        time.sleep(run.sizes.rest)
        quiet = run.reader.ask('read', beside['pings'])
        figures = {
            'above quiet': beside['longest'] - quiet['longest'],
            'quiet': quiet['longest'],
            'p99.9': beside['p99.9'],
            'quiet p99.9': quiet['p99.9'],
            'pause': beside['pause'],
            'took': sample['main'],
        }
        more = {f'{name}, ms': 1000 * seconds for name, seconds in figures.items()}
        more |= {'PINGs': beside['pings'], **sample['more']}
        return {**sample, 'main': beside['longest'], 'more': more}


def _done_in_a_second(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what all processes do in a second, how long each question took, and its CPU."""
    times = sorted(1000 * each for part in parts for each in part['more']['times'])
    # All processes see the CPU of the same server.
    used = parts[0]['cpu']['server CPU'] + sum(part['cpu']['client CPU'] for part in parts)
    more = {
        'ms': statistics.median(times),
        'ms, p99': times[int(0.99 * len(times))],
        'us of CPU': used / len(times) * 1e6,
    }
    return {'main': sum(len(part['more']['times']) / part['main'] for part in parts), 'more': more}


def compare(run: Run, group: str, processes: list[Process]) -> Iterator[Result]:
    """Compare the answers of the subjects, then sample works in turns; yield the results."""
    works: dict[str, list[Turn]] = {}
    for turn in turns_of(processes, group):
        if run.wants(turn.work.name):
            works.setdefault(turn.work.name, []).append(turn)
    for _, batch in groupby(works.values(), lambda turns: turns[0].work.turns or turns[0].work):
        together = [*batch]
        for turns in together:
            if turns[0].work.how in ('sample', 'load') and not turns[0].work.turns:
                check(turns)
        samples = take_turns([*chain(*together)], lambda turn: turn.sample(run))
        for turns in together:
            first, work = turns[0], turns[0].work
            result = result_of(work, {turn.name: samples[turn] for turn in turns})
            if run.profiles(work.name):
                result.note = f'{first.name}, one run of {work.per}. {first.ask("profile")}'
            yield result


def turns_of(processes: list[Process], group: str) -> Iterator[Turn]:
    """Yield a turn for each work of a group by each subject, whose processes all list it."""
    teams: dict[str, list[Process]] = {}
    for process in processes:
        teams.setdefault(process.name, []).append(process)
    for team in teams.values():
        works, *_ = [process.ask('works', group) for process in team]
        yield from (Turn(work, team) for work in works)


def check(turns: list[Turn]) -> None:
    """Raise SystemExit unless all subjects give the same answer."""
    answers = [turn.ask('answer') for turn in turns]
    right, _ = answers[0]
    for turn, (answer, keeps_nulls) in zip(turns, answers, strict=True):
        if not same(right, answer, keeps_nulls):
            raise SystemExit(
                f'{turn.work.name}: {turn.name} answers otherwise than {turns[0].name}:\n'
                f'{str(answer)[:500]}\n{str(right)[:500]}'
            )


def same(right: Any, answer: Any, keeps_nulls: bool) -> bool:
    """Return whether two answers are equal. Where nulls are not kept, they became '' or 0."""
    if keeps_nulls or not isinstance(right, list):
        return bool(right == answer)
    return sorted(map(_without_nulls, right)) == sorted(map(_without_nulls, answer))


def _without_nulls(row: list[Any]) -> list[str]:
    return ['' if value in (None, '', 0) else str(value) for value in row]


def take_turns(turns: Sequence[Turn], sample: Callable[[Turn], Any]) -> dict[Turn, list[Any]]:
    """Return the samples of all rounds that count. Each round begins with another turn."""
    samples: dict[Turn, list[Any]] = {turn: [] for turn in turns}
    for number in range(-turns[0].work.warm_up, max(turn.rounds for turn in turns)):
        first = number % len(turns)
        for turn in [*turns[first:], *turns[:first]]:
            if number < turn.rounds:
                taken = sample(turn)
                if number >= 0:
                    samples[turn].append(taken)
    return samples


def result_of(work: Work, samples: dict[str, list[dict[str, Any]]]) -> Result:
    """Return the result of a work from the samples of each subject."""
    scale = SCALES.get(work.unit, 1) / work.per
    result = Result(work.name, work.unit, {}, higher_is_better=work.unit.endswith('/s'))
    for name, rounds in samples.items():
        result.samples[name] = [scale * each['main'] for each in rounds]
        for kind, factor in (('cpu', scale), ('more', 1)):
            for heading in rounds[0].get(kind, ()):
                if all(heading in each[kind] for each in rounds):
                    figures = [factor * each[kind][heading] for each in rounds]
                    result.more.setdefault(heading, {})[name] = figures
        if 'longest' in rounds[0]:
            seconds, command = statistics.median_high([tuple(each['longest']) for each in rounds])
            result.longest[name] = (1000 * seconds, command)
    return result


def wait_and_total(result: Result) -> Iterator[Result]:
    """Yield the longest wait of a reader beside a work, then the whole time of the work."""
    name, more = result.work.removesuffix(', beside that reader'), result.more
    total, longest = more.pop('took, ms'), result.longest
    cpu = {heading: more.pop(heading) for heading in ('client CPU', 'server CPU')}
    quiet, pause = (statistics.median(more[heading][US]) for heading in ('quiet, ms', 'pause, ms'))
    note = (
        f'With nobody else at work the reader waited {quiet:.1f} ms, in the median of the rounds '
        f'of {US}. Its own pauses came out up to {pause:.1f} ms too long beside the work: that '
        'much is the machine, where processes outnumber its cores.'
    )
    yield Result(f'{name}: longest wait of a reader', 'ms', result.samples, more, note=note)
    yield Result(result.work, 'ms', total, cpu, longest, note=result.note)
