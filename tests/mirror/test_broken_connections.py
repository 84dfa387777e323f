"""A connection of the pool that the server has closed is told as SQLAlchemy tells it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from IndexedRedis.mirror.database import open_snapshot
from mirror.conftest import server

KILL = {
    'mariadb': ('SELECT CONNECTION_ID()', 'KILL {}'),
    'postgresql': ('SELECT pg_backend_pid()', 'SELECT pg_terminate_backend({})'),
}


def run_elsewhere(engine, statement):
    other = sa.create_engine(engine.url)
    with other.begin() as connection:
        connection.execute(sa.text(statement))
    other.dispose()


@pytest.mark.parametrize('kind', [server('mariadb'), server('postgresql')])
def test_a_snapshot_on_it_fails_and_the_next_one_works(empty_database, kind):
    engine = empty_database(kind)
    number, kill = KILL[kind]

    def read():
        with open_snapshot(engine) as snapshot:
            return snapshot.connection.scalar(sa.text(number))

    pid = read()
    run_elsewhere(engine, kill.format(pid))
    with pytest.raises(OperationalError) as broken:
        read()
    assert broken.value.connection_invalidated
    assert read() != pid


@pytest.mark.parametrize('ask', ['column_names', 'columns', 'count'])
@pytest.mark.parametrize('kind', [server('mariadb'), server('postgresql')])
def test_a_question_that_may_fail_tells_of_it(empty_database, kind, ask):
    """Not its consequence, which the next statement would tell."""
    engine = empty_database(kind)
    number, kill = KILL[kind]
    with open_snapshot(engine) as snapshot:
        run_elsewhere(engine, kill.format(snapshot.connection.scalar(sa.text(number))))
        with pytest.raises(OperationalError) as broken:
            getattr(snapshot, ask)(sa.text('SELECT 1 AS x'))
        assert broken.value.connection_invalidated
