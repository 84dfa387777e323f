"""Follow one database by a command, and take the samples."""

import atexit
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import create_engine

from IndexedRedis import setDefaultRedisConnectionParams

from ..machine import cpu_seconds
from ..running.work import Job, Served, Work
from .rows import DATABASE, MOST, Item, change, fill

DEFAULT, RAISED = 1_000, 50_000  # maxChanges
PERIOD = 0.01  # of small transactions
# Seconds between two looks; a follower that is busy needs the processor.
SOON, LATER = 0.0002, 0.01
LONGEST = 120  # seconds of one wait
QUIET = 2.5  # seconds in which nothing happens: some rounds of the follower
SMALL = 'UPDATE item SET value = :value WHERE id = 1'
ALL = 'UPDATE item SET value = :value'
SINGLES = 'CALL singles(:value, :count)'


class Following(Served):
    """A database and the process that follows it.

    :param urls: of the databases, by subject
    """

    def __init__(self, urls: dict[str, str], **config: Any) -> None:
        super().__init__(**config)
        setDefaultRedisConnectionParams(self.connection)
        self.url, self.rows = urls[self.subject], self.sizes.rows // 5
        self.engine, self.values = create_engine(self.url), count(1)
        self.most = 0
        self.process: subprocess.Popen[bytes] | None = None

    def fill(self) -> None:
        """Make the rows."""
        fill(self.engine, self.rows)

    def follow(self) -> Iterator[Work]:
        """Yield what is measured of a follower with so many changes at a time."""
        large = f'one transaction of {self.rows:,} rows, maxChanges={{:,}}'
        singles = f'{self.rows:,} single-row transactions'
        for most, name, unit, run in (
            (DEFAULT, 'commit to visible, 100 small transactions a second', 'ms', self._late),
            (DEFAULT, singles, 'transactions/s', self._caught_up),
            (DEFAULT, large.format(DEFAULT), 'changes/s', self._large),
            (RAISED, large.format(RAISED), 'changes/s', self._large),
            (RAISED, 'CPU of the follower while nothing happens', '%', self._busy),
        ):
            prepare = partial(self._follow, most, run)
            yield Work(name, prepare, how='value', unit=unit, rounds=self.sizes.slow, warm_up=0)

    def _follow(self, most: int, run: Callable[[], dict[str, Any]]) -> Job:
        """Have a process follow with so many changes at a time; at its start all data is there."""
        if most != self.most:
            self._stop()
            self.client.flushdb()
            url = 'redis://{host}:{port}/{db}'.format(**self.connection)
            what = [
                'mirror',
                'benchmarks.follow.rows:mirror',
                '--follow',
                '--prepare',
                '--url',
                url,
            ]
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'IndexedRedis', *what],
                env={**os.environ, DATABASE: self.url, MOST: str(most)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            atexit.register(self._stop)
            self.most = most
            self._visible(SMALL)
        return Job(run)

    def _stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def _visible(self, statement: str) -> float:
        """Commit a change of the first row, the last one that it changes; wait for it.

        :returns: the seconds from the commit until it is visible
        """
        value = next(self.values)
        change(self.engine, statement, value=value)
        return _wait(value, SOON if statement == SMALL else LATER)

    def _late(self) -> dict[str, Any]:
        """Return how long after its commit a small transaction is visible."""
        waits = []
        for _ in range(self.sizes.questions):
            begun = time.perf_counter()
            waits.append(self._visible(SMALL))
            time.sleep(max(0, begun + PERIOD - time.perf_counter()))
        late = 1000 * sorted(waits)[len(waits) * 99 // 100]
        return {'main': statistics.median(waits), 'more': {'p99': late}}

    def _large(self) -> dict[str, Any]:
        """Return the changes a second of one transaction that changes all rows."""
        return {'main': self.rows / self._visible(ALL)}

    def _caught_up(self) -> dict[str, Any]:
        """Return the transactions a second after they were committed meanwhile."""
        assert self.process
        value = next(self.values)
        self.process.send_signal(signal.SIGSTOP)
        change(self.engine, SINGLES, value=value, count=self.rows)
        self.process.send_signal(signal.SIGCONT)
        return {'main': self.rows / _wait(value, LATER)}

    def _busy(self) -> dict[str, Any]:
        """Return the share of a core that the follower uses, in percent."""
        assert self.process
        before = cpu_seconds(self.process.pid)
        time.sleep(QUIET)
        return {'main': 100 * (cpu_seconds(self.process.pid) - before) / QUIET}


serve = Following


def _wait(value: int, pause: float) -> float:
    """Wait until the first row has a value; return the seconds.

    :raises SystemExit: if it takes too long
    """
    begun = time.perf_counter()
    while (first := Item.objects.filter(id=1).first()) is None or first.value != value:
        if time.perf_counter() > begun + LONGEST:
            raise SystemExit(f'the follower did not apply a change within {LONGEST} s')
        time.sleep(pause)
    return time.perf_counter() - begun
