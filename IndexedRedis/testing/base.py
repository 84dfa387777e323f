"""What the fixtures of real servers have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from ..errors import IndexedRedisError

__all__ = (
    'NoServerError',
    'ServerForTests',
)


VARIABLE = 'INDEXEDREDIS_TEST_URL'

DATABASES = 16  # a server has as many unless it is told otherwise


class NoServerError(IndexedRedisError, RuntimeError):
    """There is no server, or no database, that tests may use; the message says how to get one."""


class ServerForTests:
    """A server that tests may use; :func:`serverForTests` makes them.

    As a context manager it is given up at the end of the block. This one we started: all of it is
    ours.
    """

    def __init__(self, params: dict[str, Any], stop: Callable[[], None]) -> None:
        self._params = params
        self._stop = stop

    @property
    def params(self) -> dict[str, Any]:
        """Connection parameters (``host``, ``port``, ``db``, ...) of the tests' database, as models
        and ``redis.Redis`` take them; a new dict each time."""
        return self.params_of(0)

    def params_of(self, number: int) -> dict[str, Any]:
        """The same of a further database, for models that the application keeps elsewhere.

        :raises NoServerError: if there is none
        """
        if number >= DATABASES:
            raise NoServerError(
                f'the models of this test name more than {DATABASES} servers or databases; the '
                'test server has no database left to stand for another'
            )
        return {**self._params, 'db': number}

    def clear(self) -> None:
        """Delete all data of the tests."""
        import redis

        with contextlib.closing(redis.Redis(**self.params)) as client:
            client.flushall()

    def stop(self) -> None:
        """Give the server up: stop it, or leave it as it was found."""
        self._stop()

    def __enter__(self) -> ServerForTests:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
