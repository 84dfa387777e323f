"""What the tests of PostgreSQL's log share: a server that writes one, and a shop."""

from __future__ import annotations

import pytest

from IndexedRedis.testing.databases import fresh
from mirror.conftest import CONFIG, running_server, server
from mirror.follow.postgres.shop import Shop

SETTINGS = CONFIG['postgresql']


@pytest.fixture(scope='session', params=[server('postgresql')])
def logical(running):
    """A server of PostgreSQL with a log that can be followed."""
    return running_server(running, 'postgresql')


@pytest.fixture
def engine(logical):
    """An engine on an empty database."""
    engine = fresh(logical, 'logged')
    yield engine
    engine.dispose()


@pytest.fixture
def shop(engine):
    """A shop of two tables that are followed, and one that is not."""
    with Shop(engine) as shop:
        yield shop
