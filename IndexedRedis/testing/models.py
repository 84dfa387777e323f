"""Binds all models to the test server, for the time of a test."""

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

Place = tuple[Any, ...]


@contextlib.contextmanager
def modelsOn(server: ServerForTests) -> Iterator[None]:
    """Have all models live on this server while the block runs, in a database that is empty now.

    This holds for every model, whatever parameters or client it names, also for those that are
    defined, or connected by ``connectAlt``, meanwhile; and it holds on where the application calls
    ``setDefaultRedisConnectionParams`` or ``embedded.connect``. Models of one place share a
    database, those of another (``{'db': 5}``) have another. Afterwards all is as before.

    :param server: as :func:`serverForTests` gives it
    :raises NoServerError: if there is no database for the tests
    """
    server.clear()
    before = getDefaultRedisConnectionParams()
    with redirected(_Places(server, before).instead_of):
        setDefaultRedisConnectionParams(server.params)
        try:
            yield
        finally:
            setDefaultRedisConnectionParams(before)


class _Places:
    """Which database stands for which place of the application, numbered as they are used."""

    def __init__(self, server: ServerForTests, defaults: Mapping[str, Any]) -> None:
        self._server = server
        self._lock = threading.Lock()
        # What the application names in full is the same place as its defaults.
        self._numbers = {_place(defaults): 0}

    def instead_of(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters to use in the place of others."""
        pool = params.get('connection_pool')
        place = _place(params if pool is None else pool.connection_kwargs)
        number = 0 if place == self._default() else self._number(place)
        return self._server.params_of(number)

    def _default(self) -> Place:
        # Asked anew each time: applications set their own when they start, inside of a test too.
        return _place(getDefaultRedisConnectionParams())

    def _number(self, place: Place) -> int:
        with self._lock:
            return self._numbers.setdefault(place, len(self._numbers))


def _place(params: Mapping[str, Any]) -> Place:
    """Return what two sets of parameters have in common that lead to the same database."""
    params = without_url(params)
    database = str(params.get('db') or 0)
    path = params.get('unix_socket_path') or params.get('path')
    if path:
        return (str(path), database)
    return (params.get('host') or 'localhost', str(params.get('port') or 6379), database)
