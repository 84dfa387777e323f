"""Which rows a commit touched. The rule: a commit is returned whole, once, when it is one."""

from __future__ import annotations

import datetime
import threading

import pytest

from IndexedRedis.mirror.follow.log import MOST_ROWS, LogLostError
from IndexedRedis.mirror.follow.mariadb.events import Event
from IndexedRedis.mirror.follow.mariadb.position import place
from mirror.follow.mariadb.conftest import LONG, up_to

TRACK = 'shop.track'


def test_each_kind_of_change(log, run):
    run(
        "INSERT INTO track VALUES (4, 20, 'four')",
        "UPDATE track SET name = 'a' WHERE id = 1",
        'UPDATE track SET id = 9 WHERE id = 2',
        'DELETE FROM track WHERE id = 3',
    )
    (commit,) = log.read(LONG)
    assert commit.touched == {TRACK: {(4,), (1,), (2,), (9,), (3,)}}
    assert (commit.changes, commit.whole) == (4, set())
    age = datetime.datetime.now(datetime.UTC) - commit.at
    assert age < datetime.timedelta(minutes=1)
    assert log.read(0) == []


def test_several_columns_are_wanted_in_an_order_of_their_own(track, run, opened):
    log = opened({TRACK: ('name', 'id')})
    run("UPDATE track SET name = 'uno', album = 11 WHERE id = 1")
    (commit,) = log.read(LONG)
    assert commit.touched == {TRACK: {('one', 1), ('uno', 1)}}


def test_null_is_none(track, run, opened):
    log = opened({TRACK: ('album',)})
    run('UPDATE track SET album = NULL WHERE id = 1')
    (commit,) = log.read(LONG)
    assert commit.touched == {TRACK: {(10,), (None,)}}


def test_a_read_ends_as_soon_as_there_is_a_commit(log, run):
    found = []
    thread = threading.Thread(target=lambda: found.extend(log.read(LONG)))
    thread.start()
    run('DELETE FROM track WHERE id = 3')
    thread.join(LONG / 2)
    assert [commit.touched for commit in found] == [{TRACK: {(3,)}}]


def test_commits_come_in_order(log, run, snapshot):
    for number in range(50):
        run(f'INSERT INTO track VALUES (1{number}, 1, NULL)')
    commits = up_to(log, snapshot)
    assert [commit.touched[TRACK] for commit in commits] == [{(int(f'1{n}'),)} for n in range(50)]
    assert commits == sorted(commits, key=lambda commit: commit.end)


def test_rows_of_a_transaction_that_was_not_committed_are_not_read(log, engine, run, snapshot):
    with engine.connect() as connection:
        connection.exec_driver_sql('DELETE FROM track WHERE id = 1')
        run('DELETE FROM track WHERE id = 2')
        assert [commit.touched for commit in up_to(log, snapshot)] == [{TRACK: {(2,)}}]
        connection.rollback()
    run('DELETE FROM track WHERE id = 3')
    assert [commit.touched for commit in up_to(log, snapshot)] == [{TRACK: {(3,)}}]


def test_what_a_savepoint_took_back_is_not_read(log, run):
    run(
        'DELETE FROM track WHERE id = 1',
        'SAVEPOINT here',
        'DELETE FROM track WHERE id = 2',
        'ROLLBACK TO here',
        'DELETE FROM track WHERE id = 3',
    )
    (commit,) = log.read(LONG)
    assert commit.touched == {TRACK: {(1,), (3,)}}


def test_other_tables_and_databases_are_passed_by(log, run, snapshot):
    run('CREATE TABLE other (id INT PRIMARY KEY)', 'INSERT INTO other VALUES (1)')
    run('CREATE OR REPLACE DATABASE other', 'CREATE TABLE other.track (id INT)')
    run('INSERT INTO other.track VALUES (1)')
    run('DROP DATABASE other')
    assert up_to(log, snapshot) == []


@pytest.mark.parametrize(
    'statement',
    [
        'TRUNCATE track',
        'ALTER TABLE track ADD COLUMN extra INT',
        'alter table `shop`.`track` drop column album',
        'RENAME TABLE track TO gone',
        'DROP TABLE track',
        'DROP DATABASE shop',
        '/* by a tool */ CREATE OR REPLACE TABLE track (id INT PRIMARY KEY) SELECT 1 AS id',
    ],
)
def test_a_table_that_was_altered_is_whole(log, run, statement):
    run(statement)
    commits = log.read(LONG)
    assert {table for commit in commits for table in commit.whole} == {TRACK}


@pytest.mark.parametrize(
    'statement',
    ['ANALYZE TABLE track', 'OPTIMIZE TABLE track', 'CREATE TABLE IF NOT EXISTS track (id INT)'],
)
def test_statements_that_change_no_row(log, run, snapshot, statement):
    run(statement)
    assert up_to(log, snapshot) == []


def test_rows_after_a_column_was_added_before_the_key(log, run, snapshot):
    run('ALTER TABLE track ADD COLUMN extra BIGINT FIRST')
    run("INSERT INTO track VALUES (77, 4, 40, 'four')")
    commits = up_to(log, snapshot)
    assert [(commit.touched, commit.whole) for commit in commits] == [
        ({}, {TRACK}),
        ({TRACK: {(4,)}}, set()),
    ]


def test_rows_from_before_a_column_was_added(track, run, opened, snapshot):
    log = opened({TRACK: ('id',)})
    with snapshot(log) as (_, view):
        position = view.position
    run("INSERT INTO track VALUES (4, 40, 'four')")
    run('ALTER TABLE track ADD COLUMN extra BIGINT FIRST')
    run("INSERT INTO track VALUES (77, 5, 50, 'five')")
    late = opened({TRACK: ('id',)})
    late.at(position)
    commits = up_to(late, snapshot)
    assert set().union(*(commit.whole for commit in commits)) == {TRACK}
    assert commits[-1].touched == {TRACK: {(5,)}}


def test_a_large_commit_names_its_table_only(log, run):
    run('INSERT INTO track SELECT seq, 1, NULL FROM seq_1000_to_100999')
    (commit,) = log.read(LONG)
    assert (commit.touched, commit.whole, commit.changes) == ({}, {TRACK}, 100_000)
    run(f'DELETE FROM track WHERE id > 1000 LIMIT {MOST_ROWS}')
    (commit,) = log.read(LONG)
    assert (len(commit.touched[TRACK]), commit.whole) == (MOST_ROWS, set())


def test_a_commit_larger_than_a_packet(run, opened):
    run('CREATE TABLE big (id INT PRIMARY KEY, text LONGTEXT)')
    log = opened({'shop.big': ('id',)})
    run("INSERT INTO big VALUES (1, REPEAT('x', 10000000)), (2, REPEAT('y', 10000000))")
    (commit,) = log.read(LONG)
    assert commit.touched == {'shop.big': {(1,), (2,)}}


def test_prepared_transactions_count_when_they_are_committed(log, engine, run, opened, snapshot):
    with engine.connect() as connection:
        for statement in (
            "XA START 'one', 'two', 7",
            'DELETE FROM track WHERE id = 1',
            "XA END 'one', 'two', 7",
            "XA PREPARE 'one', 'two', 7",
        ):
            connection.exec_driver_sql(statement)
        assert up_to(log, snapshot) == []
        with snapshot(log) as (_, view):
            late = opened({TRACK: ('id',)})
            late.at(view.position)
        connection.exec_driver_sql("XA COMMIT 'one', 'two', 7")
    (commit,) = log.read(LONG)
    assert (commit.touched, commit.whole) == ({TRACK: {(1,)}}, set())
    # A log that did not see it prepared does not know its rows.
    (commit,) = late.read(LONG)
    assert commit.whole == {TRACK}


def test_prepared_transactions_that_are_rolled_back_do_not_count(log, engine, run, snapshot):
    with engine.connect() as connection:
        for statement in (
            "XA START 'x'",
            'DELETE FROM track WHERE id = 1',
            "XA END 'x'",
            "XA PREPARE 'x'",
            "XA ROLLBACK 'x'",
        ):
            connection.exec_driver_sql(statement)
    run('DELETE FROM track WHERE id = 2')
    assert [commit.touched for commit in up_to(log, snapshot)] == [{TRACK: {(2,)}}]


def test_rows_that_stand_in_the_binlog_as_statements(log, run):
    run("SET binlog_format = 'STATEMENT'", 'DELETE FROM track WHERE id = 1')
    (commit,) = log.read(LONG)
    assert (commit.touched, commit.whole) == ({}, {TRACK})


@pytest.mark.parametrize('image', ['MINIMAL', 'NOBLOB'])
def test_rows_with_less_than_all_columns(log, run, snapshot, image):
    run(f'SET binlog_row_image = {image}', "UPDATE track SET name = 'a' WHERE id = 1")
    run(f'SET binlog_row_image = {image}', 'UPDATE track SET id = 9 WHERE id = 2')
    run(f'SET binlog_row_image = {image}', 'DELETE FROM track WHERE id = 3')
    assert [commit.touched for commit in up_to(log, snapshot)] == [
        {TRACK: {(1,)}},
        {TRACK: {(2,), (9,)}},
        {TRACK: {(3,)}},
    ]


def test_rows_without_a_wanted_column_are_whole(track, run, opened):
    log = opened({TRACK: ('album',)})
    run('SET binlog_row_image = MINIMAL', "UPDATE track SET name = 'a' WHERE id = 1")
    (commit,) = log.read(LONG)
    assert (commit.touched, commit.whole) == ({}, {TRACK})


def test_a_compressed_binlog_is_refused_by_name(log, run):
    run('CREATE TABLE big (id INT PRIMARY KEY, text TEXT)', 'SET GLOBAL log_bin_compress = ON')
    try:
        run("INSERT INTO big VALUES (1, REPEAT('x', 300))")
        with pytest.raises(LogLostError, match='SET GLOBAL log_bin_compress=OFF'):
            log.read(LONG)
    finally:
        run('SET GLOBAL log_bin_compress = OFF')


@pytest.mark.parametrize(('kind', 'message'), [(26, 'its binlog has a gap'), (99, 'the kind 99')])
def test_events_that_are_not_known(log, kind, message):
    event = Event(at=0, kind=kind, server=1, end=0, body=b'')
    with pytest.raises(LogLostError, match=message):
        log._commits.take(event, place('binlog.000001', 4))


def test_places_in_a_file_beyond_four_gigabytes():
    here = place('binlog.000001', 2**32 - 100)
    assert here.after(2**32 - 50).offset == 2**32 - 50
    beyond = here.after(70)
    assert beyond.offset == 2**32 + 70
    assert beyond.after(90).offset == 2**32 + 90
    assert here < beyond < place('binlog.000002', 4) < place('binlog.1000000', 4)
