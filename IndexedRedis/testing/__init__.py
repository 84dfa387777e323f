"""What tests of an application need: a real server, empty for each test, and a count of round
trips.

The rule: a test reaches the test server and no other, and data that the tests did not write is
never deleted. pytest has the fixtures ``indexedredis_server`` and ``indexedredis_models`` as soon
as the library is installed; without pytest the same is::

    with serverForTests() as server, modelsOn(server):
        ...
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

# pytest imports this package at every start, wherever the library is installed: servers, and with
# them redis-py, are imported when they are asked for.
_PLACES = {
    **dict.fromkeys(('NoServerError', 'ServerForTests'), '.base'),
    'serverForTests': '.servers',
    'assertNumRoundTrips': '.trips',
    'modelsOn': '.models',
    'recordTrips': '..connections',
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_PLACES[name], __name__), name)
