"""A whole database as one value, so that a test can say literally what it must hold.

The rule: read with raw commands only; what expires is told apart from what stays.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import redis

# Goes with the counter: the first draw of pks writes it.
OF_COUNTER = (b':tmp:incarnations', b':drawn')
# Redis 6.2 counts a command without its subcommand.
WATCHING = ('info', 'config|resetstat', 'config', 'client|setinfo', 'hello', 'select')
_READ = {b'string': 'GET', b'set': 'SMEMBERS', b'hash': 'HGETALL'}


def key_names(client: redis.Redis, pattern: str = '*') -> list[bytes]:
    """The names of keys, without those that go with a counter."""
    found = sorted(set(client.scan_iter(pattern, count=1000)))
    return [name for name in found if not name.endswith(OF_COUNTER)]


def but_counters(client: redis.Redis) -> list[bytes]:
    """The names of keys, without those that ``destroyModel`` leaves."""
    return [name for name in key_names(client) if not name.endswith(b':next')]


def dump(client: redis.Redis, expiring: bool = True) -> dict[bytes, Any]:
    """The keys that :func:`key_names` gives, with their content: bytes, a set, a dict, or for other
    types the bytes of DUMP.

    :param expiring: with the keys that have a time to live
    """
    keys = key_names(client)
    if not expiring:
        ttls = _ask(client, [('TTL', name) for name in keys])
        keys = [name for name, ttl in zip(keys, ttls, strict=True) if ttl == -1]
    types = _ask(client, [('TYPE', name) for name in keys])
    reads = [(_READ.get(kind, 'DUMP'), name) for kind, name in zip(types, keys, strict=True)]
    return dict(zip(keys, _ask(client, reads), strict=True))


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
