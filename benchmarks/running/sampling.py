"""Take one sample: have the processes of a subject do a work once."""

import statistics
import time
from dataclasses import dataclass
from typing import Any

from ..results import BEFORE, BY_HAND, FLOOR, US
from ..run import Run
from .process import Process
from .work import Work

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

    def rounds(self) -> int:
        """Return how many samples count."""
        fast = self.team[0].name in FAST
        return self.work.rounds if fast else min(self.work.rounds, self.work.slow_rounds)

    def prepare(self) -> list[Process]:
        """Prepare the work; return the processes that do it."""
        team = self.team[: self.work.processes]
        for process in team:
            process.ask('prepare', self.work.name, self.work.way)
        return team

    def ask(self, command: str) -> Any:
        """Prepare the work, and have the first process carry out a command."""
        return self.prepare()[0].ask(command)

    def sample(self, run: Run) -> dict[str, Any]:
        """Return a sample, as :class:`benchmarks.running.serving.Worker` does."""
        if self.work.how == 'beside':
            return self._beside(run)
        if self.work.how == 'load':
            return self._load()
        taken: dict[str, Any] = self.ask(self.work.how)
        if self.work.reads and self.name == US and (seconds := self.team[0].ask('floor')):
            taken['cpu'][FLOOR] = seconds  # scaled as those are
        return taken

    def _beside(self, run: Run) -> dict[str, Any]:
        """Sample the work beside a reader; then have it send as many PINGs beside nothing."""
        process, *_ = self.prepare()
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

    def _load(self) -> dict[str, Any]:
        """Return what all processes do in a second, how long each question took, and its CPU."""
        team = self.prepare()
        for process in team:
            process.send('sample')
        parts = [process.receive() for process in team]
        times = sorted(1000 * each for part in parts for each in part['more']['times'])
        # All processes see the CPU of the same server.
        used = parts[0]['cpu']['server CPU'] + sum(part['cpu']['client CPU'] for part in parts)
        more = {
            'ms': statistics.median(times),
            'ms, p99': times[int(0.99 * len(times))],
            'us of CPU': used / len(times) * 1e6,
        }
        return {'main': sum(len(part['more']['times']) / part['main'] for part in parts),
                'more': more}  # fmt: skip
