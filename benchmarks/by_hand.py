"""The same work as one would write it with redis-py alone: pipelines, and the same keys.

It takes less care than the library: no counter is checked, nobody else may write meanwhile, and
its replacement of the data set keeps readers waiting.
"""

from __future__ import annotations

from typing import Any

import redis

from .data import INDEXED, NUMBERS

__all__ = ('ByHand',)

NULL = 'IRNullType()'
CHUNK = 1000


class ByHand:
    """redis-py pipelines."""

    name = 'redis-py'

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    def clear(self) -> None:
        """Remove everything that was stored."""
        pipe = self.client.pipeline(transaction=False)
        for key in self.client.scan_iter('hand:*', count=1000):
            pipe.unlink(key)
        pipe.execute()

    def insert(self, rows: list[dict[str, Any]], atomic: bool = True) -> None:
        """Store all rows."""
        pipe = self.client.pipeline(transaction=atomic)
        self._queue(pipe, rows)
        pipe.execute()

    def _queue(self, pipe: Any, rows: list[dict[str, Any]]) -> None:
        last = self.client.incrby('hand:next', len(rows))
        first = last - len(rows) + 1
        groups: dict[str, list[int]] = {'hand:keys': list(range(first, last + 1))}
        for pk, row in enumerate(rows, first):
            stored = {key: NULL if value is None else value for key, value in row.items()}
            pipe.hset(f'hand:data:{pk}', mapping=stored)
            for name in INDEXED:
                groups.setdefault(f'hand:idx:{name}:{stored[name]}', []).append(pk)
        for key, pks in groups.items():
            for start in range(0, len(pks), CHUNK):
                pipe.sadd(key, *pks[start : start + CHUNK])

    def shelf(self, number: int) -> list[tuple[Any, ...]]:
        """Fetch the tracks of a shelf as dicts of converted values, and read three of each."""
        pks = self.client.smembers(f'hand:idx:shelf:{number}')
        pipe = self.client.pipeline(transaction=False)
        for pk in pks:
            pipe.hgetall(b'hand:data:' + pk)
        found = [_converted(row) for row in pipe.execute()]
        return [(row['name'], row['artist'], row['milliseconds']) for row in found]

    def replace(self, rows: list[dict[str, Any]]) -> None:
        """Put these rows in the place of all others, in one transaction."""
        old = list(self.client.scan_iter('hand:*', count=1000))
        pipe = self.client.pipeline(transaction=True)
        for start in range(0, len(old), CHUNK):
            pipe.unlink(*(key for key in old[start : start + CHUNK] if key != b'hand:next'))
        self._queue(pipe, rows)
        pipe.execute()


def _converted(row: dict[bytes, bytes]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in row.items():
        name, text = key.decode(), value.decode()
        result[name] = None if text == NULL else int(text) if name in NUMBERS else text
    return result
