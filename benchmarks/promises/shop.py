"""Store tracks, and send any commands through the library's own executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis._core.flows import Batch, Command, Flow
from IndexedRedis.connections.threads import getRedisPool
from IndexedRedis.executors.sync import SyncExecutor

from ..rows.tracks import rows

ONE_BY_ONE = 50
BULK = 1000
INDEXED = ('artist', 'genre', 'shelf')
Row = dict[str, Any]


class Duel(NamedTuple):
    """Some work with a promise and without it.

    :param promise: its number in ``docs/explanation/promises.rst``
    :param kept: does the work as the library does
    :param blind: does it ``without`` the promise
    :param count: operations of one call
    :param prepare: comes before each call, untimed
    :param repeat: how many pairs count
    """

    promise: str
    work: str
    without: str
    kept: Callable[[], Any]
    blind: Callable[[], Any]
    count: int = 1
    prepare: Callable[[], Any] = lambda: None
    repeat: int = 41


class Shop:
    """The tracks on one server.

    :param params: connection parameters
    :param size: how many tracks there are at most
    """

    def __init__(self, params: dict[str, Any], size: int) -> None:
        self.params, self.size = params, size
        self.rows = rows(size)

        class Track(IndexedRedisModel):
            FIELDS = [
                IRField(name, valueType=int if isinstance(value, int) else str)
                for name, value in self.rows[0].items()
            ]
            INDEXED_FIELDS = list(INDEXED)
            KEY_NAME = 'BenchTrack'
            REDIS_CONNECTION_PARAMS = params

        self.model: Any = Track
        self.schema = Track.objects._schema
        self.keys = self.schema.keys
        self.run = SyncExecutor(getRedisPool(params)).run

    def make(self, count: int) -> list[Any]:
        """Return new tracks."""
        return [self.model(**row) for row in self.rows[:count]]

    def clear(self) -> None:
        """Remove all tracks."""
        self.model.deleter.destroyModel()

    def fill(self, count: int) -> list[Any]:
        """Return tracks, which are all that is stored."""
        self.clear()
        tracks = self.make(count)
        self.model.saver.save(tracks)
        return tracks

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
        return [self.keys.index(name.encode(), encoded(row[name])) for name in INDEXED]


def stored(row: Row) -> list[bytes]:
    """Return fields and values as HSET takes them."""
    return [part for name, value in row.items() for part in (name.encode(), encoded(value))]


def encoded(value: Any) -> bytes:
    """Return the stored form of a text, a number or a null."""
    return b'IRNullType()' if value is None else str(value).encode()


def of_all(call: Callable[[Any], Any], items: Iterable[Any]) -> Callable[[], None]:
    """Return a call that makes a call for each item."""

    def run() -> None:
        for item in items:
            call(item)

    return run
