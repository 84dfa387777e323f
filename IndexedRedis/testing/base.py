"""The interface of a server for tests, and its error."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from ..errors import IndexedRedisError

__all__ = ('VARIABLE', 'NoServerError', 'ServerForTests')

VARIABLE = 'INDEXEDREDIS_TEST_URL'
DATABASES = 16  # the default of a server


class NoServerError(IndexedRedisError, RuntimeError):
    """No server, or no database, is there for tests; the message says how to get one."""


class ServerForTests:
    """A server for tests; :func:`serverForTests` returns it.

    As a context manager it is given up at the end of the block. All data of this server belongs to
    the tests.
    """

    def __init__(self, params: dict[str, Any], stop: Callable[[], None]) -> None:
        self._params = params
        self._stop = stop

    @property
    def params(self) -> dict[str, Any]:
        """The connection parameters for models and ``redis.Redis``, a new dict each time."""
        return self.params_of(0)

    def params_of(self, number: int) -> dict[str, Any]:
        """Return the parameters of a further database, for models that name another server.

        :raises NoServerError: if the server has no more databases
        """
        if number >= DATABASES:
            raise NoServerError(
                f'the models of this test name more than {DATABASES} servers or databases, and the '
                f'test server has {DATABASES} databases. Test them in several tests.'
            )
        return {**self._params, 'db': number}

    def clear(self) -> None:
        """Delete all data of the tests."""
        import redis

        with contextlib.closing(redis.Redis(**self.params)) as client:
            client.flushall()

    def stop(self) -> None:
        """Stop the server; if it is shared, empty the databases of the tests."""
        self._stop()

    def __enter__(self) -> ServerForTests:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
