"""What the tests of the bank share: databases with logs, a bank in each, and its followers."""

from __future__ import annotations

import itertools
from contextlib import ExitStack

import pytest

import IndexedRedis as IR
from IndexedRedis.testing.databases import KINDS, Database, fresh
from mirror.conftest import CONFIG, server
from mirror.follow.bank.history import History
from mirror.follow.bank.process import Process
from mirror.follow.bank.tables import MODELS, fill, mirror_of

MORE = {
    # A follower that was killed, or whose network is frozen, is given up after this. While one
    # reads 100,000 rows from the log its transaction is idle: for seconds on a busy machine.
    'postgresql': {
        'wal_sender_timeout': '3s',
        'deadlock_timeout': '100ms',
        'idle_in_transaction_session_timeout': '20s',
    },
    'mariadb': {'innodb-flush-log-at-trx-commit': '1', 'innodb-lock-wait-timeout': '2'},
}
_numbers = itertools.count(1)


def pytest_itemcollected(item):
    item.add_marker('faults')
    item.add_marker('histories')


@pytest.fixture(params=[server(kind) for kind in KINDS])
def database(request, running):
    """A server of each kind, which may be killed."""
    kind, name = request.param, f'bank in {request.param}'
    if name not in running:
        running[name] = Database(kind, {**CONFIG[kind], **MORE[kind]})
    return running[name]


@pytest.fixture
def own_redis(redis_params, new_server):
    """`own_redis(appendonly='yes')`: a server of this test, which is the library's default."""

    def start(**config):
        server = new_server(**config)
        IR.setDefaultRedisConnectionParams(server.params)
        return server

    return start


@pytest.fixture
def engine(database, redis_params):
    """A bank in a database of its own."""
    engine = fresh(database, f'bank{next(_numbers)}')
    with engine.begin() as connection:
        fill(connection)
    yield engine
    mirror_of(engine).unfollow()
    engine.dispose()


@pytest.fixture
def bank(engine, request):
    """`bank(client)`: a history of the bank in this Redis that has not begun."""
    return lambda client: History(engine, client, request.config.getoption('--seed'))


@pytest.fixture
def history(bank, raw, watch_models):
    """A history that has not begun; the models are judged at the end of the test."""
    watch_models(*MODELS)
    return bank(raw)


@pytest.fixture
def follower(engine, redis_params, tmp_path):
    """`follower()`: start a follower of the bank in another process; it ends with the test."""
    with ExitStack() as stack:

        def start(url=None, params=None, naive=''):
            folder = tmp_path / str(next(_numbers))
            folder.mkdir()
            url = (url or engine.url).render_as_string(hide_password=False)
            process = Process(url, params or redis_params, folder, naive)
            return stack.enter_context(process.start())

        yield start
