"""A limit for the log that the database keeps: above it, the slot is dropped and made again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from IndexedRedis.errors import MirrorError
from IndexedRedis.mirror.follow import loop
from mirror.follow import shop
from mirror.follow.conftest import beside  # noqa: F401
from mirror.follow.shop import artist

pytestmark = pytest.mark.mirrors

LIMIT = 30_000_000


@pytest.fixture
def logged(engine):
    """The database of `beside`."""
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE other (id int, filling text)')
    return engine


@pytest.fixture
def following(beside, monkeypatch):  # noqa: F811
    monkeypatch.setattr(loop, 'WATCH_SECONDS', 0.05)
    return beside


def ask(following, query):
    with following.engine.connect() as connection:
        return connection.exec_driver_sql(query).scalar()


def write(following, size):
    """Write so many bytes into the log, of a table that is not followed."""
    with following.engine.begin() as connection:
        filling = sa.text(
            "INSERT INTO other SELECT n, repeat('x', 1000) FROM generate_series(1, :n) n"
        )
        connection.execute(filling, {'n': size // 1000})


def insert(following, number):
    with following.engine.begin() as connection:
        connection.execute(artist.insert().values(id=number, name=f'artist {number}'))


def kept(following):
    query = 'SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots'
    return int(ask(following, query) or 0)


def told(caplog):
    return [each.getMessage() for each in caplog.records if 'slotLimit' in each.getMessage()]


def test_a_follower_that_was_away_too_long_replaces_all_data(following, caplog):
    following.start(slotLimit=LIMIT)
    following.stop()
    insert(following, 3)
    following.start(slotLimit=LIMIT)
    following.caught_up()
    assert following.mirror.status().swaps == 1, 'the limit is not reached'
    assert told(caplog) == []
    following.stop()
    write(following, LIMIT)
    insert(following, 4)
    following.start(slotLimit=LIMIT)
    following.until(lambda: following.mirror.status().swaps == 2)
    following.caught_up()
    assert kept(following) < LIMIT
    (text,) = told(caplog)
    assert 'bytes of its log for the mirror, more than slotLimit (30,000,000)' in text
    assert text.endswith('The slot was dropped; all data is going to be replaced')
    insert(following, 5)
    following.caught_up()
    assert following.mirror.status().swaps == 2


def test_an_open_transaction_that_holds_the_log_while_it_follows(following, caplog):
    following.start(slotLimit=LIMIT)
    following.caught_up()
    with following.engine.connect() as connection:
        connection.exec_driver_sql('INSERT INTO other VALUES (1)')
        write(following, LIMIT)
        following.until(lambda: told(caplog))
        connection.rollback()  # a new slot waits for it
    following.until(lambda: following.mirror.status().swaps == 2)
    insert(following, 3)
    following.caught_up()
    assert kept(following) < LIMIT


def test_the_disk_is_freed_while_redis_is_away(following, caplog, monkeypatch):
    following.start(slotLimit=LIMIT)
    following.caught_up()
    away = [True]

    def only_run(*given):
        if away:
            raise loop.redis.ConnectionError('refused')
        return real(*given)

    real = loop.only_run
    monkeypatch.setattr(loop, 'only_run', only_run)
    end = 'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active'
    ask(following, end)
    write(following, LIMIT)
    following.until(lambda: ask(following, 'SELECT count(*) FROM pg_replication_slots') == 0)
    following.until(lambda: any('The slot was dropped' in text for text in told(caplog)))
    insert(following, 3)
    away.clear()
    following.until(lambda: following.mirror.status().swaps == 2)
    following.caught_up()


def test_a_limit_below_what_a_load_takes_ends_it(following):
    following.start(slotLimit=1)
    with pytest.raises(AssertionError, match='the follower ended'):
        following.until(lambda: False)
    with pytest.raises(MirrorError, match=r'again, after all data was replaced.*Set a limit above'):
        following.stop()
    assert ask(following, 'SELECT count(*) FROM pg_replication_slots') == 0
    assert shop.in_redis()['artists'] == {1: 'artist 1', 2: 'artist 2'}
