"""What a connection of redis-py is told by the server, and what it remembers.

The rule: what is remembered goes with the connection, which loses it by being connected anew.
"""

from __future__ import annotations

import inspect
from typing import Any

from redis.exceptions import ConnectionError

from ...errors import ConnectionSetupError
from .answers import Question
from .tracking import TOLD, Recall

__all__ = ('adrain', 'drain', 'knows', 'recall_of', 'start_recall', 'was_told')

# What redis-py gives for a message: what its handler returned, or nothing.
_MESSAGES = (TOLD, None)
_UNCONNECTED = object()


def recall_of(connection: Any) -> Recall | None:
    """Return what a connection remembers; None if it never did, or was connected anew since."""
    recall: Recall | None = getattr(connection, 'indexedredis_recall', None)
    return recall if recall is not None and recall.link is _link(connection) else None


def knows(connection: Any, question: Question) -> bool:
    """Whether a connection remembers an answer; see :meth:`Recall.knows`."""
    recall = recall_of(connection)
    return recall is not None and recall.knows(question)


def start_recall(connection: Any) -> Recall:
    """The same; from now on it remembers.

    :raises ConnectionSetupError: if it cannot be told anything
    """
    recall = recall_of(connection)
    if recall is None:
        if not _is_told(connection):
            raise ConnectionSetupError(
                'CLIENT_SIDE_CACHE needs connections over RESP3: redis-py 8 and hiredis 3.2, or '
                "later, and no 'protocol': 2 among the connection parameters."
            )
        recall = connection.indexedredis_recall = Recall(_link(connection))
        of_asyncio = inspect.iscoroutinefunction(connection.read_response)
        told = recall.atold if of_asyncio else recall.told
        connection._parser.set_invalidation_push_handler(told)
    return recall


def drain(connection: Any) -> None:
    """Take all that has come in unasked.

    :raises ConnectionError: if it is a reply; the connection is closed then
    """
    while connection.can_read():
        message = connection.read_response(push_request=True)
        if message not in _MESSAGES:
            connection.disconnect()
            raise ConnectionError(f'A reply that nobody waits for: {message!r}')


async def was_told(connection: Any) -> bool:
    """Whether something has come in over a connection of asyncio, if only that it is closed."""
    try:
        return bool(await connection.can_read())
    except ConnectionError:
        return True


async def adrain(connection: Any) -> None:
    """As :func:`drain`, for asyncio."""
    while await connection.can_read():
        message = await connection.read_response(push_request=True)
        if message not in _MESSAGES:
            await connection.disconnect(nowait=True)
            raise ConnectionError(f'A reply that nobody waits for: {message!r}')


def _is_told(connection: Any) -> bool:
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
