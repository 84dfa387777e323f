"""A log that is opened again: where it goes on, and what it refuses."""

from __future__ import annotations

import sys
import threading

import pytest
from sqlalchemy import create_engine

from IndexedRedis.errors import MissingExtraError
from IndexedRedis.mirror.follow.log import LogBrokenError, LogLostError
from IndexedRedis.mirror.follow.postgres import stream
from IndexedRedis.mirror.follow.postgres.view import PostgresView
from IndexedRedis.testing.databases import Database, fresh
from mirror.follow.postgres.conftest import SETTINGS
from mirror.follow.postgres.shop import Shop

ARTIST = 'public.artist'


def ids(commits):
    return [id for commit in commits for (id,) in commit.touched[ARTIST]]


def insert(shop, *numbers):
    for number in numbers:
        shop.run(f'INSERT INTO artist VALUES ({number})')


def lost(shop, position, what):
    with pytest.raises(LogLostError, match=what) as caught:
        shop.log.at(position)
    assert 'All data has to be replaced' in str(caught.value)


def test_commits_that_the_stored_view_shows_come_again_and_are_skipped(shop):
    with shop.transaction('INSERT INTO artist VALUES (3)') as open_one:
        insert(shop, 1, 2)
        position = shop.round()[0].position
        open_one.commit()
    insert(shop, 4)
    log = shop.reopen()
    view = log.at(position)
    commits = shop.commits()
    assert ids(commits) == [1, 2, 3, 4]
    assert ids(commit for commit in commits if not view.shows(commit)) == [3, 4]
    assert view.position == position
    assert ' ' not in position


def test_what_was_applied_does_not_come_again(shop):
    insert(shop, 1)
    view, _ = shop.round()
    shop.log.applied(view, [])
    shop.until(lambda: shop.log.lag() == 0)
    insert(shop, 2)
    shop.reopen().at(view.position)
    assert ids(shop.commits()) == [2]


def test_what_waits_comes_again_and_what_follows_it(shop):
    insert(shop, 1)
    view, _ = shop.round()
    insert(shop, 2, 3)
    later, commits = shop.round()
    waiting = [commit for commit in commits if not view.shows(commit)]
    shop.log.applied(later, waiting)
    shop.until(lambda: confirmed(shop) == waiting[0].end.begins)
    shop.reopen()
    assert ids(shop.commits()) == [2, 3]


def confirmed(shop):
    return int(shop.ask("SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots"))


def test_the_slot_is_confirmed_only_as_it_was_told(shop):
    """Keepalives of an idle database do not confirm what no position in Redis covers."""
    insert(shop, 1)
    view, _ = shop.round()
    shop.log.applied(view, [])
    shop.run('INSERT INTO other SELECT generate_series(1, 1000)')
    shop.log.applied(shop.log.at(view.position), [])
    shop.log.read_until(shop.round()[0])
    shop.log._stream.ask()
    shop.log.read(0.2)
    shop.until(lambda: confirmed(shop) == view.wal)
    shop.reopen().at(view.position)


def test_a_position_before_what_was_confirmed_is_refused(shop):
    """Redis was emptied and restored, or an old replica was promoted."""
    old = shop.round()[0].position
    insert(shop, 1)
    view, _ = shop.round()
    shop.log.applied(view, [])
    shop.until(lambda: shop.log.lag() == 0)
    lost(shop, old, 'an earlier state')


def test_a_position_of_a_slot_that_was_made_anew_is_refused(shop):
    position = shop.round()[0].position
    shop.close()
    shop.prepare()
    shop.log = shop.open()
    lost(shop, position, 'made anew')


def test_a_position_after_the_end_of_the_log_is_refused(shop):
    view, _ = shop.round()
    later = view.position.replace(';', ';F', 1)
    lost(shop, later, 'a later state')


def test_a_position_of_another_database_is_refused(shop):
    with Database('postgresql', SETTINGS) as other:
        engine = fresh(other, 'shop')
        with Shop(engine) as elsewhere:
            insert(elsewhere, *range(20))
            position = elsewhere.round()[0].position
        engine.dispose()
    lost(shop, position, 'another database')


def test_a_position_of_other_tables_is_refused(shop):
    position = shop.round()[0].position
    shop.log.close()
    shop.tables = {ARTIST: ('id',)}
    shop.log = shop.open()
    lost(shop, position, 'Other tables')


@pytest.mark.parametrize('text', ['', 'x', 'a;b;c;d', 'a;0/1;x;d', 'a;0/1;1:2:3;d;e'])
def test_a_text_that_is_no_position_is_refused(text):
    with pytest.raises(LogLostError, match='not a position'):
        PostgresView.stored(text)


def test_a_slot_that_is_gone_is_told(shop):
    position = shop.round()[0].position
    shop.close()
    with pytest.raises(LogLostError, match=r'slot or the publication is gone.*All data has to be'):
        shop.open()
    with pytest.raises(LogLostError, match='is gone'):
        shop.log.at(position)
    with pytest.raises(LogLostError, match='is gone'):
        shop.log.lag()


def test_a_publication_that_is_gone_is_told(shop):
    shop.run('DROP PUBLICATION indexedredis_shop')
    insert(shop, 1)
    with pytest.raises(LogLostError, match=r'slot or the publication is gone.*All data has to be'):
        shop.log.read(60)


def test_a_slot_that_another_follower_reads_is_told(shop, monkeypatch):
    monkeypatch.setattr(stream, 'MOST_LEAVING', 0.1)
    with pytest.raises(LogBrokenError, match='read by another follower'):
        shop.open()


def test_a_slot_whose_last_reader_is_about_to_end_is_waited_for(shop):
    timer = threading.Timer(0.3, shop.log.close)
    timer.start()
    shop.log = shop.open()
    timer.join()
    insert(shop, 1)
    assert ids(shop.commits()) == [1]


def test_what_was_not_read_is_not_confirmed(shop):
    """A commit on its way may be before the position of a view that does not show it."""
    insert(shop, 1)
    with shop.snapshot() as connection:
        view = shop.log.view(connection)
    shop.log.applied(view, ())
    shop.log._stream.ask()
    shop.reopen()
    assert ids(shop.commits()) == [1]


def test_a_connection_that_the_server_ends_is_told_and_opened_again(shop):
    insert(shop, 1)
    shop.run('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots')
    with pytest.raises(LogBrokenError, match='administrator'):
        while True:
            shop.log.read(60)
    shop.reopen()
    assert ids(shop.commits()) == [1]


def test_a_server_that_is_gone_is_told_without_the_password(shop):
    url = shop.engine.url.set(password='geheim', port=1)
    shop.engine.dispose()
    with pytest.raises(LogBrokenError, match='refused') as caught:
        shop.source.open(create_engine(url), 'shop', shop.tables)
    assert 'geheim' not in f'{caught.value!r} {caught.value.__cause__!r}'


def test_the_server_waits_for_a_follower_that_is_busy_with_a_load(shop):
    """Its usual minute would end the connection."""
    connection = stream._connect(shop.engine.url, 'indexedredis_shop')
    values = [
        connection.pgconn.exec_(f'SHOW {name}'.encode())
        for name in ('wal_sender_timeout', 'datestyle')
    ]
    connection.close()
    assert [value.get_value(0, 0) for value in values] == [b'10min', b'ISO, MDY']


def test_without_the_extra_it_is_named(shop, monkeypatch):
    monkeypatch.setitem(sys.modules, 'psycopg', None)
    with pytest.raises(MissingExtraError, match='postgres-follow'):
        shop.open()


def test_any_driver_and_the_options_of_its_url_will_do(shop):
    """The connection to the log has a driver of its own."""
    shop.log.close()
    url = shop.engine.url.set(drivername='postgresql+psycopg2')
    engine = create_engine(url.update_query_dict({'options': '-c work_mem=77kB'}))
    shop.engine, before = engine, shop.engine
    shop.log = shop.open()
    insert(shop, 1)
    assert ids(shop.commits()) == [1]
    engine.dispose()
    shop.engine = before
