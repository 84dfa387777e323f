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
    names = sorted(client.scan_iter(count=1000))
    if not expiring:
        names = [name for name in names if client.ttl(name) == -1]
    return {name: _content(client, name) for name in names}


def _content(client: redis.Redis, name: bytes) -> Any:
    command = _READ.get(client.type(name), 'DUMP')
    found = client.execute_command(command, name)
    return set(found) if command == 'SMEMBERS' else found


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
