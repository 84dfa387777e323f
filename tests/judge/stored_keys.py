"""The keys of a database as the checker sees them: read by raw commands, on all nodes of a
cluster."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable
from typing import Any

import redis

KEEPS = -1  # what TTL says of a key that does not expire
GONE = b'none'  # what TYPE says of one that has expired since it was listed
# One step of SCAN, with what the keys hold: small databases take one trip.
READ = """
local reads, found = {string = 'GET', set = 'SMEMBERS', hash = 'HGETALL'}, {}
local step = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 500)
for i, key in ipairs(step[2]) do
    local kind = redis.call('TYPE', key).ok
    local read = reads[kind]
    local content = read and redis.call(read, key)
    if kind == 'zset' then content = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end
    found[i] = {key, kind, redis.call('TTL', key), content or false}
end
return {step[1], found}
"""


@dataclasses.dataclass(frozen=True)
class Key:
    """One key of a model: its whole name, its part (`data`, `idx`, ...) and what comes after."""

    name: bytes
    part: str
    rest: bytes | None
    type: bytes
    ttl: int
    content: Any


def literal(text: bytes) -> bytes:
    """The pattern that matches just this text."""
    return re.sub(rb'([\\*?[\]])', rb'\\\1', text)


def keys_below(client: Any, prefix: bytes) -> list[Key]:
    """The keys whose names begin so."""
    found = matching(client, literal(prefix) + b'*')
    return [key_of(prefix, name, *facts) for name, facts in found.items()]


def matching(client: Any, pattern: bytes) -> dict[bytes, list[Any]]:
    """The keys of a pattern, on all nodes of a cluster, with type, time to live and content."""
    found: dict[bytes, list[Any]] = {}
    for run in _scripts(client):
        cursor = None
        while cursor != b'0':
            cursor, keys = run(READ, 0, cursor or 0, pattern)
            found.update({name: facts for name, *facts in keys if facts[0] != GONE})
    return dict(sorted(found.items()))


def _scripts(client: Any) -> list[Callable[..., Any]]:
    """Functions that run a script, one for each node."""
    if not isinstance(client, redis.RedisCluster):
        return [client.eval]
    run = functools.partial(client.execute_command, 'EVAL')
    return [functools.partial(run, target_nodes=node) for node in client.get_primaries()]


def key_of(prefix: bytes, name: bytes, type_: bytes, ttl: int, content: Any) -> Key:
    """A key below a prefix."""
    part, colon, rest = name[len(prefix) :].partition(b':')
    if part == b'keys' and rest.startswith(b'sorted:'):
        part, rest = b'sorted', rest.removeprefix(b'sorted:')
    if (part, rest) == (b'keys', b'edition') and type_ == b'string':
        part, colon = b'edition', b''
    if type_ == b'set':
        content = set(content)
    if type_ in (b'hash', b'zset'):
        content = dict(zip(content[::2], content[1::2], strict=True))
    return Key(name, part.decode(errors='replace'), rest if colon else None, type_, ttl, content)
