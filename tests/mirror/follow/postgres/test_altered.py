"""Tables that are altered while they are followed, and between two followers."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import OperationalError

from IndexedRedis.mirror.follow.log import LogLostError
from mirror.follow.postgres.shop import Shop

ARTIST = 'public.artist'
PARTED = {'public.visit': ('id', 'day')}
PARTS = """
    CREATE TABLE visit (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE visit_old PARTITION OF visit FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
    CREATE TABLE visit_new PARTITION OF visit FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
"""
CHANGES = {
    'a new column': 'ALTER TABLE artist ADD born date',
    'a new column with a value': 'ALTER TABLE artist ADD born int DEFAULT 7',
    'a dropped column': 'ALTER TABLE artist DROP name',
    'a renamed column': 'ALTER TABLE artist RENAME name TO title',
    'another type': 'ALTER TABLE artist ALTER name TYPE varchar(9)',
    'other values of the same type': "ALTER TABLE artist ALTER name TYPE text USING name || '!'",
    'another type of the key': 'ALTER TABLE artist ALTER id TYPE bigint',
}


def whole(commits):
    return set().union(*(commit.whole for commit in commits))


@pytest.fixture
def filled(shop):
    """The shop with an artist, of which a round is over."""
    shop.run("INSERT INTO artist VALUES (1, 'A')")
    shop.round()
    return shop


@pytest.mark.parametrize('change', CHANGES)
def test_an_altered_table_is_whole_once(filled, change):
    """No row of it needs to change, and the view that finds it shows it."""
    before = filled.round()[0]
    filled.run(CHANGES[change])
    view, commits = filled.round()
    assert whole(commits) == {ARTIST}
    assert [view.shows(commit) for commit in commits] == [True]
    assert [before.shows(commit) for commit in commits] == [False]
    assert filled.round()[1] == []
    filled.run('UPDATE artist SET id = 2')
    (commit,) = filled.commits()
    assert commit.touched == {ARTIST: {(1,), (2,)}}


@pytest.mark.parametrize('change', CHANGES)
def test_a_table_that_was_altered_while_nobody_followed_is_whole(filled, change):
    position = filled.round()[0].position
    filled.log.close()
    filled.run(CHANGES[change])
    filled.log = filled.open()
    filled.log.at(position)
    view, commits = filled.round()
    assert [commit.whole for commit in commits if not filled.log.at(position).shows(commit)] == [
        {ARTIST}
    ]
    assert whole(commit for commit in commits if view.shows(commit)) == {ARTIST}


def test_a_round_waits_for_the_transaction_that_alters_a_table(filled):
    with filled.transaction('ALTER TABLE artist ADD born date') as connection:
        timer = threading.Timer(0.3, connection.commit)
        timer.start()
        commits = filled.commits()
        timer.join()
    assert whole(commits) == {ARTIST}


def test_a_truncate_waits_for_a_snapshot_that_was_taken(filled):
    """Otherwise the snapshot, which does not show it, would find the table empty."""
    with filled.snapshot() as connection:
        filled.log.view(connection)
        with pytest.raises(OperationalError, match='lock timeout'):
            filled.run("SET LOCAL lock_timeout = '50ms'", 'TRUNCATE artist')
        assert connection.exec_driver_sql('SELECT count(*) FROM artist').scalar() == 1


def test_other_work_on_tables_alters_nothing(filled):
    filled.run('ANALYZE artist', 'CREATE TABLE later (id int)')
    filled.run('CREATE INDEX ON artist (name)')
    filled.run("COMMENT ON TABLE artist IS 'x'")
    assert filled.commits() == []


def test_a_found_table_stays_found_until_it_is_read(filled):
    """A round that fails between its view and its commits loses nothing."""
    filled.run('ALTER TABLE artist ADD born date')
    with filled.snapshot() as connection:
        filled.log.view(connection)
    view, commits = filled.round()
    assert whole(commit for commit in commits if view.shows(commit)) == {ARTIST}


@pytest.mark.parametrize(
    ('change', 'what'),
    [
        ('DROP TABLE artist', 'There is no table public.artist'),
        ('ALTER TABLE artist RENAME TO singer', 'There is no table public.artist'),
        ('ALTER TABLE artist DROP id', 'public.artist.id: there is no such column'),
        ('ALTER TABLE artist REPLICA IDENTITY NOTHING', 'REPLICA IDENTITY FULL'),
        ('ALTER TABLE artist DROP CONSTRAINT artist_pkey', 'REPLICA IDENTITY FULL'),
        ('DROP TABLE artist; CREATE TABLE artist (id int PRIMARY KEY)', 'SET TABLE'),
        ('ALTER PUBLICATION indexedredis_shop DROP TABLE artist', 'SET TABLE'),
        ("ALTER PUBLICATION indexedredis_shop SET (publish = 'insert')", 'SET'),
        ('ALTER TABLE artist ALTER id TYPE oid', 'a key of type oid'),
    ],
)
def test_what_cannot_be_followed_any_more_is_refused(filled, change, what):
    filled.run(change)
    with pytest.raises(LogLostError, match=f'{what}.*All data has to be'):
        filled.round()


def test_a_table_whose_old_values_were_not_in_the_log_for_a_while_is_whole(shop):
    shop.run('INSERT INTO album VALUES (1, 2), (3, 4)')
    shop.round()
    shop.run('ALTER TABLE album REPLICA IDENTITY DEFAULT')
    shop.run('UPDATE album SET artist_id = 5 WHERE id = 1')
    shop.run('DELETE FROM album WHERE id = 3')
    shop.run('ALTER TABLE album REPLICA IDENTITY FULL')
    shop.run('UPDATE album SET artist_id = 6')
    update, delete, after = shop.commits()
    assert update.whole == delete.whole == {'public.album'}
    assert after.touched == {'public.album': {(1, 5), (1, 6)}}


def test_rows_of_partitions_are_those_of_the_table(engine):
    with Shop(engine, PARTED, PARTS) as shop:
        shop.run("INSERT INTO visit VALUES (1, '2019-05-01'), (2, '2021-05-01')")
        shop.run("UPDATE visit SET day = '2022-01-01' WHERE id = 1")
        first, second = shop.commits()
        days = [{(id, f'{day}') for id, day in c.touched['public.visit']} for c in (first, second)]
    assert days == [
        {(1, '2019-05-01'), (2, '2021-05-01')},
        {(1, '2019-05-01'), (1, '2022-01-01')},
    ]


@pytest.mark.parametrize(
    'change',
    ['TRUNCATE visit', 'TRUNCATE visit_old', 'ALTER TABLE visit DETACH PARTITION visit_old'],
)
def test_a_changed_partition_makes_the_table_whole(engine, change):
    with Shop(engine, PARTED, PARTS) as shop:
        shop.run("INSERT INTO visit VALUES (1, '2019-05-01')")
        shop.round()
        shop.run(change)
        assert whole(shop.commits()) == {'public.visit'}
