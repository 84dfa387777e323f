"""A follower that ends goes on where it was; one that cannot replaces all data first."""

from __future__ import annotations

import asyncio
import contextlib
import datetime

import pytest
import sqlalchemy as sa

from IndexedRedis import GuardRefusedError, UsageError
from IndexedRedis.mirror import Mirror
from mirror.follow import shop
from mirror.follow.conftest import Beside
from mirror.follow.shop import Album, Artist, album, artist, staff, track

pytestmark = pytest.mark.mirrors


@pytest.fixture
def following(beside):
    """A follower that has loaded the shop."""
    beside.start()
    beside.caught_up()
    return beside


def commit(following, *statements):
    with following.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement if not isinstance(statement, str) else sa.text(statement))


def swaps(following):
    return following.mirror.status().swaps


def test_a_later_call_goes_on(following):
    following.stop()
    commit(following, artist.insert().values(id=3, name='while it was away'))
    commit(following, album.delete().where(album.c.id == -1), track.delete())
    following.start()
    following.caught_up()
    assert swaps(following) == 1


def test_the_data_is_as_old_as_the_last_round_says_even_if_nothing_happens(following):
    before = following.mirror.status()
    following.until(lambda: following.mirror.status().mirrored > before.mirrored)
    now = following.mirror.status()
    assert Artist.objects.mirroredAt() >= datetime.datetime.fromisoformat(now.mirrored)
    assert now.commits == before.commits
    assert 0 <= now.asDict()['ageSeconds'] < 20


@pytest.mark.parametrize('gone', ['a model was reset', 'a model was deleted', 'all keys are gone'])
def test_data_that_is_no_longer_its_own_is_replaced(following, raw, gone):
    if gone == 'a model was reset':
        Artist.reset([Artist(id=77, name='of another program')])
    elif gone == 'a model was deleted':
        shop.Track.deleter.destroyModel()
    else:
        raw.flushdb()
    commit(following, artist.insert().values(id=3, name='new'))
    following.caught_up()
    assert Artist.objects.filter(id=77).count() == 0


def test_objects_that_a_program_saved_under_the_key_of_a_row_go_when_it_changes(following):
    for number in (1, 2, 2):
        Artist(id=number, name='of a program').save()
    rows = artist.update().where(artist.c.id == 1).values(name='new')
    gone = artist.delete().where(artist.c.id == 2)
    commit(following, track.delete(), album.delete(), rows, gone)
    following.caught_up()
    assert Artist.objects.count() == 1
    assert swaps(following) == 1


def test_resync_replaces_all_data(following):
    following.stop()
    following.start(resync=True)
    following.until(lambda: swaps(following) == 2)
    following.caught_up()


def test_more_changes_than_one_script_makes_are_a_swap(following):
    following.stop()
    following.start(shop.mirror(following.engine, maxChanges=5))
    rows = [{'id': 100 + number, 'name': 'many'} for number in range(6)]
    with following.engine.begin() as connection:
        connection.execute(artist.insert(), rows)
    following.caught_up()
    assert swaps(following) == 2
    commit(following, artist.insert().values(id=200, name='and it goes on'))
    following.caught_up()
    assert swaps(following) == 2


def test_a_table_that_was_emptied_at_once(following):
    commit(following, 'TRUNCATE TABLE track')
    following.caught_up()
    assert shop.Track.objects.count() == 0


def test_a_column_that_comes_is_a_named_error_if_the_mirror_reads_it(following):
    commit(following, 'ALTER TABLE artist RENAME COLUMN name TO title')
    commit(following, sa.text("INSERT INTO artist (id, title) VALUES (3, 'x')"))
    with pytest.raises(Exception, match='name'):
        following.until(lambda: False)
    with pytest.raises(Exception, match='name'):
        following.stop()


def test_a_column_that_comes_and_is_not_read_changes_nothing(following):
    commit(following, 'ALTER TABLE album ADD COLUMN more INTEGER')
    commit(following, sa.text("UPDATE album SET title = 'x', more = 1 WHERE id = 10"))
    following.caught_up()


def test_a_link_that_comes_to_lead_nowhere_is_refused_by_the_rule(beside):
    with beside.engine.begin() as connection:
        connection.execute(staff.update().where(staff.c.id == 'cid').values(boss='ann'))
    following = beside.start(shop.mirror(beside.engine, dangling='refuse'))
    following.until(lambda: following.mirror.status() is not None)
    commit(following, staff.delete().where(staff.c.id == 'ann'))
    with pytest.raises(AssertionError, match='the follower ended'):
        following.until(lambda: False)
    with pytest.raises(GuardRefusedError, match="boss = 'ann' in the row 'bob'"):
        following.stop()
    assert shop.Staff.objects.filter(id='ann').count() == 1, 'it changed something'


def test_what_is_left_out_is_logged_as_a_number_without_values(following, caplog):
    commit(following, staff.insert().values(id='eve', boss='nobody at all', on_leave=False))
    following.caught_up()
    texts = [record.getMessage() for record in caplog.records]
    assert [text for text in texts if text.endswith(': Staff: 1 links that lead to no row')]
    assert not [text for text in texts if 'eve' in text or 'nobody at all' in text]


def test_of_two_followers_the_second_waits_and_takes_over(following):
    second = Beside(following.engine).start()
    commit(following, artist.insert().values(id=3, name='by the first'))
    following.caught_up()
    following.stop()
    commit(following, artist.insert().values(id=4, name='by the second'))
    second.caught_up()
    second.stop()
    assert swaps(following) == 1


def test_a_pool_without_a_connection_left_is_tried_again(logged, beside):
    pool = sa.create_engine(logged.url, pool_size=2, max_overflow=0, pool_timeout=0.1)
    told = []
    following = beside.start(shop.mirror(pool), changed=told.append)
    following.until(lambda: following.mirror.status() is not None)
    taken = []
    try:

        def waits():  # take each connection as soon as the follower has given it back
            with contextlib.suppress(sa.exc.TimeoutError):
                taken.append(pool.connect())
            return any('TimeoutError' in status.waits for status in told)

        following.until(waits)
    finally:
        for connection in taken:
            connection.close()
    commit(following, artist.insert().values(id=3, name='later'))
    following.caught_up()
    assert swaps(following) == 1
    following.stop()
    following.mirror = shop.mirror(logged)
    pool.dispose()


def test_a_database_that_is_not_prepared_is_told_with_the_statements(logged, beside):
    if logged.dialect.name != 'postgresql':
        pytest.skip('nothing has to be made')
    beside.start(prepare=False)
    with pytest.raises(AssertionError, match='the follower ended'):
        beside.until(lambda: False)
    with pytest.raises(UsageError, match='CREATE PUBLICATION'):
        beside.stop()
    planned = beside.mirror.prepare(dryRun=True)
    assert beside.mirror.prepare() == planned
    assert beside.mirror.prepare() == []
    assert len(beside.mirror.unfollow()) == len(planned)


def test_a_database_without_a_log_is_refused(lite):
    mirror = Mirror(lite, {Artist: artist}, keys={Artist: 'id'})
    with pytest.raises(UsageError, match=r'no log of changes.*--every'):
        mirror.follow()


def test_a_model_with_partitions_is_refused(lite):
    class Parted(Artist):
        PARTITIONS = 4
        KEY_NAME = 'PartedArtist'

    mirror = Mirror(lite, {Parted: artist}, keys={Parted: 'id'})
    with pytest.raises(UsageError, match=r'PARTITIONS cannot follow a log.*--every'):
        mirror.follow()


def test_a_model_without_an_indexed_key_is_refused(logged):
    mirror = Mirror(logged, {Album: 'SELECT 1'})
    with pytest.raises(UsageError, match=r'need keys=.*to name indexed fields'):
        mirror.follow()


def test_a_task_follows_until_it_is_cancelled(logged, beside):
    mirror = beside.mirror

    async def main():
        seen = []
        task = asyncio.create_task(mirror.afollow(seen.append, prepare=True))
        while mirror.status() is None:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(commit, beside, artist.insert().values(id=3, name='new'))
        while not (seen and seen[-1].commits):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen[-1].commits == 1

    asyncio.run(main())
    assert shop.in_redis()['artists'][3] == 'new'
