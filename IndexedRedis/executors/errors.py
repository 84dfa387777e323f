"""Errors of the executors. Rule: callers get exceptions of redis-py's classes or subclasses."""

from __future__ import annotations

from redis.exceptions import ConnectionError, OutOfMemoryError, RedisError, ResponseError

from .._core.flows import Fenced, NoConnection, ServerFull

__all__ = ('FencedError', 'MissingScript', 'PoolExhaustedError', 'Refused', 'ServerFullError')


class MissingScript(Exception):
    """The server does not have a script, so it did not run it. Executors then send the text."""


class Refused(Exception):
    """A node refused a command that another node, or the same one later, may carry out.

    :param error: its reply
    """

    def __init__(self, error: RedisError) -> None:
        super().__init__(error)
        self.error = error


class ServerFullError(OutOfMemoryError, ServerFull):
    """The server is out of memory: redis-py's error, as a subclass of one that flows catch."""


class FencedError(ResponseError, Fenced):
    """A script met a fence, and wrote nothing: an error of the server that flows catch."""


class PoolExhaustedError(ConnectionError, NoConnection):
    """No connection became free in time. Unlike other connection errors, it is not retried."""

    def __init__(self) -> None:
        super().__init__(
            'No connection available: all of the pool are in use. Raise max_connections, or run '
            'fewer threads or tasks.'
        )
