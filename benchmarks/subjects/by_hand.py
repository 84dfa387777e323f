"""redis-py and hiredis by hand: the same keys and values, written by somebody who knows both.

Rows are dicts. Commands go in pipelines; the server intersects sets. It takes less care than the
library: nobody else may write meanwhile, and readers wait while it replaces the data set.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from operator import itemgetter
from typing import Any

import redis

from . import BaseSubject, Row

NULL = 'IRNullType()'
PREFIX = '_ir_|Bench:'
KEYS, NEXT, DATA, INDEX = (PREFIX + name for name in ('keys', 'next', 'data:', 'idx:'))


def index(name: str, value: Any) -> str:
    """Return the key of the set of all pks with a value."""
    return f'{INDEX}{name}:{NULL if value is None else value}'


def sets_of(row: Row, indexed: list[str]) -> list[str]:
    """Return the keys of the sets that list a row: of all pks, and of each index."""
    return [KEYS, *(index(name, row[name]) for name in indexed)]


def pairs_of(row: Row) -> Iterable[Any]:
    """Return the fields and values of a row as HSET takes them."""
    pairs = ((key, NULL if value is None else value) for key, value in row.items())
    return chain.from_iterable(pairs)


def storing(rows: list[Row], first: int, indexed: list[str]) -> list[tuple[Any, ...]]:
    """Return the commands that store rows under pks from the first one on."""
    commands: list[tuple[Any, ...]] = []
    sets: dict[str, list[int]] = defaultdict(list)
    for pk, row in enumerate(rows, first):
        commands.append(('HSET', f'{DATA}{pk}', *pairs_of(row)))
        for key in sets_of(row, indexed):
            sets[key].append(pk)
    return [*commands, *(('SADD', key, *pks) for key, pks in sets.items())]


class Subject(BaseSubject):
    """Pipelines."""

    module = 'redis'
    cannot = frozenset(['threads'])  # asyncio is the way to ask by many clients

    def __init__(self, connection: dict[str, Any], data: Any, connections: int = 0) -> None:
        # hiredis decodes faster than Python could.
        self.client = redis.Redis(**connection, decode_responses=True)
        if connections:
            import redis.asyncio as tasks

            how = {'max_connections': connections, 'timeout': None, 'decode_responses': True}
            pool = tasks.BlockingConnectionPool(**connection, **how)
            self.tasks = tasks.Redis(connection_pool=pool)
        self.ints = {key for key, kind in data.kinds.items() if kind == 'int'}
        self.indexed = data.indexed

    def reader(self, names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
        """Return what reads these fields of a row."""
        return itemgetter(*names)

    def row(self, stored: dict[str, str]) -> Row:
        """Return the values of a stored row."""
        ints = self.ints
        return {
            key: None if value == NULL else int(value) if key in ints else value
            for key, value in stored.items()
        }

    def _piped(self, command: str, keys: Iterable[str], *arguments: Any) -> list[Any]:
        """Return the answers to a command of each key."""
        pipe = self.client.pipeline(transaction=False)
        send = getattr(pipe, command)
        for key in keys:
            send(key, *arguments)
        return pipe.execute()

    def _rows(self, pks: Any) -> list[Row]:
        answers = zip(pks, self._piped('hgetall', [DATA + pk for pk in pks]), strict=True)
        return [{'_id': pk, **self.row(stored)} for pk, stored in answers if stored]

    def _pks(self, filters: Row) -> Any:
        keys = [index(*each) for each in filters.items()]
        return self.client.sinter(keys) if len(keys) > 1 else self.client.smembers(keys[0])

    def get(self, pk: int) -> Row:
        return self.row(self.client.hgetall(f'{DATA}{pk}'))

    def select(self, filters: Row) -> list[Row]:
        return self._rows(self._pks(filters))

    async def aget(self, pk: int) -> Row:
        return self.row(await self.tasks.hgetall(f'{DATA}{pk}'))

    async def aselect(self, filters: Row) -> list[Row]:
        (one,) = filters.items()
        pipe = self.tasks.pipeline(transaction=False)
        for pk in await self.tasks.smembers(index(*one)):
            pipe.hgetall(DATA + pk)
        return [self.row(stored) for stored in await pipe.execute()]

    def everything(self) -> list[Row]:
        return self._rows(self.client.smembers(KEYS))

    def values(self, filters: Row, names: list[str]) -> list[tuple[Any, ...]]:
        stored = self._piped('hmget', [DATA + pk for pk in self._pks(filters)], names)
        rows = (self.row(dict(zip(names, row, strict=True))) for row in stored)
        return [tuple(row.values()) for row in rows]

    def tally(self, name: str) -> dict[Any, int]:
        """Count the sizes of index sets; it takes a walk over all keys to find them."""
        keys = list(self.client.scan_iter(index(name, '*'), count=1000))
        values = (self.row({name: key.split(':', 3)[3]})[name] for key in keys)
        return dict(zip(values, self._piped('scard', keys), strict=True))

    def count(self, filters: Row) -> int:
        ((name, value), *more) = filters.items()
        if name.endswith('__ne') and not more:
            every, unwanted = self._piped('scard', [KEYS, index(name[:-4], value)])
            return every - unwanted
        keys = [index(*each) for each in filters.items()]
        return self.client.sintercard(len(keys), keys) if more else self.client.scard(*keys)

    def pick(self, how: str, filters: Row) -> Row:
        pks = self._pks(filters)
        if how == 'random':
            return self.get(random.choice(list(pks)))
        return self.get({'first': min, 'last': max}[how](map(int, pks)))

    def create(self, row: Row) -> None:
        self.fill([row])

    def fill(self, rows: list[Row], *before: Any) -> None:
        first = self.client.incrby(NEXT, len(rows)) - len(rows) + 1
        pipe = self.client.pipeline()
        for command in [*before, *storing(rows, first, self.indexed)]:
            pipe.execute_command(*command)
        pipe.execute()

    def replace_all(self, rows: list[Row]) -> None:
        old = [key for key in self.client.scan_iter(f'{PREFIX}*', count=1000) if key != NEXT]
        self.fill(rows, *([('UNLINK', *old)] if old else []))

    def update(self, row: Row, name: str, value: Any) -> None:
        pk, pipe = row['_id'], self.client.pipeline()
        pipe.srem(index(name, row[name]), pk)
        row[name] = value
        pipe.hset(f'{DATA}{pk}', name, value)
        pipe.sadd(index(name, value), pk).execute()

    def delete(self, filters: Row) -> None:
        keys = {pk: DATA + pk for pk in self._pks(filters)}
        groups: dict[str, list[str]] = defaultdict(list)
        for pk, stored in zip(keys, self._piped('hmget', keys.values(), self.indexed), strict=True):
            for each in zip(self.indexed, stored, strict=True):
                groups[index(*each)].append(pk)
        pipe = self.client.pipeline()
        for key, pks in groups.items():
            pipe.srem(key, *pks)
        pipe.srem(KEYS, *keys).unlink(*keys.values()).execute()
