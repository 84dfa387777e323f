"""The fixtures of ``IndexedRedis.testing`` for pytest, which loads this file at every start.

The rule: without a fixture nothing happens: no server, no import of redis-py, no warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope='session')
def indexedredis_server() -> Iterator[Any]:
    """A real server for this session, or for this worker of pytest-xdist.

    See ``IndexedRedis.testing.serverForTests``.
    """
    from . import NoServerError, serverForTests

    try:
        server = serverForTests()
    except NoServerError as error:
        pytest.fail(str(error), pytrace=False)
    with server:
        yield server


@pytest.fixture
def indexedredis_models(indexedredis_server: Any) -> Iterator[Any]:
    """All models on an empty database for this test; see ``IndexedRedis.testing.modelsOn``."""
    from . import NoServerError, modelsOn

    try:
        with modelsOn(indexedredis_server):
            yield indexedredis_server
    except NoServerError as error:
        pytest.fail(str(error), pytrace=False)
