"""A round: a snapshot, the commits that it shows, and those that wait."""

from __future__ import annotations

import threading

from IndexedRedis.mirror.follow.log import Commit
from IndexedRedis.mirror.follow.postgres.view import PostgresView

ARTIST = 'public.artist'
INSERT = 'INSERT INTO artist VALUES (1)'


def shown(view, commits):
    return [[*commit.touched[ARTIST]] for commit in commits if view.shows(commit)]


def test_a_snapshot_shows_what_was_committed_before_it(shop):
    shop.run('INSERT INTO artist VALUES (1)')
    with shop.snapshot() as reader:
        view = shop.log.view(reader)
        shop.run('INSERT INTO artist VALUES (2)')
        commits = shop.log.read_until(view) + shop.round()[1]
        rows = [id for (id,) in reader.exec_driver_sql('SELECT id FROM artist')]
    assert shown(view, commits) == [[(1,)]]
    assert rows == [1]
    assert len(commits) == 2


def test_an_open_transaction_is_not_shown_and_comes_when_it_ends(shop):
    with shop.transaction('INSERT INTO artist VALUES (1)') as open_one:
        shop.run('INSERT INTO artist VALUES (2)')
        open_one.exec_driver_sql('INSERT INTO artist VALUES (3)')
        view, commits = shop.round()
        assert shown(view, commits) == [[(2,)]]
        open_one.commit()
    later, rest = shop.round()
    assert [commit.touched for commit in rest] == [{ARTIST: {(1,), (3,)}}]
    assert not view.shows(rest[0])
    assert later.shows(rest[0])


def test_the_part_of_an_open_transaction_is_written_to_the_disk(shop, monkeypatch):
    """The server does so every 15 seconds by itself, and sends nothing that is not written."""
    flushes = []
    flush = shop.log._flush
    monkeypatch.setattr(shop.log, '_flush', lambda: flushes.append(1) or flush())
    with shop.transaction('INSERT INTO artist VALUES (1)') as open_one:
        assert shop.commits() == []
        open_one.rollback()
    assert flushes


def test_the_log_is_written_to_the_disk_for_a_role_that_only_reads(shop):
    shop.run('ALTER DATABASE logged SET default_transaction_read_only = on')
    shop.engine.dispose()
    shop.run('SET TRANSACTION READ WRITE', "SET LOCAL synchronous_commit = 'off'", INSERT)
    assert shop.touched() == [{ARTIST: {(1,)}}]
    shop.run(
        'SET TRANSACTION READ WRITE', 'ALTER DATABASE logged RESET default_transaction_read_only'
    )
    shop.engine.dispose()


def test_the_order_is_that_of_commits_not_of_numbers(shop):
    with shop.transaction('INSERT INTO artist VALUES (1)') as first:
        with shop.transaction('INSERT INTO artist VALUES (2)') as second:
            second.commit()
        between, got = shop.round()
        first.commit()
    later, more = shop.round()
    early, late = [*got, *more]
    assert early.id > late.id
    assert (between.shows(early), between.shows(late)) == (True, False)
    assert later.shows(early) and later.shows(late)


def test_a_commit_that_is_not_on_the_disk_is_waited_for(shop):
    shop.run("SET LOCAL synchronous_commit = 'off'", 'INSERT INTO artist VALUES (1)')
    view, commits = shop.round()
    assert shown(view, commits) == [[(1,)]]


def test_read_returns_a_commit_while_it_waits(shop):
    timer = threading.Timer(0.2, shop.run, ['INSERT INTO artist VALUES (1)'])
    timer.start()
    (commit,) = shop.log.read(60)
    timer.join()
    assert commit.touched == {ARTIST: {(1,)}}


def test_read_returns_nothing_after_its_time(shop):
    assert shop.log.read(0) == []
    assert shop.log.read(0.05) == []


def test_what_the_slot_keeps_shrinks_when_it_is_applied(shop):
    shop.run('INSERT INTO artist SELECT generate_series(1, 1000)')
    view, _ = shop.round()
    before = shop.log.lag()
    shop.log.applied(view, [])
    assert before > 50_000
    shop.until(lambda: shop.log.lag() < 50_000)


def test_work_on_other_tables_does_not_keep_the_log(shop):
    shop.run('INSERT INTO other SELECT generate_series(1, 1000)')
    before = shop.log.lag()
    view, _ = shop.round()
    shop.log.applied(view, [])
    assert before > 50_000
    shop.until(lambda: shop.log.lag() < 50_000)


def commit(number):
    return Commit(number, None, None)


def test_numbers_of_transactions_wrap_around():
    """The log has 32 bits of them, a snapshot 64. No transaction has the numbers 0 to 2."""
    start = 5 << 32
    view = PostgresView('log', 0, f'{start - 2}:{start + 10}:{start - 2},{start + 3}', ())
    numbers = [*range(start - 4, start), *range(start + 3, start + 12)]
    hidden = [number for number in numbers if not view.shows(commit(number % (1 << 32)))]
    assert [number - start for number in hidden] == [-2, 3, 10, 11]
