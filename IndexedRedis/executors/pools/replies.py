"""Replies that have arrived already, taken from hiredis itself.

redis-py's ``read_response`` spends 2 us on a reply (asyncio: 5) to find out that hiredis has it; of
thousands of rows that is as much as to make objects of them. So it waits for the first reply, and
what came along with that one is taken here.
"""

from __future__ import annotations

from typing import Any

import redis._parsers.hiredis as parsers
from redis.exceptions import ResponseError

__all__ = ('arrived', 'handle_push')

# Before redis-py 5.3 hiredis says False.
_NOT_YET = getattr(parsers, 'NOT_ENOUGH_DATA', False)
_KNOWN = (parsers._HiredisParser, parsers._AsyncHiredisParser)


def arrived(connection: Any, most: int) -> tuple[list[Any], Any]:
    """Return replies that need not be waited for, up to so many; error replies as exceptions. And
    the message that nobody asked for, for :func:`handle_push`, if one came in between.

    :param connection: one from which a reply was just read
    :raises redis.exceptions.ConnectionError: if a reply says that the connection is of no use
    """
    replies: list[Any] = []
    parser = connection._parser
    reader: Any = parser._reader if isinstance(parser, _KNOWN) else None
    # RESP3 mixes messages in, which redis-py can tell from replies since version 7.
    push = getattr(parser, '_hiredis_PushNotificationType', None)
    if reader is None or (push is None and connection.protocol not in (2, '2')):
        return replies, None
    while len(replies) < most:
        reply = reader.gets()
        if reply is _NOT_YET:
            break
        if type(reply) is push:
            return replies, reply
        if isinstance(reply, Exception) and not isinstance(reply, ResponseError):
            raise reply
        replies.append(reply)
    return replies, None


def handle_push(connection: Any, message: Any) -> Any:
    """Have redis-py do what it does about a message (of asyncio: return the awaitable)."""
    return connection._parser.handle_push_response(message)
