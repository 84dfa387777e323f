"""Judges the raw keys of a model with partitions. The rule: no code of the library; only the key
layout is known. Nobody may write while it looks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

KEEPS, NAME = -1, b'{proof}Row'
READ = """
local step, found = redis.call('SCAN', ARGV[1], 'MATCH', '_ir_|*', 'COUNT', 1000), {}
for i, key in ipairs(step[2]) do
  local kind, content = redis.call('TYPE', key).ok, false
  if kind == 'string' then content = redis.call('GET', key) end
  if kind == 'set' then content = redis.call('SMEMBERS', key) end
  if kind == 'hash' then content = redis.call('HGETALL', key) end
  if kind == 'zset' then content = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end
  found[i] = {key, kind, redis.call('TTL', key), content}
end
return {step[1], found}
"""
# What all editions of a partition share.
SHARED = {b'next', b'tmp:incarnations', b'keys:edition', b'tmp:marker'}
INDEXED, SORTED = (b'edition', b'n'), (b'n',)


class Store:
    """All keys of a database, of all its primaries.

    :param clients: one for each primary
    """

    def __init__(self, clients: Iterable[Any], name: bytes = NAME) -> None:
        self.home: dict[bytes, Any] = {}
        #: by tag and edition: what follows the prefix -> content
        self.spaces: dict[tuple[bytes, int], dict[bytes, Any]] = defaultdict(dict)
        self.ttls: dict[bytes, int] = {}
        start = b'_ir_|' + name + b':'
        part = re.compile(rb'_ir_\|\{([\d.]+)\}:keys:(\d+):' + re.escape(name) + rb':(.*)', re.S)
        for client in clients:
            for key, ttl, content in _read(client):
                self.ttls[key] = ttl
                if key.startswith(start):
                    self.home[key.removeprefix(start)] = content
                elif match := part.fullmatch(key):
                    self.spaces[match[1], int(match[2])][match[3]] = key, content
        edition, count = self.home.get(b'keys:edition', b'0 0').split()
        #: the true edition, and its number of partitions
        self.edition, self.count = int(edition), int(count)

    def findings(self) -> Iterator[str]:
        """All that is wrong, or left behind."""
        for name, content in self.home.items():
            record = name == b'tmp:editions' and content.keys() <= {b'last', b'by'}
            if name not in (b'keys:edition', b'tmp:mirrored', b'tmp:marker') and not record:
                yield f'home key {name!r}: {content!r}'
        for (tag, edition), keys in self.spaces.items():
            true = edition == self.edition and tag.startswith(b'%d.' % self.count)
            if edition == 0:
                yield from self._of_shared(tag, keys)
            elif true:
                yield from self._of_true(tag, keys)
            else:
                for key, content in keys.values():
                    if self.ttls[key] == KEEPS:
                        yield f'{key!r} of another edition than {self.edition} stays: {content!r}'
        found = len([1 for tag, edition in self.spaces if self._is_true(tag, edition)])
        if found != self.count:
            yield f'{found} partitions of {self.count} have the true edition'

    def _is_true(self, tag: bytes, edition: int) -> bool:
        return edition == self.edition and tag.startswith(b'%d.' % self.count)

    def _of_shared(self, tag: bytes, keys: dict[bytes, Any]) -> Iterator[str]:
        fence = keys.get(b'keys:edition', (b'', b'absent'))[1]
        if tag.startswith(b'%d.' % self.count) and fence != b'%d %d' % (self.edition, self.count):
            yield f'the fence of {tag!r} is {fence!r}, the pointer {self.edition} {self.count}'
        for name in keys.keys() - SHARED:
            yield f'{keys[name][0]!r} is shared by no editions'

    def _of_true(self, tag: bytes, keys: dict[bytes, Any]) -> Iterator[str]:
        for name, (key, content) in keys.items():
            removed = name.startswith(b'data:') and name[5:] not in _pks(keys)
            if name.startswith(b'tmp:') and self.ttls[key] == KEEPS:
                yield f'{key!r} is a work key that stays: {content!r}'
            elif not name.startswith(b'tmp:') and (self.ttls[key] == KEEPS) == removed:
                yield f'{key!r} has the time to live {self.ttls[key]}'
        if b'keys:edition' not in keys:
            yield f'{tag!r} has no kept mark of {self.edition}'
        wanted: dict[bytes, Any] = defaultdict(set)
        scores: dict[bytes, dict[bytes, float]] = defaultdict(dict)
        for pk in _pks(keys):
            row = keys.get(b'data:' + pk, (b'', {}))[1]
            if not row:
                yield f'{tag!r}: object {pk!r} has no row'
            for field in INDEXED:
                wanted[b'idx:' + field + b':' + row.get(field, b'')].add(pk)
            for field in SORTED:
                scores[b'keys:sorted:' + field][pk] = float(row.get(field, b'nan'))
        there = {name: content for name, (_, content) in keys.items() if name[:4] == b'idx:'}
        ordered = {n: content for n, (_, content) in keys.items() if n[:12] == b'keys:sorted:'}
        if there != wanted:
            yield f'{tag!r}: index sets {there}, which should be {dict(wanted)}'
        if ordered != scores:
            yield f'{tag!r}: sorted sets {ordered}, which should be {dict(scores)}'

    def rows(self) -> dict[int, dict[bytes, bytes]]:
        """The rows of the true edition by pk."""
        return {
            int(pk): keys[b'data:' + pk][1]
            for (tag, edition), keys in self.spaces.items()
            if self._is_true(tag, edition)
            for pk in _pks(keys)
        }


def _pks(keys: dict[bytes, Any]) -> set[bytes]:
    found: set[bytes] = keys.get(b'keys', (b'', set()))[1]
    return found


def _read(client: Any) -> Iterator[tuple[bytes, int, Any]]:
    """Name, time to live and content of each key."""
    cursor, seen = None, set()
    while cursor != b'0':
        cursor, found = client.eval(READ, 0, cursor or 0)
        for key, kind, ttl, content in found:
            if key in seen or kind == b'none':
                continue
            seen.add(key)
            yield key, ttl, _of_type(kind, content)


def _of_type(kind: bytes, content: Any) -> Any:
    if kind == b'set':
        return {*content}
    if kind == b'string':
        return content
    pairs = zip(content[::2], content[1::2], strict=True)
    return dict(pairs) if kind == b'hash' else {member: float(score) for member, score in pairs}


def assert_clean(*clients: Any, name: bytes = NAME) -> Store:
    """Fail if anything is wrong, or left behind; return what is stored."""
    store = Store(clients, name)
    found = [*store.findings()]
    assert not found, '\n'.join(found)
    return store
