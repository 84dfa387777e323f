"""What is missing to follow tables. The rule: each problem is told by name, with what helps."""

from __future__ import annotations

import contextlib
import sys

import pytest
from sqlalchemy import create_engine

from IndexedRedis import MissingExtraError, UsageError
from IndexedRedis.mirror.follow.log import LogLostError
from IndexedRedis.mirror.follow.mariadb import MariadbSource
from IndexedRedis.mirror.follow.mariadb.checks import plan
from IndexedRedis.testing.databases import Database

TRACK = {'shop.track': ('id',)}


@pytest.fixture
def planned(engine, track):
    """`planned(tables)`: the plan."""

    def planned(tables=TRACK, on=engine):
        with on.connect() as connection:
            return MariadbSource().plan(connection, 'shop', tables)

    return planned


def test_a_limit_for_the_slot_is_refused(engine):
    told = pytest.raises(UsageError, match=r'slotLimit is for PostgreSQL.*expire_logs_days')
    with engine.connect() as connection, told:
        MariadbSource().kept(connection, 'shop')


@pytest.fixture
def setting(run):
    """`setting(binlog_format='MIXED')`, until the end of the test."""
    with contextlib.ExitStack() as stack:

        def setting(value, **names):
            ((name, old),) = names.items()
            stack.callback(run, f'SET GLOBAL {name} = {old}')
            run(f'SET GLOBAL {name} = {value}')

        yield setting


@pytest.fixture
def user(run, engine):
    """`user('SELECT ON shop.*')`: an engine of a user with some rights."""
    with contextlib.ExitStack() as stack:

        def user(*rights):
            run("CREATE OR REPLACE USER plain@'%%' IDENTIFIED BY 'secret-word'")
            stack.callback(run, "DROP USER IF EXISTS plain@'%%'")
            for right in rights:
                run(f"GRANT {right} TO plain@'%%'")
            made = create_engine(engine.url.set(username='plain', password='secret-word'))
            stack.callback(made.dispose)
            return made

        yield user


def test_nothing_is_missing(planned):
    assert planned() == ([], [], [])


@pytest.mark.parametrize(
    ('name', 'value', 'old', 'why'),
    [
        ('binlog_format', 'MIXED', 'ROW', 'the binlog has statements without rows'),
        ('binlog_format', 'STATEMENT', 'ROW', 'the binlog has statements without rows'),
        ('log_bin_compress', 'ON', 'OFF', 'compressed events are not read'),
    ],
)
def test_a_setting_that_the_user_may_change(planned, engine, setting, user, name, value, old, why):
    setting(value, **{name: old})
    found = planned()
    assert found == ([], [f'SET GLOBAL {name} = {old}'], [])
    with engine.connect() as connection:
        MariadbSource().prepare(connection, found)
    assert planned() == ([], [], [])
    setting(value, **{name: old})
    rights = ('SELECT ON shop.*', 'REPLICATION SLAVE, BINLOG MONITOR ON *.*')
    (problem,), statements, _ = planned(on=user(*rights))
    assert statements == []
    assert problem.startswith(f'{name} is {value}, so {why}. Set {name}={old} in the conf')


def test_a_row_image_without_the_wanted_columns(planned, setting):
    setting('MINIMAL', binlog_row_image='FULL')
    assert planned() == ([], [], [])
    tables = {'shop.track': ('id', 'name')}
    assert planned(tables).statements == ['SET GLOBAL binlog_row_image = FULL']


def test_rights(planned, user):
    (problem,), _, _ = planned(on=user('SELECT ON shop.*'))
    assert 'plain@% may not read the binlog' in problem
    assert "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'plain'@'%'" in problem
    (problem,), _, _ = planned(on=user('SELECT ON shop.*', 'REPLICATION SLAVE ON *.*'))
    assert 'GRANT BINLOG MONITOR ON *.*' in problem
    enough = user('SELECT ON shop.*', 'REPLICATION SLAVE, REPLICATION CLIENT ON *.*')
    assert planned(on=enough) == ([], [], [])


def test_the_rights_are_enough_to_follow(track, user, run, opened):
    enough = user('SELECT ON shop.*', 'REPLICATION SLAVE, REPLICATION CLIENT ON *.*')
    log = opened(TRACK, enough)
    run('DELETE FROM track WHERE id = 1')
    with enough.connect() as connection:
        view = log.view(connection)
        (commit,) = log.read_until(view)
        assert (commit.touched, log.lag()) == ({'shop.track': {(1,)}}, 0)
        opened(TRACK, enough).at(view.position)


def test_without_rights_the_error_says_which(track, user):
    with pytest.raises(LogLostError, match='GRANT REPLICATION SLAVE, BINLOG MONITOR') as caught:
        MariadbSource().open(user('SELECT ON shop.*'), 'shop', TRACK)
    assert 'secret-word' not in str(caught.value)
    log = MariadbSource().open(user('SELECT ON shop.*', 'BINLOG MONITOR ON *.*'), 'shop', TRACK)
    with pytest.raises(LogLostError, match='GRANT REPLICATION SLAVE, BINLOG MONITOR'):
        log.read(1)


@pytest.mark.parametrize('kind', ['MyISAM', 'Aria', 'MEMORY'])
def test_an_engine_without_transactions(planned, run, kind):
    run(f'ALTER TABLE track ENGINE={kind}')
    (problem,), _, _ = planned()
    assert problem.startswith(f'shop.track: its engine {kind} has no transactions')
    assert 'ENGINE=InnoDB' in problem


def test_tables_and_columns_that_are_not_there(planned):
    problems, _, _ = planned({'shop.gone': ('id',), 'shop.track': ('gone', 'id')})
    assert [problem.split(':')[0] for problem in problems] == ['shop.gone', 'shop.track.gone']


def test_mysql_is_refused(engine):
    with engine.connect() as connection:
        connection.dialect.is_mariadb = False
        (problem,), statements, _ = plan(connection, TRACK)
    assert statements == []
    assert problem.startswith('The server is MySQL')
    assert '--every' in problem


def test_what_foreign_keys_change_is_a_warning(planned, run):
    run('CREATE TABLE album (id INT PRIMARY KEY)')
    run('INSERT INTO album VALUES (10), (20)')
    run('ALTER TABLE track ADD FOREIGN KEY (album) REFERENCES album (id) ON DELETE CASCADE')
    problems, statements, (warning,) = planned()
    assert (problems, statements) == ([], [])
    assert warning.startswith('shop.album: where a row is deleted, foreign keys change rows of sho')


def test_a_parent_whose_own_keys_cannot_be_seen(planned, run, user):
    run('CREATE TABLE album (id INT PRIMARY KEY)', 'DELETE FROM track')
    run('ALTER TABLE track ADD FOREIGN KEY (album) REFERENCES album (id) ON DELETE CASCADE')
    on = user('SELECT ON shop.track', 'REPLICATION SLAVE, BINLOG MONITOR ON *.*')
    problems, _, _ = planned(on=on)
    assert [problem.split(':')[0] for problem in problems] == ['shop.album']
    assert 'GRANT SELECT' in problems[0]


def test_names_of_tables(engine, run, track):
    run('CREATE OR REPLACE DATABASE other', 'CREATE TABLE other.album (id INT)')
    run('CREATE VIEW tracks AS SELECT id FROM track')
    source = MariadbSource()
    with engine.connect() as connection:
        names = [
            source.name_of(connection, *given)
            for given in [('track', None), ('track', 'shop'), ('album', 'other'), ('album', None)]
        ]
        assert names == ['shop.track', 'shop.track', 'other.album', None]
        assert source.name_of(connection, 'tracks', None) is None
        assert source.drop(connection, 'shop') == []
    run('DROP DATABASE other')


def test_a_server_without_a_binlog():
    with Database('mariadb') as database:
        engine = create_engine(database.url())
        with engine.connect() as connection:
            (problem,), statements, _ = plan(connection, {})
        assert problem.startswith('The server writes no binlog. Set log_bin, binlog_format=ROW')
        assert statements == []
        with pytest.raises(LogLostError, match='writes no binlog'):
            MariadbSource().open(engine, 'shop', {})
        engine.dispose()


def test_a_database_that_is_left_out_of_the_binlog():
    with Database(
        'mariadb', {'log-bin': 'binlog', 'binlog-format': 'ROW', 'binlog-ignore-db': 'x'}
    ) as it:
        engine = create_engine(it.url())
        with engine.begin() as connection:
            connection.exec_driver_sql('CREATE DATABASE x')
            connection.exec_driver_sql('CREATE TABLE x.t (id INT PRIMARY KEY)')
            (problem,), _, _ = plan(connection, {'x.t': ('id',)})
        assert problem.startswith('The server writes no changes of the database x to its binlog')
        engine.dispose()


def test_a_missing_driver_is_told(engine, track, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pymysql', None)
    with pytest.raises(MissingExtraError, match='mysql-follow'):
        MariadbSource().open(engine, 'shop', TRACK)
