"""Store tracks, as the library does or by plain commands through its executor."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import redis

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis._core.flows import Batch, Command, Flow
from IndexedRedis.connections.threads import getRedisPool
from IndexedRedis.executors.sync import SyncExecutor

from ..rows.dataset import make
from ..running.work import Job, Work
from ..sizes import SIZES

Row = dict[str, Any]


class Shop:
    """The tracks on one server.

    :param connection: connection parameters
    :param sizes: the name of the sizes
    :param keep: whether works keep the promises
    """

    def __init__(self, connection: dict[str, Any], sizes: str, keep: bool) -> None:
        self.connection, self.sizes, self.keep = connection, SIZES[sizes], keep
        self.client = redis.Redis(**connection)
        data = make('tracks', self.sizes.duels + 101)
        self.rows, self.indexed = data.dicts(), data.indexed

        class Track(IndexedRedisModel):
            FIELDS = [
                IRField(key, valueType=int if kind == 'int' else str)
                for key, kind in data.kinds.items()
            ]
            INDEXED_FIELDS = data.indexed
            KEY_NAME = 'BenchTrack'
            REDIS_CONNECTION_PARAMS = connection

        self.model: Any = Track
        self.schema = Track.objects._schema
        self.keys = self.schema.keys
        self.run = SyncExecutor(getRedisPool(connection)).run

    def works(self, group: str) -> Iterable[Work]:
        """Return the works of ``promises``, or of ``resets``."""
        from . import reads, writes

        if group == 'resets':
            return [writes.reset(self)]
        return [*writes.writes(self), *reads.reads(self)]

    def work(
        self, promise: str, name: str, kept: Any, blind: Any, prepare: Any = tuple, **how: Any
    ) -> Work:
        """Return a work in the way of this process.

        :param promise: its number in ``docs/explanation/promises.rst``
        :param kept: does the work as the library does, with what ``prepare`` returned
        :param blind: does it without the promise
        """
        way, title = kept if self.keep else blind, f'{promise}: {name}'
        how = {'rounds': 3 * self.sizes.rounds, 'turns': title, **how}
        return Work(title, lambda: Job(partial(way, prepare())), **how)

    def new(self, count: int) -> list[Any]:
        """Return new tracks, none being stored."""
        self.model.deleter.destroyModel()
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
        first = last - len(rows) + 1
        commands: list[Command] = []
        sets: dict[bytes, list[int]] = {self.keys.all: [*range(first, last + 1)]}
        for pk, row in enumerate(rows, first):
            commands.append(('HSET', self.keys.data(pk), *stored(row)))
            for key in self.index_keys(row):
                sets.setdefault(key, []).append(pk)
        return [*commands, *(('SADD', key, *pks) for key, pks in sets.items())]

    def index_keys(self, row: Row) -> list[bytes]:
        """Return the index sets of a row."""
        return [self.keys.index(name.encode(), encoded(row[name])) for name in self.indexed]


serve = Shop


def stored(row: Row) -> list[bytes]:
    """Return fields and values as HSET takes them."""
    return [part for name, value in row.items() for part in (name.encode(), encoded(value))]


def encoded(value: Any) -> bytes:
    """Return the stored form of a text, a number or a null."""
    return b'IRNullType()' if value is None else str(value).encode()


def of_each(call: Callable[[Any], Any]) -> Callable[[Iterable[Any]], None]:
    """Return a call that makes a call for each item."""

    def run(items: Iterable[Any]) -> None:
        for item in items:
            call(item)

    return run
