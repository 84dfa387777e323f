"""Connections that break, and servers that stop. The rule: each error is one of the log."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest
from faults.writers.workers import wait_until
from sqlalchemy import create_engine

from IndexedRedis.mirror.follow.log import LogBrokenError, LogLostError
from IndexedRedis.mirror.follow.mariadb import MariadbSource, stream
from IndexedRedis.testing.databases import Database, fresh
from mirror.follow.mariadb.conftest import CONFIG, LONG, up_to

TRACK = {'shop.track': ('id',)}


def dumping(engine):
    """The connections that read the binlog."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql('SHOW PROCESSLIST').all()
    return [row[0] for row in rows if row[4] == 'Binlog Dump']


def test_a_connection_that_is_killed(log, engine, run, opened, snapshot):
    with snapshot(log) as (_, view):
        position = view.position
    assert log.read(0) == []
    wait_until(lambda: dumping(engine))
    for number in dumping(engine):
        run(f'KILL {number}')
    with pytest.raises(LogBrokenError, match='connection to MariaDB broke'):
        while True:
            run('DELETE FROM track WHERE id = 1')
            log.read(1)
    again = opened(TRACK)
    again.at(position)
    run('DELETE FROM track WHERE id = 2')
    assert [each.touched for each in up_to(again, snapshot)][-1] == {'shop.track': {(2,)}}


def test_a_server_that_goes_silent(log, run, monkeypatch, maria):
    monkeypatch.setattr(stream, 'SILENT_SECONDS', 0.5)
    assert log.read(0) == []
    process = maria._process
    os.kill(process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(LogBrokenError, match='not even a heartbeat'):
            log.read(LONG)
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_heartbeats_keep_a_quiet_connection(log, run, monkeypatch, opened):
    monkeypatch.setattr(stream, 'HEARTBEAT_SECONDS', 0.05)
    monkeypatch.setattr(stream, 'SILENT_SECONDS', 3.0)
    assert log.read(4) == []
    run('DELETE FROM track WHERE id = 1')
    assert len(log.read(LONG)) == 1


def stopped(database, how):
    """Stop a server, and what would end it with this process; return what was its process."""
    guard, process = database._guard, database._process
    guard.kill()
    guard.stdin.close()
    guard.wait()
    process.send_signal(how)
    process.wait()
    return process


@pytest.mark.parametrize('how', [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_stops_and_starts_again(how):
    with Database('mariadb', CONFIG) as database, contextlib.ExitStack() as stack:
        engine = fresh(database, 'shop')
        stack.callback(engine.dispose)
        run_on(engine, 'CREATE TABLE track (id INT PRIMARY KEY)')
        log = MariadbSource().open(engine, 'shop', TRACK)
        stack.callback(log.close)
        run_on(engine, 'INSERT INTO track VALUES (1), (2)')
        with engine.connect() as connection:
            view = log.view(connection)
            assert len(log.read_until(view)) == 1
            position = view.position
        process = stopped(database, how)
        with pytest.raises(LogBrokenError):
            while True:
                log.read(1)
        with pytest.raises(LogBrokenError):
            log.lag()
        with pytest.raises(LogBrokenError):
            MariadbSource().open(engine, 'shop', TRACK)
        database._launch(process.args)
        database._wait_started()
        again = MariadbSource().open(engine, 'shop', TRACK)
        stack.callback(again.close)
        again.at(position)
        run_on(engine, 'REPLACE INTO track VALUES (3)')
        with engine.connect() as connection:
            commits = again.read_until(again.view(connection))
        # A server that was killed may have lost what it had committed.
        crash = [] if how == signal.SIGTERM else [{'shop.track'}]
        assert [each.whole for each in commits] == [*crash, set()]
        assert commits[-1].touched == {'shop.track': {(3,)}}
        run_on(engine, 'RESET MASTER')
        late = MariadbSource().open(engine, 'shop', TRACK)
        with pytest.raises(LogLostError):
            late.at(position)


def run_on(engine, statement):
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_no_message_has_the_password(engine, track):
    url = engine.url.set(username='nobody', password='secret-word')
    with pytest.raises((LogBrokenError, LogLostError)) as caught:
        MariadbSource().open(create_engine(url), 'shop', TRACK)
    assert 'secret-word' not in str(caught.value)
    assert 'nobody' in str(caught.value)


def test_what_an_engine_adds_to_its_url_is_used(engine, track, run):
    run("CREATE OR REPLACE USER plain@'%%' IDENTIFIED BY 'secret-word'")
    run("GRANT ALL ON *.* TO plain@'%%'")
    made = create_engine(
        engine.url.set(username='nobody'),
        connect_args={'user': 'plain', 'password': 'secret-word'},
    )
    log = MariadbSource().open(made, 'shop', TRACK)
    run('DELETE FROM track WHERE id = 1')
    assert len(log.read(LONG)) == 1
    log.close()
    made.dispose()
    run("DROP USER plain@'%%'")


def test_an_engine_with_a_creator_is_refused(engine, track):
    made = create_engine(engine.url, creator=engine.pool._creator)
    with pytest.raises(LogLostError, match='has a creator of its own'):
        MariadbSource().open(made, 'shop', TRACK)
    made.dispose()
