"""Use the private attributes of redis-py that this library needs.

Rule: only the files of this package touch them. ``tests/house/test_redis_py_internals.py`` lists
each attribute with what breaks without it.
"""

from __future__ import annotations

import builtins
import contextlib
from time import monotonic
from typing import Any

import redis._parsers.hiredis as parsers
from redis.connection import DefaultParser, HiredisRespSerializer
from redis.exceptions import ConnectionError, TimeoutError

from ..wire import packable

__all__ = (
    'NOT_YET',
    'WRITER_GONE',
    'can_track',
    'close_now',
    'closed_meanwhile',
    'handle_by_redis_py',
    'link_of',
    'on_invalidation',
    'parser_of',
    'push_type_of',
    'read_more',
    'safe_options',
)

#: The result of hiredis while a reply is incomplete. Before redis-py 5.3 it is False.
NOT_YET = getattr(parsers, 'NOT_ENOUGH_DATA', False)


def link_of(connection: Any) -> Any:
    """Return the socket or writer of a connection; None while it is not connected."""
    return getattr(connection, '_sock', None) or getattr(connection, '_writer', None)


def parser_of(connection: Any) -> Any:
    """Return the parser if its hiredis reader can be used directly, else None.

    RESP3 sends messages between replies. redis-py tells them apart since version 7.
    """
    parser = connection._parser
    if type(parser) not in _HIREDIS:
        return None
    can_tell = push_type_of(parser) is not None or connection.protocol in (2, '2')
    return parser if can_tell else None


def push_type_of(parser: Any) -> Any:
    """Return the type of hiredis' messages; None if hiredis returns none."""
    return getattr(parser, '_hiredis_PushNotificationType', None)


def can_track(connection: Any) -> bool:
    """Whether messages of the server arrive, and polling for them reads nothing."""
    parser = connection._parser
    pushes = type(parser) not in _HIREDIS or push_type_of(parser) is not None
    can_handle = hasattr(parser, 'set_invalidation_push_handler') and pushes
    # On asyncio, redis-py 8 is the first version that polls without reading.
    return can_handle and connection.protocol in (3, '3') and hasattr(connection, 'can_read')


def on_invalidation(connection: Any, handler: Any) -> None:
    """Have redis-py call ``handler(message)`` for invalidation messages."""
    connection._parser.set_invalidation_push_handler(handler)


def handle_by_redis_py(connection: Any, message: Any) -> Any:
    """Have redis-py handle a message; on asyncio, return the awaitable."""
    return connection._parser.handle_push_response(message)


def read_more(parser: Any, begun: float | None) -> float:
    """Wait for more bytes of an answer; return the time at which the wait for the answer began.

    redis-py applies the time-out to each read, so an answer that trickles in would never time out.

    :param begun: that time; None at the first read of an answer
    :raises TimeoutError: if the answer takes longer than the time-out of the connection
    :raises ConnectionError: if the connection broke
    """
    read: Any = parsers._HiredisParser.read_from_socket
    limit: float | None = parser._socket_timeout
    now = monotonic()
    try:
        if parser._sock is None:  # another thread, or an interrupted one, closed it
            raise ConnectionError('The connection was closed.')
        if begun is None or limit is None:
            read(parser)
            return now
        if begun + limit <= now:
            raise builtins.TimeoutError
        read(parser, timeout=begun + limit - now)
        return begun
    except builtins.TimeoutError:  # up to redis-py 6, its parser raises it
        raise TimeoutError('Timeout reading from socket') from None
    except OSError as error:
        raise ConnectionError(f'Error while reading from socket: {error.args}') from error


_NOT_GIVEN: Any = parsers.SENTINEL  # type: ignore[attr-defined]


class _TimedParser(parsers._HiredisParser):
    """redis-py's parser, with one time-out for each answer.

    It reads the replies of the handshake. Executors call :func:`read_more` themselves.
    """

    _begun: float | None = None

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Return the next reply."""
        self._begun = None
        return super().read_response(*args, **options)

    def read_from_socket(self, timeout: Any = _NOT_GIVEN, raise_on_timeout: Any = True) -> Any:
        """Read the bytes that have arrived."""
        if timeout is not _NOT_GIVEN:  # a poll, with a time-out of its own
            return super().read_from_socket(timeout, raise_on_timeout)  # type: ignore[no-untyped-call]
        self._begun = read_more(self, self._begun)
        return True


# By type: `isinstance` takes 1 us, since these are relatives of a protocol class.
_HIREDIS = {parsers._HiredisParser, parsers._AsyncHiredisParser, _TimedParser}


class _SafePacker(HiredisRespSerializer):
    """redis-py's packer, with numbers as bytes for hiredis; see :func:`packable`."""

    def pack(self, *args: Any) -> Any:
        """Return the bytes of a command, in a list."""
        return super().pack(*map(packable, args))


def safe_options() -> dict[str, Any]:
    """Return keyword arguments that make connections of threads safe; without hiredis, none."""
    if DefaultParser is not parsers._HiredisParser:
        return {}
    return {'parser_class': _TimedParser, 'command_packer': _SafePacker()}


#: What redis-py meets where ``aclose`` took its writer away: None, or (in ``writelines`` of
#: Python 3.12) a transport that has lost its methods.
WRITER_GONE = (AttributeError, TypeError)


def closed_meanwhile(error: Exception, connection: Any) -> Exception:
    """Return the error to raise for one of :data:`WRITER_GONE`."""
    closed = link_of(connection) is None
    return ConnectionError('The connection was closed.') if closed else error


def close_now(connection: Any) -> None:
    """Close a connection of asyncio without waiting. Unsent bytes are dropped.

    ``disconnect()`` must be awaited, which a cancelled task may be unable to do.
    """
    writer = connection._writer
    connection._parser.on_disconnect()
    connection._reader = connection._writer = None
    if writer is not None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            writer.transport.abort()
