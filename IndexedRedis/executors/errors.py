"""Errors of the executors. Rule: what leaves one is of redis-py's class or a subclass of it."""

from __future__ import annotations

from redis.exceptions import ConnectionError, OutOfMemoryError

from .._core.flows import NoConnection, ServerFull

__all__ = ('MissingScript', 'PoolExhaustedError', 'ServerFullError')


class MissingScript(Exception):
    """The server does not know a script, so it did not run. Executors send its text then."""


class ServerFullError(OutOfMemoryError, ServerFull):
    """The server is out of memory: redis-py's error, by a class that flows know."""


class PoolExhaustedError(ConnectionError, NoConnection):
    """No connection became free in time. Unlike other connection errors, it is not retried."""

    def __init__(self) -> None:
        super().__init__(
            'No connection available: all of the pool are in use. Raise max_connections, or run '
            'fewer threads or tasks.'
        )
