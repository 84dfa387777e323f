"""redis-py and hiredis by hand: the same keys and values, as one would write it who knows both.

Rows are dicts. Commands go in pipelines; the server intersects sets. It takes less care than the
library: nobody else may write meanwhile, and readers wait while it replaces the data set.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import redis

from . import BaseSubject, Row

NULL = 'IRNullType()'
CHUNK = 1000
PREFIX = '_ir_|Bench:'
KEYS, NEXT, DATA, INDEX = (PREFIX + name for name in ('keys', 'next', 'data:', 'idx:'))


class Subject(BaseSubject):
    """Pipelines."""

    module = 'redis'

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

    def _rows(self, pks: Any) -> list[Row]:
        pipe = self.client.pipeline(transaction=False)
        for pk in pks:
            pipe.hgetall(DATA + pk)
        answers = zip(pks, pipe.execute(), strict=True)
        return [{'_id': pk, **self.row(stored)} for pk, stored in answers if stored]

    def _pks(self, filters: Row) -> Any:
        keys = [f'{INDEX}{key}:{value}' for key, value in filters.items()]
        return self.client.sinter(keys) if len(keys) > 1 else self.client.smembers(keys[0])

    def get(self, pk: int) -> Row:
        return self.row(self.client.hgetall(f'{DATA}{pk}'))

    def select(self, filters: Row) -> list[Row]:
        return self._rows(self._pks(filters))

    async def aget(self, pk: int) -> Row:
        return self.row(await self.tasks.hgetall(f'{DATA}{pk}'))

    async def aselect(self, filters: Row) -> list[Row]:
        ((name, value),) = filters.items()
        pipe = self.tasks.pipeline(transaction=False)
        for pk in await self.tasks.smembers(f'{INDEX}{name}:{value}'):
            pipe.hgetall(DATA + pk)
        return [self.row(stored) for stored in await pipe.execute()]

    def everything(self) -> list[Row]:
        return self._rows(self.client.smembers(KEYS))

    def values(self, filters: Row, names: list[str]) -> list[tuple[Any, ...]]:
        pipe = self.client.pipeline(transaction=False)
        for pk in self._pks(filters):
            pipe.hmget(DATA + pk, names)
        rows = (self.row(dict(zip(names, row, strict=True))) for row in pipe.execute())
        return [tuple(row.values()) for row in rows]

    def tally(self, name: str) -> dict[Any, int]:
        """Count the sizes of index sets; it takes a walk over all keys to find them."""
        names = list(self.client.scan_iter(f'{INDEX}{name}:*', count=1000))
        pipe = self.client.pipeline(transaction=False)
        for key in names:
            pipe.scard(key)
        values = (self.row({name: key.split(':', 3)[3]})[name] for key in names)
        return dict(zip(values, pipe.execute(), strict=True))

    def count(self, filters: Row) -> int:
        ((name, value), *more) = filters.items()
        if name.endswith('__ne') and not more:
            pipe = self.client.pipeline(transaction=False)
            every, unwanted = pipe.scard(KEYS).scard(f'{INDEX}{name[:-4]}:{value}').execute()
            return every - unwanted
        keys = [f'{INDEX}{key}:{value}' for key, value in filters.items()]
        return self.client.sintercard(len(keys), keys) if more else self.client.scard(*keys)

    def pick(self, how: str, filters: Row) -> Row:
        pks = self._pks(filters)
        if how == 'random':
            return self.get(random.choice(list(pks)))
        return self.get({'first': min, 'last': max}[how](map(int, pks)))

    def create(self, row: Row) -> None:
        self._store([row], self.client.incr(NEXT))

    def fill(self, rows: list[Row]) -> None:
        self._store(rows, self.client.incrby(NEXT, len(rows)) - len(rows) + 1)

    def _store(self, rows: list[Row], first: int) -> None:
        pipe = self.client.pipeline()
        self._queue(pipe, rows, first)
        pipe.execute()

    def _queue(self, pipe: Any, rows: list[Row], first: int) -> None:
        groups: dict[str, list[int]] = defaultdict(list)
        groups[KEYS].extend(range(first, first + len(rows)))
        for pk, row in enumerate(rows, first):
            stored = {key: NULL if value is None else value for key, value in row.items()}
            pipe.hset(f'{DATA}{pk}', mapping=stored)
            for name in self.indexed:
                groups[f'{INDEX}{name}:{stored[name]}'].append(pk)
        for key, pks in groups.items():
            for chunk in chunks(pks):
                pipe.sadd(key, *chunk)

    def replace_all(self, rows: list[Row]) -> None:
        old = [key for key in self.client.scan_iter(f'{PREFIX}*', count=CHUNK) if key != NEXT]
        first = self.client.incrby(NEXT, len(rows)) - len(rows) + 1
        pipe = self.client.pipeline()
        for chunk in chunks(old):
            pipe.unlink(*chunk)
        self._queue(pipe, rows, first)
        pipe.execute()

    def update(self, row: Row, name: str, value: Any) -> None:
        pk, old = row['_id'], row[name]
        row[name] = value
        pipe = self.client.pipeline()
        pipe.hset(f'{DATA}{pk}', name, value)
        pipe.srem(f'{INDEX}{name}:{NULL if old is None else old}', pk)
        pipe.sadd(f'{INDEX}{name}:{value}', pk).execute()

    def delete(self, filters: Row) -> None:
        pks = list(self._pks(filters))
        pipe = self.client.pipeline(transaction=False)
        for pk in pks:
            pipe.hmget(DATA + pk, self.indexed)
        groups: dict[str, list[str]] = {KEYS: pks}
        for pk, stored in zip(pks, pipe.execute(), strict=True):
            for name, value in zip(self.indexed, stored, strict=True):
                groups.setdefault(f'{INDEX}{name}:{value}', []).append(pk)
        pipe = self.client.pipeline()
        for key, members in groups.items():
            for chunk in chunks(members):
                pipe.srem(key, *chunk)
        for chunk in chunks(pks):
            pipe.unlink(*(DATA + pk for pk in chunk))
        pipe.execute()


def chunks(items: list[Any]) -> Iterator[list[Any]]:
    """Yield the items, a thousand at a time."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
