"""Client-side caching: what a connection is told, so that answers that came over it can be kept.

The rule: the server is asked to tell this very connection (RESP3) when a key changes that an answer
was read from. What it tells comes in order with the replies, so an answer is given again only after
all that has arrived was looked at, and only if

- this process has written nothing since the connection was last asked anything: then what the
  server tells of it has arrived;
- the connection was asked something in the last second: if the network fails silently, nothing is
  told.

Whether something has arrived is looked at once a millisecond at most. Each look is a system call,
at which threads would hand Python's lock to each other: with eight of them it cost half of all
pages.
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

#: what comes back when a message was taken
HANDLED = object()
# Seconds for which a connection is trusted to tell of changes without having been heard.
TRUST_SECONDS = 1.0
# Seconds after which it is looked again whether something has arrived.
POLL_SECONDS = 0.001

_ON = pack(Batch([('HELLO',), ('CLIENT', 'TRACKING', 'ON', 'OPTIN')]))
# Before, a server told of the keys that were named to a script, not of those that it read.
_SINCE = 7, 2
_NEXT = pack(Batch([('CLIENT', 'CACHING', 'YES')]))
# Another object whenever this process has written something.
_writes = object()


class Clock:
    """Says when to look."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether it is time to look what has arrived; whoever asks does so."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + POLL_SECONDS
        return True


class TrackedReplies:
    """What one connection remembers, as long as it is connected.

    :param link: what stands for its being connected
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
        """Take a message that keys have changed."""
        try:
            self._cache.change(message[1])
        except BaseException:  # which redis-py would only log
            self.link = None
            raise
        return HANDLED

    async def ainvalidate(self, message: Sequence[Any]) -> Any:
        """As :meth:`invalidate`, for asyncio."""
        return self.invalidate(message)

    def has(self, batch: CachedBatch) -> bool:
        """Whether there is an answer that may be given again, as far as was looked."""
        trusted = self._writes is _writes and time.monotonic() <= self._trusted
        return trusted and batch in self._cache

    def get(self, batch: CachedBatch) -> Sequence[Any] | None:
        """Return the replies to some commands as they are remembered; None where the server has to
        be asked."""
        return self._cache.get(batch) if self.has(batch) else None

    def request(self, batch: Batch) -> bytes:
        """Return the bytes that ask for a batch, and to be told of changes."""
        self._asked = _writes, self._cache.invalidations
        data = [] if self._on else [_ON]
        for command in batch.commands:
            data += _NEXT, pack(Batch([command]))
        return b''.join(data)

    def reply_count(self, batch: Batch) -> int:
        """Return how many replies that gets."""
        return 2 * len(batch.commands) + (0 if self._on else 2)

    def receive(self, batch: Batch, replies: list[Any], most: int) -> list[Any]:
        """Take the replies; return those to the batch.

        :param most: how many answers to remember at most
        :raises ConnectionSetupError: if the server does not tell of changes
        """
        if not self._on:
            hello, tracking, *replies = replies
            _check_server(hello, tracking, replies[0])
            self._on = True
        consents, replies = replies[::2], replies[1::2]
        if any(isinstance(consent, Exception) for consent in consents):
            # Somebody has turned it off.
            self._on = False
            self._cache.change(None)
            return replies
        self._trusted = time.monotonic() + TRUST_SECONDS
        self._writes, told = self._asked
        # What changed meanwhile may be what was read.
        if told == self._cache.invalidations and not any(
            isinstance(each, Exception) for each in replies
        ):
            self._cache.keep(tuple(batch.commands), replies, most)
        return replies


def _check_server(hello: Any, *consents: Any) -> None:
    """Make sure that a server tells of all changes.

    :param hello: what it said to ``HELLO``
    :param consents: to ``CLIENT TRACKING``, and to the first ``CLIENT CACHING``
    """
    version = '' if isinstance(hello, Exception) else hello[b'version'].decode()
    refusals = [each for each in (hello, *consents) if isinstance(each, Exception)]
    if refusals:
        why = f'refuses CLIENT TRACKING: {refusals[0]}'
    elif tuple(map(int, version.split('.')[:2])) < _SINCE:
        why = f'is of version {version}'
    else:
        return
    raise ConnectionSetupError(
        f'CLIENT_SIDE_CACHE cannot be used, since the server {why}. It takes Redis 7.2 or later, '
        'or Valkey, and a user with +client|tracking and +client|caching. Leave it at 0 otherwise.'
    )


def note_write() -> None:
    """Note that this process has written: what connections are told of it may be under way."""
    global _writes
    _writes = object()
