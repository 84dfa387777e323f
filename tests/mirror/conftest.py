"""What the tests of the mirror share: an empty SQL database of each kind, and a reader."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import create_engine

from IndexedRedis.testing.databases import Database, fresh, missing
from mirror import catalogue
from mirror.reader import reading


def server(kind):
    """A kind of database that runs in a server, skipped where that is missing."""
    lacking = missing(kind)
    skipped = [pytest.mark.skip(reason=f'{kind} is not tested: {lacking}')] if lacking else []
    return pytest.param(kind, marks=[pytest.mark.databases, *skipped])


def pytest_itemcollected(item):
    if 'reader' in item.fixturenames:
        item.add_marker('mirrors')


KINDS = ['sqlite', server('mariadb'), server('postgresql')]
# Their logs can be followed; small transactions of PostgreSQL come in parts.
CONFIG = {
    'postgresql': {
        'wal_level': 'logical',
        'logical_decoding_work_mem': '64kB',
        'max_replication_slots': '20',
        'max_wal_senders': '20',
    },
    'mariadb': {
        'log-bin': 'binlog',
        'binlog-format': 'ROW',
        'binlog-row-metadata': 'FULL',
        'server-id': '1',
    },
}
_running = {}


def running_server(running, kind):
    """The server of a kind, started at the first call.

    :param running: the fixture
    """
    if kind not in running:
        running[kind] = Database(kind, CONFIG[kind])
    return running[kind]


@pytest.fixture(scope='session')
def running():
    """The servers that were started so far, by kind."""
    yield _running
    while _running:
        _running.popitem()[1].stop()


@pytest.fixture
def lite(tmp_path):
    """An engine on an empty SQLite file."""
    engine = create_engine(f'sqlite:///{tmp_path / "shop.sqlite"}')
    yield engine
    engine.dispose()


@pytest.fixture
def empty_database(request, running):
    """`empty_database('mariadb')`: an engine on an empty database of a kind."""
    engines = []

    def make(kind):
        if kind == 'sqlite':
            return request.getfixturevalue('lite')
        engines.append(fresh(running_server(running, kind), 'shop'))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture(params=KINDS)
def sql(request, empty_database):
    """An engine on an empty database of each kind."""
    return empty_database(request.param)


@pytest.fixture
def shop(sql, watch_models, reader):
    """The catalogue, edition 1, in each kind of database, and a reader beside; its models are
    judged at the end."""
    with sql.begin() as connection:
        catalogue.fill(connection)
    watch_models(*catalogue.TABLES)
    return sql


@pytest.fixture(scope='session')
def filled_file(tmp_path_factory):
    """The catalogue in a file of SQLite, to be copied."""
    path = tmp_path_factory.mktemp('catalogue') / 'shop.sqlite'
    engine = create_engine(f'sqlite:///{path}')
    with engine.begin() as connection:
        catalogue.fill(connection)
    engine.dispose()
    return path


@pytest.fixture
def small(lite, filled_file, watch_models):
    """The catalogue in SQLite."""
    shutil.copy(filled_file, lite.url.database)
    watch_models(*catalogue.TABLES)
    return lite


@pytest.fixture
def reader(redis_params):
    """Reads while the test runs; it fails if it saw what cannot be."""
    with reading(redis_params) as reader:
        yield reader
