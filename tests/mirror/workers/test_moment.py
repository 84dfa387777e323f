"""One moment of the database for several connections, while others write to it."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from faults.writers.workers import wait_until
from sqlalchemy import text

from IndexedRedis import IndexedRedisModel, IRField, MirrorError, UsageError
from IndexedRedis.mirror.database import open_snapshot
from IndexedRedis.mirror.source import Source
from IndexedRedis.mirror.workers import moment
from IndexedRedis.mirror.workers.moment import check_dialect, join, one_moment
from mirror.conftest import server

WAITING = """
    SELECT count(*) FROM information_schema.processlist WHERE state LIKE '%metadata lock%'
"""


def source_of(name, statement):
    body = {'FIELDS': [IRField('id', valueType=int), IRField('n', valueType=int)]}
    model = type(IndexedRedisModel)(name, (IndexedRedisModel,), {**body, 'KEY_NAME': name})
    return Source(model, statement, {}, 'id', ())


@pytest.fixture(params=[server('mariadb'), server('postgresql')])
def sql(request, empty_database):
    engine = empty_database(request.param)
    with engine.begin() as connection:
        for table in ('one', 'two', 'other'):
            connection.execute(text(f'CREATE TABLE {table} (id INTEGER, n INTEGER)'))
            connection.execute(text(f'INSERT INTO {table} VALUES (1, 1)'))
        connection.execute(text('CREATE VIEW seen AS SELECT * FROM two'))
    return engine


@pytest.fixture
def sources():
    return [source_of('One', 'SELECT id, n FROM One o'), source_of('Two', 'SELECT * FROM seen')]


def write(sql, *tables):
    with sql.begin() as connection:
        for table in tables:
            connection.execute(text(f'UPDATE {table} SET n = n + 1'))


def seen(snapshot):
    rows = snapshot.connection.execute(
        text('SELECT one.n, two.n FROM one JOIN two ON one.id = two.id')
    )
    return tuple(rows.one())


def has_lock(sql):
    return sql.dialect.name != 'postgresql'


def lower(sql, sources):
    """The same sources for a server whose table names have upper and lower case."""
    return [source_of('One', 'SELECT id, n FROM one o'), sources[1]] if has_lock(sql) else sources


def test_all_connections_see_what_was_there_at_one_moment(sql, sources):
    sources = lower(sql, sources)
    writer = threading.Thread(target=write, args=(sql, 'one', 'two'))
    with ExitStack() as stack:
        run, first, second, late = (stack.enter_context(open_snapshot(sql)) for _ in range(4))
        with one_moment(run, sources) as words:
            join(first.connection, words)
            writer.start()
            if has_lock(sql):  # the writer waits, and the tables that are not mirrored are free
                wait_until(lambda: _waiting(sql) == 1)
                write(sql, 'other')
            else:
                writer.join()
            join(second.connection, words)
        writer.join()
        assert [seen(each) for each in (run, first, second)] == [(1, 1)] * 3
        assert seen(late) == (2, 2)


def _waiting(sql):
    with sql.connect() as connection:
        return connection.execute(text(WAITING)).scalar_one()


def test_a_transaction_that_is_not_over_is_waited_for_or_seen_by_nobody(sql, sources):
    sources = lower(sql, sources)
    with ExitStack() as stack:
        run, first = (stack.enter_context(open_snapshot(sql)) for _ in range(2))
        writing = sql.connect()
        writing.execute(text('UPDATE one SET n = 5'))
        if has_lock(sql):
            ending = threading.Thread(
                target=lambda: (wait_until(lambda: _waiting(sql) == 1), writing.commit())
            )
            ending.start()
        with one_moment(run, sources) as words:
            join(first.connection, words)
        if has_lock(sql):
            ending.join()
        writing.commit()
        writing.close()
        expected = (5, 1) if has_lock(sql) else (1, 1)
        assert [seen(run), seen(first)] == [expected, expected]


@pytest.mark.parametrize('sql', [server('mariadb')], indirect=True)
def test_a_transaction_that_does_not_end_is_not_waited_for(sql, sources, monkeypatch):
    monkeypatch.setattr(moment, 'LOCK_SECONDS', 1)
    with open_snapshot(sql) as run, sql.connect() as writing:
        writing.execute(text('UPDATE one SET n = 5'))
        with (
            pytest.raises(MirrorError, match=r'could not be locked .*: .1205, .Lock wait timeout'),
            one_moment(run, lower(sql, sources)),
        ):
            pass
    write(sql, 'one')  # nothing stays locked


@pytest.mark.parametrize('sql', [server('mariadb')], indirect=True)
def test_a_user_without_the_right_is_told_what_is_missing(sql, sources):
    with sql.begin() as connection:
        for line in (
            'CREATE USER IF NOT EXISTS reader@localhost',
            'CREATE USER IF NOT EXISTS reader@127.0.0.1',
            'GRANT SELECT ON shop.* TO reader@localhost',
            'GRANT SELECT ON shop.* TO reader@127.0.0.1',
        ):
            connection.execute(text(line))
    reader = sql.url.set(username='reader')
    with (
        open_snapshot(reader) as run,
        pytest.raises(MirrorError, match='rights SELECT and LOCK TABLES'),
        one_moment(run, lower(sql, sources)),
    ):
        pass


@pytest.mark.parametrize('sql', [server('mariadb')], indirect=True)
def test_selects_in_which_no_table_stands_are_refused(sql):
    with (
        open_snapshot(sql) as run,
        pytest.raises(UsageError, match='None of the tables'),
        one_moment(run, [source_of('One', 'SELECT 1 AS id, 2 AS n')]),
    ):
        pass


@pytest.mark.parametrize('name', ['sqlite', 'oracle', 'mssql', 'cockroachdb'])
def test_other_databases_are_refused_by_name(name):
    with pytest.raises(UsageError, match=f'the database is {name}. Load with workers=1'):
        check_dialect(name, 3)
