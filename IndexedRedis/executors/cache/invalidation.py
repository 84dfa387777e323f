"""What a connection of redis-py is told by the server, and what it remembers.

The rule: what is remembered goes with the connection, which loses it by being connected anew.
"""

from __future__ import annotations

import inspect
from typing import Any

from redis.exceptions import ConnectionError

from ...errors import ConnectionSetupError
from .reply_cache import CachedBatch
from .tracking import HANDLED, TrackedReplies

__all__ = (
    'aread_invalidations',
    'has_cached',
    'has_pending',
    'read_invalidations',
    'start_tracking',
    'tracked_replies_of',
)

# What redis-py gives for a message: what its handler returned, or nothing.
_MESSAGES = (HANDLED, None)
_UNCONNECTED = object()


def tracked_replies_of(connection: Any) -> TrackedReplies | None:
    """Return what a connection remembers; None if it never did, or was connected anew since."""
    tracked: TrackedReplies | None = getattr(connection, 'indexedredis_tracked', None)
    return tracked if tracked is not None and tracked.link is _link(connection) else None


def has_cached(connection: Any, batch: CachedBatch) -> bool:
    """Whether a connection remembers an answer; see :meth:`TrackedReplies.has`."""
    tracked = tracked_replies_of(connection)
    return tracked is not None and tracked.has(batch)


def start_tracking(connection: Any) -> TrackedReplies:
    """The same; from now on it remembers.

    :raises ConnectionSetupError: if it cannot be told anything
    """
    tracked = tracked_replies_of(connection)
    if tracked is None:
        if not _gets_invalidations(connection):
            raise ConnectionSetupError(
                'CLIENT_SIDE_CACHE needs connections over RESP3: redis-py 8 and hiredis 3.2, or '
                "later, and no 'protocol': 2 among the connection parameters."
            )
        tracked = connection.indexedredis_tracked = TrackedReplies(_link(connection))
        of_asyncio = inspect.iscoroutinefunction(connection.read_response)
        handler = tracked.ainvalidate if of_asyncio else tracked.invalidate
        connection._parser.set_invalidation_push_handler(handler)
    return tracked


def read_invalidations(connection: Any) -> None:
    """Take all that has come in unasked.

    :raises ConnectionError: if it is a reply; the connection is closed then
    """
    while connection.can_read():
        message = connection.read_response(push_request=True)
        if message not in _MESSAGES:
            connection.disconnect()
            raise ConnectionError(f'A reply that nobody waits for: {message!r}')


async def has_pending(connection: Any) -> bool:
    """Whether something has come in over a connection of asyncio, if only that it is closed."""
    try:
        return bool(await connection.can_read())
    except ConnectionError:
        return True


async def aread_invalidations(connection: Any) -> None:
    """As :func:`drain`, for asyncio."""
    while await connection.can_read():
        message = await connection.read_response(push_request=True)
        if message not in _MESSAGES:
            await connection.disconnect(nowait=True)
            raise ConnectionError(f'A reply that nobody waits for: {message!r}')


def _gets_invalidations(connection: Any) -> bool:
    """Whether messages of the server arrive: redis-py tells them from replies since version 7."""
    parser = connection._parser
    pushes = getattr(parser, '_hiredis_PushNotificationType', True)  # the other parser knows them
    told = hasattr(parser, 'set_invalidation_push_handler') and pushes is not None
    # On asyncio, version 8 is the first that can look without reading.
    return told and connection.protocol in (3, '3') and hasattr(connection, 'can_read')


def _link(connection: Any) -> Any:
    """What is another object whenever it was connected anew; of asyncio, the writer."""
    link = getattr(connection, '_sock', None) or getattr(connection, '_writer', None)
    return link or _UNCONNECTED
