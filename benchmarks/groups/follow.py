"""Measure a mirror that follows the log of its database.

How soon are commits visible, and how many does it take? Each subject is a database.
"""

import signal
import statistics
import time
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count
from multiprocessing import get_context
from os import kill
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, insert, text

from IndexedRedis import setDefaultRedisConnectionParams
from IndexedRedis.mirror import Mirror

from ..machine import cpu_seconds
from ..results import DATABASES, Result
from ..running.databases import started
from ..running.run import Run
from ..running.served import Served, Work
from ..running.turns import compare
from ..subjects.library import model_of

# With these settings a database keeps the log.
CONFIG = {
    'postgresql': {'wal_level': 'logical'},
    'mariadb': {'server-id': '1', 'log-bin': 'binlog', 'binlog-format': 'ROW'},
}
ALL = 'UPDATE item SET value = :value'
SMALL = f'{ALL} WHERE id = :row'
DEFAULT, RAISED = 1_000, 50_000  # maxChanges
PERIOD = 0.01  # of small transactions
# Seconds between two looks; a follower that is busy needs the processor.
SOON, LATER = 0.0002, 0.01
LONGEST = 120  # seconds of one wait
QUIET = 2.5  # seconds in which nothing happens: some rounds of the follower

key = Column('id', Integer, primary_key=True, autoincrement=False)
item = Table('item', MetaData(), key, Column('value', Integer))
Item = model_of({}, {'id': 'int', 'value': 'int'}, ['id'], KEY_NAME='FollowedItem')


def follow(run: Run) -> Iterator[Result]:
    """Measure the followers in turns."""
    with started(run, DATABASES, CONFIG) as (urls, versions):
        for result in compare(run, 'follow', run.crew('follow', urls, urls=urls)):
            result.note = versions
            if 'single-row' in result.work:
                result.note += '; the follower is suspended while they are committed'
            yield result


def _mirror(url: str, connection: dict[str, Any], changes: int) -> None:
    """Follow a database, in a process of its own."""
    setDefaultRedisConnectionParams(connection)
    Mirror(url, {Item: item}, maxChanges=changes, name='benchmark').follow(prepare=True)


class Following(Served):
    """A database and the process that follows it."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        setDefaultRedisConnectionParams(self.connection)
        self.rows, self.values, self.changes = self.sizes.rows // 5, count(1), 0
        self.process: Any = None

    def fill(self) -> None:
        """Make the rows."""
        with self.engine.begin() as connection:
            item.metadata.create_all(connection)
            rows = [{'id': number, 'value': 0} for number in range(1, self.rows + 1)]
            connection.execute(insert(item), rows)

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
            how = {'how': 'value', 'unit': unit, 'rounds': self.sizes.slow, 'warm_up': 0}
            yield Work(name, run, partial(self._start, most), **how)

    def _start(self, changes: int) -> None:
        """Have a process follow with so many changes at a time; at its start all data is there."""
        if changes == self.changes:
            return
        if self.process:
            self.process.terminate()
            self.process.join()
        self.client.flushdb()
        given = self.engine.url.render_as_string(hide_password=False), self.connection, changes
        self.process = get_context('spawn').Process(target=_mirror, args=given, daemon=True)
        self.process.start()
        self.changes = changes
        self._visible(SMALL)

    def _change(self, statement: str, rows: Iterable[int] = (1,)) -> int:
        """Commit a change for each of these rows, the first row last; return its new value."""
        value, change = next(self.values), text(statement)
        with self.engine.execution_options(isolation_level='AUTOCOMMIT').connect() as connection:
            for row in rows:
                connection.execute(change, {'value': value, 'row': row})
        return value

    def _visible(self, statement: str) -> float:
        """Commit a change; return the seconds until it is visible."""
        return self._wait(self._change(statement), SOON if statement == SMALL else LATER)

    def _wait(self, value: int, pause: float) -> float:
        """Wait until the first row has a value; return the seconds."""
        begun, first = time.perf_counter(), Item.objects.filter(id=1).first
        while (row := first()) is None or row.value != value:
            if time.perf_counter() > begun + LONGEST:
                raise SystemExit(f'the follower did not apply a change within {LONGEST} s')
            time.sleep(pause)
        return time.perf_counter() - begun

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
        """Return how many transactions a second a follower catches up with."""
        kill(self.process.pid, signal.SIGSTOP)
        value = self._change(SMALL, range(self.rows, 0, -1))
        kill(self.process.pid, signal.SIGCONT)
        return {'main': self.rows / self._wait(value, LATER)}

    def _busy(self) -> dict[str, Any]:
        """Return the share of a core that the follower uses, in percent."""
        before = cpu_seconds(self.process.pid)
        time.sleep(QUIET)
        return {'main': 100 * (cpu_seconds(self.process.pid) - before) / QUIET}


serve = Following
