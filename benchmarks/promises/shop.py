"""The tracks on a server, and the means to send what one likes to it.

Everything goes through the library's own executor, so that two ways differ by their commands only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IndexedRedis._core.flows import Batch, Command, Flow, ask
from IndexedRedis._core.writes.entry import INSERT, Entry, entry_of, pairs
from IndexedRedis.connections.threads import getRedisPool
from IndexedRedis.executors.sync import SyncExecutor

from ..data import rows
from ..library import Track

__all__ = ('BULK', 'ONE_BY_ONE', 'ROWS', 'Shop', 'as_transaction', 'number', 'of_each', 'stored')

ONE_BY_ONE = 50
BULK = 1000
ROWS = 10_000


class Shop:
    """The tracks on one server, and the means to send what one likes to it."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.model = Track.connectAlt(params)
        self.schema = self.model.objects._schema
        self.keys = self.schema.keys
        self.run = SyncExecutor(getRedisPool(params)).run
        self.tracks = rows(ROWS + 101)

    def make(self, count: int) -> list[Any]:
        """New tracks."""
        return [self.model(**row) for row in self.tracks[:count]]

    def entries(self, objs: list[Any]) -> list[Entry]:
        """The rows of new tracks, encoded."""
        return [entry_of(obj, None, INSERT, self.schema.all, {}) for obj in objs]

    def clear(self) -> None:
        """Remove all tracks."""
        self.model.deleter.destroyModel()

    def fill(self, count: int) -> list[Any]:
        """Have just this many tracks, and return them."""
        self.clear()
        objs = self.make(count)
        self.model.saver.save(objs)
        return objs


def number(shop: Shop, entries: list[Entry]) -> Flow[None]:
    """Give rows their pks without a look at those in use."""
    last = yield from ask('INCRBY', shop.keys.next, len(entries))
    for pk, entry in enumerate(entries, last - len(entries) + 1):
        entry.pk = pk


def stored(shop: Shop, entries: list[Entry]) -> tuple[list[Command], dict[bytes, list[int]]]:
    """The plain commands that store rows, and the members of each set."""
    grouped: dict[bytes, list[int]] = {shop.keys.all: [entry.pk for entry in entries]}
    for entry in entries:
        for key in entry.index_keys():
            grouped.setdefault(key, []).append(entry.pk)
    hashes: list[Command] = [('HSET', shop.keys.data(e.pk), *pairs(e)) for e in entries]
    return [*hashes, *(('SADD', key, *pks) for key, pks in grouped.items())], grouped


def as_transaction(commands: list[Command]) -> Batch:
    """Commands as one transaction."""
    return Batch([('MULTI',), *commands, ('EXEC',)])


def of_each(shop: Shop, flow: Callable[[Any], Flow[Any]], items: list[Any]) -> Callable[[], None]:
    """A call that runs the flow of each item."""

    def call() -> None:
        for item in items:
            shop.run(flow(item))

    return call
