"""One run: the server, the subjects, and what is measured in which order.

The rule: everything that is started here ends with the run, and a server that was there before is
only used if its databases are empty.
"""

from __future__ import annotations

import fnmatch
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import redis

from . import concurrency_result, growth, imports, memory, reset
from .dataset import make
from .machine import keep_apart
from .results import OLD, Result
from .workers import check, measure, start
from .works import SIZES, Work, everything, works
from .works import reset as reset_work

__all__ = ('Run', 'Wanted', 'opened')

#: keys of somebody else's, for each row of ours
OTHERS = 10
#: rows of a small query
FEW = 20
PATIENCE = 120


class Wanted(NamedTuple):
    """What to run, as the command line says it."""

    sizes: str = 'full'
    data: str = 'flights'
    subjects: tuple[str, ...] = ()
    only: str = ''
    url: str = ''


class Run:
    """A run with its subjects, whose databases are filled."""

    def __init__(self, wanted: Wanted, connection: dict[str, Any], folder: Path) -> None:
        self.wanted, self.connection = wanted, connection
        self.sizes = SIZES[wanted.sizes]
        self.data = make(wanted.data, self.sizes.rows)
        path = self.data.write(folder / 'rows.json')
        self.workers, self.missing = start(list(wanted.subjects), connection, path)
        #: databases 0, 2, 4 ... are those of the subjects that are read
        self.beside = {**connection, 'db': 2 * len(wanted.subjects)}
        self.works = works(self.data, self.sizes)

    def fill(self) -> None:
        """Store the rows, once by each subject."""
        for worker in self.workers:
            say(f'{worker.name}: storing {len(self.data.rows):,} rows ...')
            worker.ask('fill')

    def wants(self, name: str) -> bool:
        """Whether ``--only`` is for it."""
        only = self.wanted.only
        return not only or fnmatch.fnmatch(name, f'*{only}*')

    def operations(self) -> Iterator[Result]:
        """The operations, compared and timed."""
        for work in self.works:
            if self.wants(work.name):
                yield self._measured(work)
        work = reset_work(self.sizes)
        if self.wants(work.name):
            yield from reset.measure(work, self.workers, self.beside, self.sizes.settle)
        if self.wants('memory'):
            yield memory.measure(self.data, self.sizes, self.workers)
        if self.wants('import'):
            names = [worker.name for worker in self.workers]
            yield imports.measure(names, self.sizes.rounds)

    def growth(self) -> Iterator[Result]:
        """Time an object, and the cost of small queries in a larger database."""
        whole = [each for each in self.works if each.every_field and self.wants(each.name)]
        many = [each for each in whole if each.objects > FEW]
        if many:
            many.append(everything(self.data, self.sizes))
            yield from growth.of_an_object(many, self.workers, self.sizes.slow)
        few = [each for each in whole if each.objects <= FEW]
        if few:
            others = OTHERS * self.sizes.rows
            yield from growth.beside_others(few, self.workers, self.connection, others)

    def asyncio(self) -> Iterator[Result]:
        """Many small queries at a time."""
        # It has subjects of its own, 6.0.3 among them, and looks for the server on this machine.
        here = self.connection['host'] in ('127.0.0.1', 'localhost')
        if self.wants('asyncio') and OLD in self.wanted.subjects and here:
            yield from concurrency_result.measure(self.connection, self.sizes.rounds)

    def _measured(self, work: Work) -> Result:
        check(work, self.workers)
        return measure(work, self.workers)


@contextmanager
def opened(wanted: Wanted) -> Iterator[Run]:
    """Start all of it, and end it at last."""
    with ExitStack() as stack:
        # A transaction of 100,000 rows takes longer than redis-py's 5 seconds on a slow machine.
        connection = {**_server(stack, wanted.url), 'socket_timeout': PATIENCE}
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        run = Run(wanted, connection, Path(folder))
        for worker in run.workers:
            stack.callback(worker.stop)
        run.fill()
        yield run


def _server(stack: ExitStack, url: str) -> dict[str, Any]:
    if not url:
        from IndexedRedis import embedded

        params = stack.enter_context(embedded.start()).params
        keep_apart(redis.Redis(**params).info('server')['process_id'])
        return params
    client = redis.from_url(url)
    if client.info('keyspace'):
        raise SystemExit(f'{url} holds data, and this would mix with it: take an empty server')
    stack.callback(client.flushall)
    given = client.connection_pool.connection_kwargs
    return {key: given[key] for key in ('host', 'port', 'username', 'password') if key in given}


def say(text: str) -> None:
    """Tell the user where we are."""
    print(text, file=sys.stderr, flush=True)
