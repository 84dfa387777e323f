"""Track invalidation messages, so that cached replies stay valid.

The server is asked to tell this connection (RESP3) when a key changes that a reply was read from.
Its messages come in order with the replies. Rule: a reply is given from the cache only after all
pending messages were read, and only if

- this process has written nothing since the connection last sent a request: then the messages
  about its own writes have arrived;
- the connection had a reply in the last second: a network that fails silently carries no messages.

Pending messages are looked for once a millisecond at most. Each look is a system call, at which
threads hand Python's lock to each other: with eight threads that took half of the time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..._core.flows import Batch
from ...errors import ConnectionSetupError
from ..wire import pack
from .reply_cache import CachedBatch, ReplyCache

__all__ = ('HANDLED', 'Clock', 'TrackedReplies', 'note_write')

#: what a handler of messages returns
HANDLED = object()
# Seconds after its last reply for which a connection is trusted to carry messages.
TRUST_SECONDS = 1.0
# Seconds between two looks for pending messages.
POLL_SECONDS = 0.001

_ON = pack(Batch([('HELLO',), ('CLIENT', 'TRACKING', 'ON', 'OPTIN')]))
_NEXT = pack(Batch([('CLIENT', 'CACHING', 'YES')]))
# Older servers send invalidations for the keys named to a script, not for those that it reads.
_SERVER_VERSION = 7, 2
# Another object whenever this process has written something.
_writes = object()


class Clock:
    """Says when to look for pending messages."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether it is time to look; the caller does so then."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + POLL_SECONDS
        return True


class TrackedReplies:
    """The cache of one connection, as long as that is connected.

    :param link: what stands for its being connected; None later on if the cache is not valid
    """

    def __init__(self, link: Any) -> None:
        self.link = link
        self.clock = Clock()
        self._cache = ReplyCache()
        self._on = False
        self._trusted = 0.0  # until then
        self._writes: object = None
        self._asked: tuple[object, int] = None, 0

    def invalidate(self, message: Sequence[Any]) -> Any:
        """Handle an invalidation message."""
        try:
            self._cache.invalidate(message[1])
        except BaseException:  # which redis-py may only log
            self.link = None
            raise
        return HANDLED

    async def ainvalidate(self, message: Sequence[Any]) -> Any:
        """As :meth:`invalidate`, of asyncio."""
        return self.invalidate(message)

    def has(self, batch: CachedBatch) -> bool:
        """Whether there are replies that are valid, as far as the messages read so far say."""
        trusted = self._writes is _writes and time.monotonic() <= self._trusted
        return trusted and batch in self._cache

    def get(self, batch: CachedBatch) -> Sequence[Any] | None:
        """Return the cached replies to a batch; None if the server has to be asked."""
        return self._cache.get(batch) if self.has(batch) else None

    def request(self, batch: Batch) -> bytes:
        """Return the bytes that send a batch and ask for invalidations of what it reads."""
        self._asked = _writes, self._cache.invalidations
        data = [] if self._on else [_ON]
        for command in batch.commands:
            data += _NEXT, pack(Batch([command]))
        return b''.join(data)

    def reply_count(self, batch: Batch) -> int:
        """Return how many replies :meth:`request` gets."""
        return 2 * len(batch.commands) + (0 if self._on else 2)

    def receive(self, batch: Batch, replies: list[Any], size: int) -> list[Any]:
        """Cache the replies that :meth:`request` got; return those to the batch.

        :param size: how many batches to cache at most
        :raises ConnectionSetupError: if the server sends no invalidations
        """
        if not self._on:
            hello, tracking, *replies = replies
            _check_server(hello, tracking, replies[0])
            self._on = True
        consents, replies = replies[::2], replies[1::2]
        if _has_error(consents):  # another user of the connection has turned tracking off
            self._on = False
            self._cache.invalidate(None)
            return replies
        self._trusted = time.monotonic() + TRUST_SECONDS
        self._writes, invalidations = self._asked
        # An invalidation that came meanwhile may be of what these replies were read from.
        if invalidations == self._cache.invalidations and not _has_error(replies):
            self._cache.keep(tuple(batch.commands), replies, size)
        return replies


def _has_error(replies: list[Any]) -> bool:
    return any(isinstance(reply, Exception) for reply in replies)


def _check_server(hello: Any, *consents: Any) -> None:
    """Make sure that a server sends all invalidations.

    :param hello: its reply to ``HELLO``
    :param consents: those to ``CLIENT TRACKING``, and to the first ``CLIENT CACHING``
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
    """Note that this process has written: invalidations of that may be under way."""
    global _writes
    _writes = object()
