"""Track invalidation messages, so that cached replies stay valid.

The server sends a message to this connection (RESP3) when a key changes that a reply was read from.
Messages and replies arrive in order. Rule: a cached reply is used only after all pending messages
were read, and only if

- this process has written nothing since the connection last sent a request: then the messages
  about its own writes have arrived;
- the connection had a reply in the last second: a network that fails silently carries no messages.

The socket is polled for messages at most once a millisecond. Each poll is a system call, at which
threads hand Python's lock to each other: with eight threads that took half of the time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..._core.flows import Batch
from ...errors import ConnectionSetupError
from ..clock import Clock
from ..wire import pack
from .reply_cache import CachedBatch, ReplyCache

__all__ = ('HANDLED', 'POLL_SECONDS', 'TrackedReplies', 'note_write')

#: the result of a message handler
HANDLED = object()
# Seconds after its last reply for which a connection is trusted to carry messages.
TRUST_SECONDS = 1.0
# Seconds between two polls for pending messages.
POLL_SECONDS = 0.001

_ON = pack(Batch([('HELLO',), ('CLIENT', 'TRACKING', 'ON', 'OPTIN')]))
_NEXT = pack(Batch([('CLIENT', 'CACHING', 'YES')]))
# Older servers send invalidations for the KEYS of a script, and not for other keys that it reads.
_SERVER_VERSION = 7, 2
# A new object after each write of this process.
_writes = object()


class TrackedReplies:
    """The cache of one connection, until that is closed.

    :param link: the socket or writer of the connection. The attribute becomes None if the cache is
        invalid.
    """

    def __init__(self, link: Any) -> None:
        self.link = link
        #: how many requests were answered from the cache, and how many were sent to fill it
        self.hits = self.misses = 0
        self.clock = Clock(POLL_SECONDS)
        self._cache = ReplyCache()
        self._on = False
        self._trusted = 0.0  # until then
        self._writes: object = None
        self._asked: tuple[object, int] = None, 0

    def invalidate(self, message: Sequence[Any]) -> Any:
        """Handle an invalidation message."""
        try:
            self._cache.invalidate(message[1])
        except BaseException:  # redis-py may only log it
            self.link = None
            raise
        return HANDLED

    async def ainvalidate(self, message: Sequence[Any]) -> Any:
        """Do what :meth:`invalidate` does, on asyncio."""
        return self.invalidate(message)

    def has(self, batch: CachedBatch) -> bool:
        """Whether the cache has replies that are valid after the messages read so far."""
        trusted = self._writes is _writes and time.monotonic() <= self._trusted
        return trusted and batch in self._cache

    def get(self, batch: CachedBatch) -> Sequence[Any] | None:
        """Return the cached replies to a batch; None if the server must be asked."""
        if not self.has(batch):
            return None
        self.hits += 1
        return self._cache.get(batch)

    @property
    def entries(self) -> int:
        """How many batches are cached."""
        return len(self._cache)

    def request(self, batch: Batch) -> bytes:
        """Return the bytes that send a batch and ask for invalidations of what it reads."""
        self.misses += 1
        self._asked = _writes, self._cache.invalidations
        data = [] if self._on else [_ON]
        for command in batch.commands:
            data += _NEXT, pack(Batch([command]))
        return b''.join(data)

    def reply_count(self, batch: Batch) -> int:
        """Return the number of replies to :meth:`request`."""
        return 2 * len(batch.commands) + (0 if self._on else 2)

    def receive(self, batch: Batch, replies: list[Any], size: int) -> list[Any]:
        """Cache the replies to :meth:`request`; return those to the batch.

        :param size: largest number of batches to cache
        :raises ConnectionSetupError: if the server sends no invalidations
        """
        if not self._on:
            hello, tracking, *replies = replies
            _check_server(hello, tracking, replies[0])
            self._on = True
        consents, replies = replies[::2], replies[1::2]
        if _has_error(consents):  # another user of the connection turned tracking off
            self._on = False
            self._cache.invalidate(None)
            return replies
        self._trusted = time.monotonic() + TRUST_SECONDS
        self._writes, invalidations = self._asked
        # An invalidation that arrived meanwhile may concern the keys of these replies.
        if invalidations == self._cache.invalidations and not _has_error(replies):
            self._cache.keep(tuple(batch.commands), replies, size)
        return replies


def _has_error(replies: list[Any]) -> bool:
    return any(isinstance(reply, Exception) for reply in replies)


def _check_server(hello: Any, *consents: Any) -> None:
    """Check that a server sends all invalidations.

    :param hello: its reply to ``HELLO``
    :param consents: its replies to ``CLIENT TRACKING`` and to the first ``CLIENT CACHING``
    """
    version = '' if isinstance(hello, Exception) else hello[b'version'].decode()
    refusals = [each for each in (hello, *consents) if isinstance(each, Exception)]
    if refusals:
        why = f'refuses CLIENT TRACKING: {refusals[0]}'
    elif tuple(map(int, version.split('.')[:2])) < _SERVER_VERSION:
        why = f'is of version {version}'
    else:
        return
    raise ConnectionSetupError(
        f'CLIENT_SIDE_CACHE cannot be used, since the server {why}. It takes Redis 7.2 or later, '
        'or Valkey, and a user with +client|tracking and +client|caching. Leave it at 0 otherwise.'
    )


def note_write() -> None:
    """Note that this process has written: invalidations may be under way."""
    global _writes
    _writes = object()
