"""`forceID`. The rule: the object is stored under just that pk, and no other object is touched."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import UsageError


@pytest.mark.plain_model
def test_an_object_is_stored_under_the_pk_and_the_counter_moves_past_it(song):
    assert song.saver.save(song(title='x', artist='Abba'), forceID=7) == [7]
    assert song.objects.filter(artist='Abba').getPrimaryKeys() == [7]
    assert song(title='next').save() == [8]


def test_a_pk_below_the_counter_leaves_it_where_it_is(songs):
    songs.deleter.deleteByPk(2)
    assert songs.saver.save(songs(title='x'), forceID='2') == [2]
    assert songs(title='next').save() == [7]


def test_what_was_stored_under_the_pk_is_overwritten(songs):
    songs.saver.save(songs(title='x', artist='new', year=1), forceID=1)
    assert songs.objects.count() == 6
    assert songs.objects.get(1).title == 'x'
    assert songs.objects.filter(artist='Abba').getPrimaryKeys(sortByAge=True) == [2, 3]
    assert songs.objects.filter(artist='new', year=1).getPrimaryKeys() == [1]


@pytest.mark.plain_model
@pytest.mark.parametrize('none', [False, None])
def test_a_list_of_pks_may_leave_some_free(song, none):
    objs = [song(title='a'), song(title='b'), song(title='c')]
    pks = song.saver.save(objs, forceID=[9, none, 3])
    assert (pks[0], pks[2]) == (9, 3)
    assert {obj._id: obj.title for obj in song.objects.all()} == dict(
        zip(pks, ['a', 'b', 'c'], strict=True)
    )
    assert max(song(title='d').save()) > 9


def test_a_stored_object_in_the_list_that_needs_none_is_updated(songs):
    obj = songs.objects.get(4)
    obj.title = 'changed'
    assert songs.saver.save([obj, songs(title='new')], forceID=[False, 20]) == [4, 20]
    assert songs.objects.get(4).title == 'changed'
    assert songs.objects.count() == 7


@pytest.mark.parametrize('forced', range(1, 6))
def test_a_forced_pk_never_meets_one_that_the_counter_hands_out(song, forced):
    objs = [song(title=str(i), artist=str(i)) for i in range(4)]
    pks = song.saver.save(objs, forceID=[False, False, forced, False])
    assert pks[2] == forced
    assert len(set(pks)) == 4
    assert {obj._id: obj.title for obj in song.objects.all()} == dict(zip(pks, '0123', strict=True))


@pytest.mark.plain_model
@pytest.mark.parametrize(
    'forced',
    [[1], [1, 2, 3], 5, [-1, 2], [0, 0], ['x', 2], [1, 1], [2**63, False], [True, 2], [1.5, 2]],
    ids=repr,
)
def test_a_wrong_list_of_pks_is_refused_before_anything_is_written(song, raw, forced):
    objs = [song(title='a'), song(title='b')]
    with pytest.raises(UsageError):
        song.saver.save(objs, forceID=forced)
    assert dump(raw) == {}
    assert [obj.getPk() for obj in objs] == [None, None]
