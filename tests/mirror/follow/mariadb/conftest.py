"""A MariaDB server that writes a binlog, and logs on its tables."""

from __future__ import annotations

import contextlib

import pytest

from IndexedRedis.mirror.follow.mariadb import MariadbSource
from IndexedRedis.testing.databases import Database, fresh, missing

LACKING = missing('mariadb')
# A long wait, which ends as soon as there is a commit.
LONG = 60
CONFIG = {
    'log-bin': 'binlog',
    'binlog-format': 'ROW',
    'server-id': '1',
    # What a failed test left locked is to fail the next one at once.
    'lock-wait-timeout': '5',
}


def pytest_itemcollected(item):
    item.add_marker('databases')
    if LACKING:
        item.add_marker(pytest.mark.skip(reason=f'mariadb is not tested: {LACKING}'))


@pytest.fixture(scope='package')
def maria():
    """A server with a binlog; its metadata is the least, as the default is."""
    with Database('mariadb', CONFIG) as database:
        yield database


@pytest.fixture
def engine(maria):
    """An engine on an empty database `shop`."""
    engine = fresh(maria, 'shop')
    yield engine
    engine.dispose()


@pytest.fixture
def run(engine):
    """`run('INSERT ...', 'UPDATE ...')`: in one transaction."""

    def run(*statements):
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    return run


@pytest.fixture
def track(run):
    """The table `track` with three rows."""
    run('CREATE TABLE track (id INT PRIMARY KEY, album INT, name VARCHAR(30))')
    run("INSERT INTO track VALUES (1, 10, 'one'), (2, 10, 'two'), (3, 20, 'three')")


@pytest.fixture
def opened(engine):
    """`opened({'shop.track': ('id',)})`: a log that reads what comes from now on."""
    with contextlib.ExitStack() as stack:

        def opened(tables, on=engine):
            log = MariadbSource().open(on, 'shop', tables)
            stack.callback(log.close)
            return log

        yield opened


@pytest.fixture
def log(track, opened):
    """A log of the table `track`, whose column `id` is wanted."""
    return opened({'shop.track': ('id',)})


@pytest.fixture
def snapshot(engine):
    """`with snapshot(log) as (connection, view)`: a transaction that has just begun."""

    @contextlib.contextmanager
    def snapshot(log, on=engine):
        with on.connect() as connection:
            connection.execution_options(isolation_level='REPEATABLE READ')
            connection.begin()
            yield connection, log.view(connection)
            connection.rollback()

    return snapshot


def up_to(log, snapshot):
    """Read all commits up to now."""
    with snapshot(log) as (_, view):
        return [commit for commit in log.read_until(view) if view.shows(commit)]
