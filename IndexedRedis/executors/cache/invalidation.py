"""Bind a cache of replies to the connection that receives its invalidations.

Rule: a cache ends with its connection. A new connection starts an empty cache.
"""

from __future__ import annotations

import inspect
from typing import Any

from redis.exceptions import ConnectionError

from ...errors import ConnectionSetupError
from ..pools.internals import can_track, handle_by_redis_py, link_of, on_invalidation
from .reply_cache import CachedBatch
from .tracking import HANDLED, TrackedReplies

__all__ = (
    'aread_invalidations',
    'counts_of',
    'handle_push',
    'has_cached',
    'has_pending',
    'read_invalidations',
    'start_tracking',
    'tracked_replies_of',
)


def tracked_replies_of(connection: Any) -> TrackedReplies | None:
    """Return the valid cache of a connection, or None."""
    tracked: TrackedReplies | None = getattr(connection, 'indexedredis_tracked', None)
    if tracked is None or tracked.link is None or tracked.link is not link_of(connection):
        return None
    return tracked


def counts_of(connection: Any) -> tuple[int, int, int]:
    """Return how many batches a connection has cached, and its hits and misses so far."""
    known: TrackedReplies | None = getattr(connection, 'indexedredis_tracked', None)
    if known is None:
        return 0, 0, 0
    valid = tracked_replies_of(connection)
    return (0 if valid is None else valid.entries), known.hits, known.misses


def has_cached(connection: Any, batch: CachedBatch) -> bool:
    """Whether a connection has cached the replies to a batch; see :meth:`TrackedReplies.has`."""
    tracked = tracked_replies_of(connection)
    return tracked is not None and tracked.has(batch)


def start_tracking(connection: Any) -> TrackedReplies:
    """Return the connection's cache; create it if needed.

    :raises ConnectionSetupError: if invalidations cannot be received
    """
    tracked = tracked_replies_of(connection)
    if tracked is None:
        if not can_track(connection):
            raise ConnectionSetupError(
                'CLIENT_SIDE_CACHE needs connections over RESP3: redis-py 8 and hiredis 3.2, or '
                "later, and no 'protocol': 2 among the connection parameters."
            )
        tracked = TrackedReplies(link_of(connection))
        _, tracked.hits, tracked.misses = counts_of(connection)
        of_asyncio = inspect.iscoroutinefunction(connection.read_response)
        on_invalidation(connection, tracked.ainvalidate if of_asyncio else tracked.invalidate)
        connection.indexedredis_tracked = tracked
    return tracked


def handle_push(connection: Any, message: Any) -> Any:
    """Handle a message that came in between replies.

    Invalidations are handled here, since redis-py only logs what its handlers raise.

    :returns: None; on asyncio also an awaitable that the caller must await
    """
    tracked = tracked_replies_of(connection)
    if tracked is not None and message[0] == b'invalidate':
        tracked.invalidate(message)
        return None
    return handle_by_redis_py(connection, message)


def read_invalidations(connection: Any) -> None:
    """Read pending invalidations.

    :raises ConnectionError: if a reply arrives instead; then the connection is closed
    """
    while connection.can_read():
        message = connection.read_response(push_request=True)
        if not _is_message(connection, message):
            connection.disconnect()
            raise ConnectionError(f'A reply that nobody waits for: {message!r}')


async def aread_invalidations(connection: Any) -> None:
    """Do what :func:`read_invalidations` does, on asyncio."""
    while await connection.can_read():
        message = await connection.read_response(push_request=True)
        if not _is_message(connection, message):
            await connection.disconnect(nowait=True)
            raise ConnectionError(f'A reply that nobody waits for: {message!r}')


def _is_message(connection: Any, message: Any) -> bool:
    """Whether redis-py read a message: it returns the handler's result, or None after an error."""
    if message is None:
        connection.indexedredis_tracked = None
    return message is None or message is HANDLED


async def has_pending(connection: Any) -> bool:
    """Whether a connection of asyncio has unread data, or was closed."""
    try:
        return bool(await connection.can_read())
    except ConnectionError:
        return True
