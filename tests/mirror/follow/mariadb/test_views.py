"""Which commits a snapshot shows, and going on from it."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from faults.writers.workers import wait_until
from sqlalchemy import create_engine, text

from IndexedRedis.mirror.database import open_snapshot
from IndexedRedis.mirror.follow.log import LogBrokenError, LogLostError
from mirror.follow.mariadb.conftest import LONG, up_to

TRACK = 'shop.track'
DRIVERS = ['pymysql', 'mysqlconnector']


@pytest.fixture(params=DRIVERS)
def by_driver(request, engine):
    """An engine with each driver."""
    made = create_engine(engine.url.set(drivername=f'mysql+{request.param}'))
    yield made
    made.dispose()


def ids(connection):
    return [row[0] for row in connection.exec_driver_sql('SELECT id FROM track ORDER BY id')]


def test_a_snapshot_shows_the_commits_before_it(track, opened, run, by_driver, snapshot):
    log = opened({TRACK: ('id',)}, by_driver)
    run('DELETE FROM track WHERE id = 1')
    with snapshot(log, by_driver) as (connection, view):
        run('DELETE FROM track WHERE id = 2')
        assert ids(connection) == [2, 3]
        shown = log.read_until(view)
        later = log.read(LONG) if len(shown) == 1 else [shown.pop()]
        assert [commit.touched for commit in shown] == [{TRACK: {(1,)}}]
        assert [commit.touched for commit in later] == [{TRACK: {(2,)}}]
        assert [view.shows(commit) for commit in shown + later] == [True, False]
    assert by_driver.pool.checkedout() == 0
    with by_driver.connect() as connection:
        assert ids(connection) == [3]


def test_a_snapshot_while_a_transaction_is_open(log, engine, run, snapshot):
    with engine.connect() as writer:
        writer.exec_driver_sql('DELETE FROM track WHERE id = 1')
        run('DELETE FROM track WHERE id = 2')
        with snapshot(log) as (connection, view):
            writer.commit()
            assert ids(connection) == [1, 3]
            commits = log.read_until(view)
            while len(commits) < 2:
                commits += log.read(LONG)
            shown = [commit.touched for commit in commits if view.shows(commit)]
            assert shown == [{TRACK: {(2,)}}]
    with snapshot(log) as (connection, view):
        assert ids(connection) == [3]
        assert all(view.shows(commit) for commit in commits)


def test_the_snapshot_of_a_run_can_be_asked(track, opened, run, by_driver):
    log = opened({TRACK: ('id',)}, by_driver)
    with open_snapshot(by_driver) as snapshot:
        connection = snapshot._connection
        view = log.view(connection)
        run('DELETE FROM track WHERE id = 2')
        # An error ends a savepoint only, and the snapshot stays.
        assert snapshot.count(text('SELECT nothing FROM track')) is None
        assert snapshot.count(text('SELECT id FROM track')) == 3
        assert ids(connection) == [1, 2, 3]
        assert log.read_until(view) == []
    with open_snapshot(by_driver) as snapshot:
        log.view(snapshot._connection)
        assert ids(snapshot._connection) == [1, 3]


def test_a_binlog_that_goes_on_in_another_file(log, run, snapshot):
    run('DELETE FROM track WHERE id = 1')
    run('FLUSH BINARY LOGS')
    with snapshot(log) as (_, view):
        (commit,) = log.read_until(view)
        assert view.shows(commit)
    run('FLUSH BINARY LOGS', 'FLUSH BINARY LOGS')
    with snapshot(log) as (_, view):
        # No commit follows; the view is at the end of what begins the file.
        assert log.read_until(view) == []
        run('DELETE FROM track WHERE id = 2')
        (later,) = log.read(LONG)
        assert not view.shows(later)
    assert commit.end < later.end


def test_going_on_from_a_stored_position(log, run, opened, snapshot):
    run('DELETE FROM track WHERE id = 1')
    with snapshot(log) as (_, view):
        log.read_until(view)
        position = view.position
    assert ' ' not in position
    run('FLUSH BINARY LOGS')
    run('DELETE FROM track WHERE id = 2')
    again = opened({TRACK: ('id',)})
    view = again.at(position)
    assert view.position == position
    commits = up_to(again, snapshot)
    assert [commit.touched for commit in commits] == [{TRACK: {(2,)}}]
    assert not view.shows(commits[0])


def test_a_view_before_anything_was_read(log, opened, snapshot, run):
    with snapshot(log) as (_, view):
        position = view.position
    again = opened({TRACK: ('id',)})
    again.at(position)
    run('DELETE FROM track WHERE id = 2')
    assert [commit.touched for commit in again.read(LONG)] == [{TRACK: {(2,)}}]


def test_lag_is_what_was_not_read(log, run, snapshot):
    up_to(log, snapshot)
    # The server adds events to a new file that belong to no commit.
    wait_until(lambda: not log.read(0) and log.lag() == 0)
    run('DELETE FROM track WHERE id = 1', 'DELETE FROM track WHERE id = 2')
    before = log.lag()
    run('FLUSH BINARY LOGS')
    assert 0 < before < log.lag()
    up_to(log, snapshot)
    # The server adds events to a new file that belong to no commit.
    wait_until(lambda: not log.read(0) and log.lag() == 0)


def purged(engine, kept):
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PURGE BINARY LOGS TO '{kept}'")
        files = connection.exec_driver_sql('SHOW BINARY LOGS').all()
    return files[0][0] == kept


def test_a_purged_binlog_is_lost(log, engine, run, opened, snapshot):
    with snapshot(log) as (_, view):
        position = view.position
    run('FLUSH BINARY LOGS', 'FLUSH BINARY LOGS')
    with snapshot(log) as (_, view):
        kept = view.place.file
    # The server keeps a file until its own threads have left it.
    wait_until(lambda: purged(engine, kept))
    with pytest.raises(LogLostError, match=r'has purged its binlog binlog.0.*All data has to be'):
        opened({TRACK: ('id',)}).at(position)
    # One that is not connected yet, and begins there.
    with pytest.raises(LogLostError, match=r'cannot send its binlog.*All data has to be'):
        log.read(LONG)


@pytest.mark.parametrize(
    ('number', 'value', 'message'),
    [
        (1, '7', 'server_id 7, and this one has 1'),
        (2, '77', 'is another one than that which was read'),
        (4, '999999999', r'ends at \d+, before 999999999'),
        (4, '4294967296', r'ends at \d+, before 4294967296'),
        (0, 'lsn', 'is not a position in a binlog of MariaDB'),
        (3, 'binlog', 'is not a position'),
        (3, 'binlog.999999', 'has purged its binlog'),
    ],
)
def test_a_position_of_another_binlog_is_lost(log, opened, snapshot, number, value, message):
    with snapshot(log) as (_, view):
        parts = view.position.split(':')
    parts[number] = value
    with pytest.raises(LogLostError, match=message):
        opened({TRACK: ('id',)}).at(':'.join(parts))


def test_a_snapshot_of_another_server_is_refused(log, run, snapshot):
    run('SET GLOBAL server_id = 2')
    try:
        message = 'server_id 2, and the log is that of 1'
        with pytest.raises(LogBrokenError, match=message), snapshot(log):
            pass
    finally:
        run('SET GLOBAL server_id = 1')


SNAPSHOTS = 60


def test_each_snapshot_shows_exactly_its_commits_while_others_write(log, engine, run, snapshot):
    stop, first = threading.Event(), itertools.count(1000)

    def write(number):
        with engine.connect() as connection:
            while not stop.is_set():
                for _ in range(number):
                    connection.exec_driver_sql(f'INSERT INTO track VALUES ({next(first)}, 1, NULL)')
                if number == 3:
                    connection.exec_driver_sql('SAVEPOINT here')
                    connection.exec_driver_sql(f'INSERT INTO track VALUES ({next(first)}, 1, NULL)')
                    connection.exec_driver_sql('ROLLBACK TO here')
                connection.rollback() if number == 4 else connection.commit()

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in (1, 2, 3, 4)]
        try:
            commits = []
            for number in range(SNAPSHOTS):
                commits += log.read(0)
                with snapshot(log) as (connection, view):
                    found = ids(connection)
                commits += log.read_until(view)
                shown = [commit for commit in commits if view.shows(commit)]
                seen = {key for commit in shown for (key,) in commit.touched[TRACK]}
                assert {1, 2, 3} | seen == set(found)
                assert commits[: len(shown)] == shown
                if number % 20 == 0:
                    run('FLUSH BINARY LOGS')
        finally:
            stop.set()
        for writer in writers:
            writer.result()
    assert len(shown) > SNAPSHOTS / 10
