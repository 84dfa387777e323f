"""What IndexedRedis 6.0.3 sends. The rule: its commands as COMPAT.md has them, written out by hand;
what an index has to lose is what this client remembers, right or wrong."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import redis

BASE = '_ir_|Item:'
INDEXED = ('n', 'edition')

Handle = tuple[int, dict[str, str]]  # a pk, and what is remembered of its fields


class OldVersion:
    """A client of 6.0.3 that writes objects of the model `Item`."""

    def __init__(self, client: redis.Redis):
        self.client = client

    def fetch(self, pk: int) -> Handle:
        """As `objects.get`."""
        row = self.client.hgetall(f'{BASE}data:{pk}')
        return pk, {name.decode(): value.decode() for name, value in row.items()}

    def insert(self, n: int) -> Handle:
        """As the first `save()`."""
        pk = int(self.client.incr(f'{BASE}next'))
        row = {'name': 'old', 'n': str(n), 'edition': '0'}
        with self.client.pipeline() as multi:
            multi.hset(f'{BASE}data:{pk}', mapping=row)
            multi.sadd(f'{BASE}keys', pk)
            for field in INDEXED:
                multi.sadd(f'{BASE}idx:{field}:{row[field]}', pk)
            multi.execute()
        return pk, row

    def update(self, handle: Handle, n: int) -> None:
        """As `save()` after `n` was assigned."""
        pk, row = handle
        with self.client.pipeline() as multi:
            multi.hset(f'{BASE}data:{pk}', 'n', str(n))
            multi.srem(f'{BASE}idx:n:{row["n"]}', pk)
            multi.sadd(f'{BASE}idx:n:{n}', pk)
            multi.execute()
        row['n'] = str(n)

    def delete(self, handle: Handle) -> None:
        """As `delete()`."""
        pk, row = handle
        with self.client.pipeline() as multi:
            multi.delete(f'{BASE}data:{pk}')
            multi.srem(f'{BASE}keys', pk)
            for field in INDEXED:
                multi.srem(f'{BASE}idx:{field}:{row[field]}', pk)
            multi.execute()


def write_as_6_0_3(model: Any, ways: list[str], own: int, of: int, seconds: float) -> Any:
    """Insert, update and delete through handles that are kept for a while.

    :param own: this writer takes the pks that leave this rest when divided by ``of``: two clients
        of 6.0.3 at one object damage it without any reset
    """
    counts: Counter[str] = Counter()
    handles: list[Handle] = []
    with redis.Redis(**model.REDIS_CONNECTION_PARAMS) as client:
        old, end = OldVersion(client), time.monotonic() + seconds
        while time.monotonic() < end:
            way = random.choice([*ways, 'fetch'])
            if way == 'insert':
                old.insert(random.randrange(1_000_000))
            elif way == 'fetch':
                handles += _some(old, own, of, {pk for pk, _ in handles})
            elif handles:
                handle = handles.pop(random.randrange(len(handles)))
                if way == 'update':
                    old.update(handle, random.randrange(1_000_000))
                    handles.append(handle)
                else:
                    old.delete(handle)
            counts[way] += 1
            handles = handles[-20:]
    return counts


def _some(old: OldVersion, own: int, of: int, known: set[int]) -> list[Handle]:
    """Up to five objects that are there now, fetched."""
    pks = [int(pk) for pk in old.client.srandmember(f'{BASE}keys', 5 * of)]
    found = [old.fetch(pk) for pk in pks if pk % of == own and pk not in known]
    return [handle for handle in found if len(handle[1]) == 3][:5]
