"""All models on the test server, for the time of a test."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from .. import getDefaultRedisConnectionParams, setDefaultRedisConnectionParams
from ..connections.params import without_url
from ..connections.threads import redirected
from .base import ServerForTests

__all__ = ('modelsOn',)

# Host and port, or a path, and the database.
Location = tuple[Any, ...]


@contextlib.contextmanager
def modelsOn(server: ServerForTests) -> Iterator[None]:
    """Move all models to this server while the block runs, to a database that is empty at first.

    This covers every model, whatever parameters or client it names, also models that are defined,
    or connected by ``connectAlt``, in the block. The application may call
    ``setDefaultRedisConnectionParams`` or ``embedded.connect``. Models that name one database share
    one; models that name another (``{'db': 5}``) share another. The old connections return at the
    end.

    :param server: that of :func:`serverForTests`
    :raises NoServerError: if there is no database for the tests
    """
    server.clear()
    before = getDefaultRedisConnectionParams()
    with redirected(_Databases(server, before).params_for):
        setDefaultRedisConnectionParams(server.params)
        try:
            yield
        finally:
            setDefaultRedisConnectionParams(before)


class _Databases:
    """The test database of each location that the application names, numbered as they come."""

    def __init__(self, server: ServerForTests, defaults: Mapping[str, Any]) -> None:
        self._server = server
        self._lock = threading.Lock()
        # Parameters in full lead to the same location as the defaults.
        self._numbers = {_location(defaults): 0}

    def params_for(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters of the test database for the application's parameters."""
        pool = params.get('connection_pool')
        location = _location(params if pool is None else pool.connection_kwargs)
        # Read each time: an application sets its defaults when it starts, in a test too.
        if location == _location(getDefaultRedisConnectionParams()):
            return self._server.params_of(0)
        with self._lock:
            number = self._numbers.setdefault(location, len(self._numbers))
        return self._server.params_of(number)


def _location(params: Mapping[str, Any]) -> Location:
    """Return the location of a database, equal for all parameters that lead to it."""
    params = without_url(params)
    database = str(params.get('db') or 0)
    path = params.get('unix_socket_path') or params.get('path')
    if path:
        return (str(path), database)
    return (params.get('host') or 'localhost', str(params.get('port') or 6379), database)
