"""Tools for tests of an application: a real server, empty for each test, and a round trip count.

The rule: models reach the test server only, and the tools delete only data that tests wrote. With
the library installed, pytest has the fixtures ``indexedredis_server`` and ``indexedredis_models``.
Without pytest::

    with serverForTests() as server, modelsOn(server):
        ...

``IndexedRedis.testing.clusters`` starts clusters, sentinels and replicas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..connections import recordTrips
    from .base import NoServerError, ServerForTests
    from .models import modelsOn
    from .servers import serverForTests
    from .trips import assertNumRoundTrips

__all__ = (
    'NoServerError',
    'ServerForTests',
    'assertNumRoundTrips',
    'modelsOn',
    'recordTrips',
    'serverForTests',
)

# pytest imports this package at every start: servers, and with them redis-py, are imported at their
# first use.
_MODULES = {
    **dict.fromkeys(('NoServerError', 'ServerForTests'), '.base'),
    'serverForTests': '.servers',
    'assertNumRoundTrips': '.trips',
    'modelsOn': '.models',
    'recordTrips': '..connections',
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_MODULES[name], __name__), name)
