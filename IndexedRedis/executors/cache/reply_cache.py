"""Answers to questions, kept until the server says that what they were read from has changed.

The rule: an answer is given again only while the connection that it came over would have told of
any change, so these are the answers of one connection. Pure: what is sent and read for it is in
``executors/recalling.py`` and ``telling.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..._core.flows import Command
from ..._core.mapping.resp import PACKED, unpacked
from ..._core.script import BY_SHA

__all__ = ('CachedBatch', 'ReplyCache', 'is_cacheable', 'keys_read')

CachedBatch = tuple[Command, ...]
Replies = Sequence[Any]

# Commands that read the one key which comes first, and those whose arguments all are keys.
_OF_ONE_KEY = frozenset(('GET', 'HMGET', 'SCARD', 'SISMEMBER', 'SMISMEMBER'))
_OF_KEYS = frozenset(('EXISTS',))


class ReplyCache:
    """The answers of one connection, the one asked for last at the end."""

    def __init__(self) -> None:
        self._replies: dict[CachedBatch, tuple[Replies, Collection[bytes]]] = {}
        self._by_key: dict[bytes, set[CachedBatch]] = {}  # by the keys their answers hang on
        self._most = 0
        #: how often the server has told of changes
        self.invalidations = 0

    def __len__(self) -> int:
        return len(self._replies)

    def __contains__(self, batch: object) -> bool:
        return batch in self._replies

    def get(self, batch: CachedBatch) -> Replies | None:
        """Return an answer; None if it has to be asked for."""
        found = self._replies.pop(batch, None)
        if found is None:
            return None
        self._replies[batch] = found
        return found[0]

    def keep(self, batch: CachedBatch, replies: Replies, most: int) -> None:
        """Remember an answer, if it is known what it was read from.

        :param most: how many answers there may be; of several such numbers the largest holds
        """
        self._forget(batch)
        keys = keys_read(batch, replies)
        if keys is None:
            return
        self._replies[batch] = replies, keys
        for key in keys:
            self._by_key.setdefault(key, set()).add(batch)
        self._most = max(self._most, most)
        if len(self._replies) > self._most:
            self._forget(next(iter(self._replies)))

    def change(self, keys: Iterable[bytes] | None) -> None:
        """Forget what was read from these keys; from any, if ``None``."""
        self.invalidations += 1
        if keys is None:
            self._replies.clear()
            self._by_key.clear()
            return
        for key in keys:
            for batch in [*self._by_key.get(key, ())]:
                self._forget(batch)

    def _forget(self, batch: CachedBatch) -> None:
        _, keys = self._replies.pop(batch, (None, ()))
        for key in keys:
            others = self._by_key[key]
            others.discard(batch)
            if not others:
                del self._by_key[key]


def is_cacheable(batch: Sequence[Command]) -> bool:
    """Whether it can be told what these commands look at; those of shared batches are asked of."""
    return not any(
        command[0] == 'EVALSHA' and BY_SHA[command[1]].reads is None for command in batch
    )


def keys_read(batch: CachedBatch, replies: Replies) -> frozenset[bytes] | None:
    """Return the keys that commands have looked at; None if that cannot be told."""
    keys: set[bytes] = set()
    for command, reply in zip(batch, replies, strict=True):
        found = _keys_of(command, reply)
        if found is None:
            return None
        keys.update(found)
    return frozenset(keys)


def _keys_of(command: Command, reply: Any) -> Iterable[bytes] | None:
    name, *args = unpacked(command) if command[0] is PACKED else command
    if name in _OF_ONE_KEY:
        return args[:1]
    if name in _OF_KEYS:
        return args
    script = BY_SHA.get(args[0]) if name == 'EVALSHA' else None
    if script is None or script.reads is None:
        return None
    last = 2 + args[1]
    return [*args[2:last], *script.reads(args[last:], reply)]
