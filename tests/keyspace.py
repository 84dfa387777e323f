"""A whole database as one value, so that a test can say literally what it must hold.

The rule: read with raw commands only; what expires is told apart from what stays.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import redis

WATCHING = ('info', 'config|resetstat', 'client|setinfo', 'hello', 'select')
_READ = {b'string': 'GET', b'set': 'SMEMBERS', b'hash': 'HGETALL'}


def dump(client: redis.Redis, expiring: bool = True) -> dict[bytes, Any]:
    """Every key with its content: bytes, a set, a dict, or for other types the bytes of DUMP.

    :param expiring: with the keys that have a time to live
    """
    names = sorted(set(client.scan_iter(count=1000)))
    if not expiring:
        ttls = _ask(client, [('TTL', name) for name in names])
        names = [name for name, ttl in zip(names, ttls, strict=True) if ttl == -1]
    types = _ask(client, [('TYPE', name) for name in names])
    reads = [(_READ.get(kind, 'DUMP'), name) for kind, name in zip(types, names, strict=True)]
    return dict(zip(names, _ask(client, reads), strict=True))


def _ask(client: redis.Redis, commands: list[tuple[Any, ...]]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    return list(pipeline.execute())


@contextlib.contextmanager
def served(client: redis.Redis) -> Iterator[Counter[str]]:
    """Count the commands that the server executes meanwhile, those inside scripts too."""
    client.config_resetstat()
    counted: Counter[str] = Counter()
    yield counted
    for name, stats in client.info('commandstats').items():
        command = name.removeprefix('cmdstat_')
        if command not in WATCHING:
            counted[command] += stats['calls']
