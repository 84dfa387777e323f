"""A commit in SQL is in Redis a moment later: each kind of select, each kind of change."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from mirror.follow.shop import Album, Artist, Staff, album, artist, liking, staff, track

pytestmark = pytest.mark.mirrors


@pytest.fixture
def following(beside):
    """A follower that has loaded the shop."""
    beside.start()
    beside.caught_up()
    assert beside.mirror.status().swaps == 1
    yield beside
    beside.caught_up()
    assert beside.mirror.status().swaps == 1, 'it replaced all data'


def commit(following, *statements):
    with following.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    following.caught_up()


def test_rows_that_come_change_and_go(following):
    kept = Artist.objects.filter(id=1).first()._id
    commit(
        following,
        artist.insert().values(id=3, name='new'),
        artist.update().where(artist.c.id == 1).values(name=None),
        artist.insert().values(id=4, name='gone at once'),
        artist.delete().where(artist.c.id == 4),
    )
    assert Artist.objects.filter(id=1).first()._id == kept
    commit(following, artist.delete().where(artist.c.id == 3))


def test_values_of_all_columns(following):
    new = {
        'title': "it's ü \\ '\n",
        'price': Decimal('0.01'),
        'released': datetime.date(1999, 12, 31),
    }
    commit(following, album.update().where(album.c.id == 10).values(**new))
    commit(following, album.update().where(album.c.id == 10).values(price=None, released=None))


def test_a_row_of_a_joined_table(following):
    commit(following, artist.update().where(artist.c.id == 2).values(name='renamed'))
    assert {each.artist_name for each in Album.objects.filter(artist_name='renamed').all()} == {
        'renamed'
    }


def test_a_row_and_its_links_in_one_commit(following):
    commit(
        following,
        artist.insert().values(id=5, name='five'),
        album.insert().values(id=50, artist_id=5, title='of five'),
        track.insert().values(album_id=50, number=1, name='first'),
        album.update().where(album.c.id == 11).values(artist_id=5),
    )
    commit(
        following,
        track.delete().where(track.c.album_id == 50),
        album.delete().where(album.c.id == 50),
        album.update().where(album.c.id == 11).values(artist_id=None),
        artist.delete().where(artist.c.id == 5),
    )


def test_a_key_that_changes(following):
    commit(following, track.update().where(track.c.number == 1).values(number=7))
    commit(following, staff.update().where(staff.c.id == 'ann').values(id='anne'))


def test_a_row_that_leaves_a_filter_and_comes_back(following):
    commit(following, staff.update().where(staff.c.id == 'ann').values(on_leave=True))
    assert Staff.objects.count() == 2
    commit(following, staff.update().where(staff.c.id == 'ann').values(on_leave=False))


def test_a_link_whose_target_comes_later(following):
    commit(following, staff.insert().values(id='nobody', boss='nobody', on_leave=False))
    commit(following, staff.delete().where(staff.c.id == 'nobody'))


def test_links_of_a_join_table(following):
    commit(following, liking.insert().values(staff_id='ann', album_id=13))
    commit(following, liking.delete().where(liking.c.staff_id == 'bob', liking.c.album_id == 10))
    commit(following, liking.insert().values(staff_id='ann', album_id=99))
    commit(following, album.insert().values(id=99, artist_id=1, title='liked before it was there'))
    commit(following, album.delete().where(album.c.id == 99))


def test_what_is_rolled_back_is_not_there(following):
    with following.engine.connect() as connection:
        connection.execute(artist.insert().values(id=7, name='never'))
        connection.rollback()
        connection.execute(artist.insert().values(id=8, name='kept'))
        with connection.begin_nested() as savepoint:
            connection.execute(artist.insert().values(id=9, name='never'))
            savepoint.rollback()
        connection.commit()
    following.caught_up()


def test_a_commit_that_was_open_while_others_came_and_went(following):
    with following.engine.connect() as early:
        early.execute(artist.insert().values(id=20, name='early'))
        commit(following, artist.insert().values(id=21, name='late'))
        early.commit()
    following.caught_up()


def test_many_small_commits(following):
    with following.engine.connect() as connection:
        for number in range(200):
            connection.execute(artist.insert().values(id=100 + number, name=f'n {number}'))
            connection.execute(
                sa.update(album).where(album.c.id == 10).values(title=f'title {number}')
            )
            connection.commit()
    following.caught_up()
    status = following.mirror.status()
    assert status.commits >= 200
    assert status.lastCommit
