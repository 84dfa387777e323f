"""The fixtures of ``IndexedRedis.testing`` for pytest, which loads this file at every start.

The rule: without a fixture nothing happens: no server, no import of redis-py, no warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


@pytest.fixture(scope='session')
def indexedredis_session_cluster() -> Iterator[Any]:
    """The cluster behind ``indexedredis_cluster``, as the tests before have left it."""
    from .clusters import start_cluster

    yield from _group(start_cluster)


@pytest.fixture
def indexedredis_cluster(indexedredis_session_cluster: Any) -> Any:
    """An empty cluster of three primaries and three replicas, all well.

    See ``IndexedRedis.testing.clusters.start_cluster``. It starts once a session, and each test may
    kill or pause nodes.
    """
    indexedredis_session_cluster.heal()
    indexedredis_session_cluster.clear()
    return indexedredis_session_cluster


@pytest.fixture(scope='session')
def indexedredis_session_sentinels() -> Iterator[Any]:
    """The servers behind ``indexedredis_sentinels``, as the tests before have left them."""
    from .clusters import start_sentinels

    yield from _group(start_sentinels)


@pytest.fixture
def indexedredis_sentinels(indexedredis_session_sentinels: Any) -> Any:
    """An empty primary with two replicas, and three sentinels, all well.

    See ``IndexedRedis.testing.clusters.start_sentinels``. They start once a session, and each test
    may kill or pause processes.
    """
    indexedredis_session_sentinels.heal()
    indexedredis_session_sentinels.clear()
    return indexedredis_session_sentinels


def _group(start: Callable[[], Any]) -> Iterator[Any]:
    from . import NoServerError

    try:
        group = start()
    except NoServerError as error:
        pytest.fail(str(error), pytrace=False)
    with group:
        yield group
