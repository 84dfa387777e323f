"""Cache replies to batches until the server invalidates a key that they were read from.

Rules: a cache belongs to one connection, since only that connection receives the invalidations. An
exception at any line leaves no reply that an invalidation would not remove.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..._core.flows import Command
from ..._core.mapping.resp import PACKED, unpacked
from ..._core.script import BY_SHA

__all__ = ('CachedBatch', 'ReplyCache', 'is_cacheable', 'keys_read')

CachedBatch = tuple[Command, ...]
Replies = Sequence[Any]

# Commands whose first argument is the key, and commands whose arguments are all keys.
_OF_ONE_KEY = frozenset(('GET', 'HMGET', 'SCARD', 'SISMEMBER', 'SMISMEMBER'))
_OF_KEYS = frozenset(('EXISTS', 'MGET'))


class ReplyCache:
    """The cached replies of one connection, in the order of their last use."""

    def __init__(self) -> None:
        self._replies: OrderedDict[CachedBatch, tuple[Replies, Collection[bytes]]] = OrderedDict()
        self._by_key: dict[bytes, set[CachedBatch]] = {}
        self._size = 0
        #: number of invalidations so far
        self.invalidations = 0

    def __len__(self) -> int:
        return len(self._replies)

    def __contains__(self, batch: object) -> bool:
        return batch in self._replies

    def get(self, batch: CachedBatch) -> Replies | None:
        """Return the cached replies to a batch; None if there are none."""
        found = self._replies.get(batch)
        if found is None:
            return None
        self._replies.move_to_end(batch)
        return found[0]

    def keep(self, batch: CachedBatch, replies: Replies, size: int) -> None:
        """Cache the replies to a batch if the keys that they were read from are known.

        :param size: largest number of batches to cache; the largest ``size`` so far counts
        """
        self._forget(batch)
        keys = keys_read(batch, replies)
        if keys is None:
            return
        for key in keys:  # first, so that an invalidation finds each cached reply
            self._by_key.setdefault(key, set()).add(batch)
        self._replies[batch] = replies, keys
        self._size = max(self._size, size)
        if len(self._replies) > self._size:
            self._forget(next(iter(self._replies)))

    def invalidate(self, keys: Iterable[bytes] | None) -> None:
        """Remove the replies that were read from these keys; None: all replies."""
        self.invalidations += 1
        if keys is None:
            self._replies.clear()
            self._by_key.clear()
            return
        for key in keys:
            for batch in [*self._by_key.get(key, ())]:
                self._forget(batch)
            self._by_key.pop(key, None)  # batches that an interrupted `keep` did not cache

    def _forget(self, batch: CachedBatch) -> None:
        _, keys = self._replies.pop(batch, (None, ()))
        for key in keys:
            others = self._by_key.get(key, set())
            others.discard(batch)
            if not others:
                self._by_key.pop(key, None)


def is_cacheable(commands: Sequence[Command]) -> bool:
    """Whether the keys that these commands read are known; for shared batches only."""
    return not any(
        command[0] == 'EVALSHA' and BY_SHA[command[1]].reads is None for command in commands
    )


def keys_read(batch: CachedBatch, replies: Replies) -> frozenset[bytes] | None:
    """Return the keys that commands have read; None if they are unknown."""
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
