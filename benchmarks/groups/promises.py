"""Measure what each promise costs: the same work as the library does it, and without one promise.

Both ways have the same rows, executor and connection. Two processes take turns, one for each way.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from IndexedRedis._core.flows import Batch, Command, Flow
from IndexedRedis.connections.threads import getRedisPool
from IndexedRedis.executors.sync import SyncExecutor

from .. import machine
from ..dataset import Dataset, make
from ..results import US, Result
from ..run import Run
from ..running.served import Job, Served, Work
from ..running.turns import compare, wait_and_total
from ..subjects import Row
from ..subjects.library import model_of


def promises(run: Run) -> Iterator[Result]:
    """Time each work with a promise and without it, then the reset beside a reader."""
    data = make('tracks', run.sizes.duels + 101)
    crew = run.crew('promises', [US, 'without it'], data=data)
    yield from compare(run, 'promises', crew)
    # A reader has to run while the server resets.
    machine.place(run.server, 'free', [process.pid for process in crew])
    for result in compare(run, 'resets', crew):
        yield from wait_and_total(result)


class Shop(Served):
    """The tracks on one server. The subject says whether works keep the promises."""

    def __init__(self, data: Dataset, **config: Any) -> None:
        super().__init__(**config)
        self.keep = self.subject == US
        self.rows, self.indexed = data.dicts(), data.indexed
        self.model = model_of(self.connection, data.kinds, data.indexed)
        self.schema = self.model.objects._schema
        self.keys = self.schema.keys
        self.run = SyncExecutor(getRedisPool(self.connection)).run

    def promises(self) -> Iterator[Work]:
        """Yield all works but the reset."""
        from . import promised

        yield from promised.writes(self)
        yield from promised.reads(self)

    def resets(self) -> Iterator[Work]:
        """Yield the reset."""
        from .promised import resets

        return resets(self)

    def work(
        self, promise: str, name: str, kept: Any, blind: Any, prepare: Any, per: int = 1, **how: Any
    ) -> Work:
        """Return a work in the way of this process.

        :param promise: its number in ``docs/explanation/promises.rst``
        :param kept: does the work as the library does, with what ``prepare`` returned
        :param blind: does it without the promise
        :param per: if more than one, ``kept`` and ``blind`` are called with one of so many items
        """
        way: Callable[[Any], Any] = kept if self.keep else blind

        def each(items: Iterable[Any]) -> None:
            for item in items:
                way(item)

        def prepared() -> Job:
            return Job(partial(each if per > 1 else way, prepare()))

        how = {'rounds': max(1, 3 * self.sizes.rounds - 2), 'turns': name, **how}
        return Work(f'{promise}: {name}', prepared, per=per, **how)

    def new(self, count: int) -> list[Any]:
        """Return new tracks, none being stored."""
        self.model.deleter.destroyModel()
        # So that the pks of the tracks are the numbers of their rows.
        self.send(('UNLINK', self.keys.next, self.keys.incarnations))
        return [self.model(**row) for row in self.rows[:count]]

    def filled(self, count: int) -> list[Any]:
        """Return tracks, which are all that is stored."""
        objects = self.new(count)
        self.model.saver.save(objects)
        return objects

    def send(self, *commands: Command) -> list[Any]:
        """Send commands in one pipeline; return their answers."""

        def flow() -> Flow[list[Any]]:
            return (yield Batch(commands))

        return self.run(flow())

    def transaction(self, commands: Iterable[Command]) -> None:
        """Send commands as one transaction."""
        self.send(('MULTI',), *commands, ('EXEC',))

    def storing(self, rows: list[Row]) -> list[Command]:
        """Draw pks without a check; return the plain commands that store rows under them."""
        (last,) = self.send(('INCRBY', self.keys.next, len(rows)))
        commands: list[Command] = []
        sets: dict[bytes, list[int]] = {}
        for pk, row in enumerate(rows, last - len(rows) + 1):
            commands.append(('HSET', self.keys.data(pk), *stored(row)))
            for key in self.sets(row):
                sets.setdefault(key, []).append(pk)
        return [*commands, *(('SADD', key, *pks) for key, pks in sets.items())]

    def sets(self, row: Row) -> list[bytes]:
        """Return the sets that list a row: of all pks, and of each index."""
        index = self.keys.index
        return [self.keys.all, *(index(each.encode(), encoded(row[each])) for each in self.indexed)]


serve = Shop


def stored(row: Row) -> list[bytes]:
    """Return fields and values as HSET takes them."""
    return [part for name, value in row.items() for part in (name.encode(), encoded(value))]


def encoded(value: Any) -> bytes:
    """Return the stored form of a text, a number or a null."""
    return b'IRNullType()' if value is None else str(value).encode()
