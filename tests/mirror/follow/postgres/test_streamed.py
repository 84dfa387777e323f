"""Large transactions, which the server sends before they end."""

from __future__ import annotations

from IndexedRedis.mirror.follow.postgres import collector

ARTIST = 'public.artist'


def many(first, last):
    return f'INSERT INTO artist SELECT generate_series({first}, {last})'


def keys(*ranges):
    return {(number,) for first, last in ranges for number in range(first, last + 1)}


def streams(shop):
    """How many transactions the server has sent that still run."""
    shop.round()
    return len(shop.log._collector._streamed)


def test_a_large_transaction_arrives_when_it_is_committed(shop):
    with shop.transaction(many(1, 3000)) as connection:
        assert shop.commits() == []
        assert streams(shop) == 1  # much of it has arrived
        connection.exec_driver_sql('UPDATE artist SET id = -id WHERE id <= 10')
        connection.commit()
    (commit,) = shop.commits()
    assert commit.touched == {ARTIST: keys((1, 3000), (-10, -1))}
    assert commit.changes == 3010
    assert streams(shop) == 0


def test_large_transactions_beside_each_other(shop):
    with (
        shop.transaction(many(1, 1000)) as first,
        shop.transaction(many(2001, 3000)) as second,
    ):
        shop.run(many(9001, 9002))
        first.exec_driver_sql(many(1001, 2000))
        second.exec_driver_sql(many(3001, 4000))
        small = shop.touched()
        assert streams(shop) == 2
        second.commit()
        first.commit()
    assert small == [{ARTIST: keys((9001, 9002))}]
    assert shop.touched() == [{ARTIST: keys((2001, 4000))}, {ARTIST: keys((1, 2000))}]


def test_a_large_transaction_that_is_rolled_back_leaves_nothing(shop):
    with shop.transaction(many(1, 3000)) as connection:
        shop.round()
        assert streams(shop) == 1
        connection.rollback()
    assert shop.commits() == []
    assert streams(shop) == 0


def test_rows_of_a_savepoint_that_was_rolled_back_may_be_touched(shop):
    with shop.transaction(many(1, 1000)) as connection:
        part = connection.begin_nested()
        connection.exec_driver_sql(many(1001, 2000))
        shop.round()
        assert streams(shop) == 1
        part.rollback()
        connection.exec_driver_sql(many(2001, 2002))
        connection.commit()
    (commit,) = shop.commits()
    assert commit.touched[ARTIST] >= keys((1, 1000), (2001, 2002))
    assert commit.touched[ARTIST] <= keys((1, 2002))


def test_a_streamed_transaction_keeps_no_more_rows_than_another(shop, monkeypatch):
    monkeypatch.setattr(collector, 'MOST_ROWS', 100)
    with shop.transaction(many(1, 3000), 'INSERT INTO album VALUES (1, 2)') as connection:
        shop.round()
        (half,) = shop.log._collector._streamed.values()
        assert half.touched == {}
        connection.commit()
    (commit,) = shop.commits()
    assert (commit.touched, commit.whole) == ({'public.album': {(1, 2)}}, {ARTIST})


def test_a_transaction_that_began_before_the_restart_is_whole(shop):
    with shop.transaction(many(1, 3000)) as connection:
        view, _ = shop.round()
        shop.log.applied(view, [])
        shop.reopen()
        connection.commit()
    assert shop.touched() == [{ARTIST: keys((1, 3000))}]
