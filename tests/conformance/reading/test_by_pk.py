"""Asking by pk. The rule: an object is stored if its pk is listed; filters are not looked at."""

from __future__ import annotations

import pytest

from IndexedRedis import IRQueryableList, UsageError, irNull


@pytest.mark.parametrize('pk', [4, '4', b'4'])
def test_a_pk_may_be_a_number_or_its_digits(songs, pk):
    assert songs.objects.get(pk).title == 'Hells Bells'
    assert songs.objects.exists(pk) is True
    assert songs.objects.getMultiple([pk])[0].title == 'Hells Bells'
    assert songs.objects.getOnlyFields(pk, ['title']).title == 'Hells Bells'
    assert songs.deleter.deleteByPk(pk) == 1


@pytest.mark.parametrize('pk', [0, 7, -1, 10**30])
def test_a_pk_that_is_not_stored_is_none(songs, pk):
    assert songs.objects.get(pk) is None
    assert songs.objects.exists(pk) is False
    assert songs.objects.getMultiple([pk]) == [None]
    assert songs.deleter.deleteByPk(pk) == 0


NO_PKS = ['', 'x', None, 1.5, '1.5', [1], True, False, irNull, '1_0', '+1', '-1', b'x', '\u0661']


@pytest.mark.parametrize('pk', NO_PKS, ids=repr)
def test_what_is_no_pk_is_refused(songs, pk):
    for ask in (songs.objects.get, songs.objects.exists, songs.deleter.deleteByPk):
        with pytest.raises(UsageError, match='no primary key'):
            ask(pk)
    for ask in (songs.objects.getMultiple, songs.deleter.deleteMultipleByPks):
        with pytest.raises(UsageError, match='no primary key'):
            ask([1, pk])
    for ask in (songs.objects.getOnlyFields, songs.objects.getMultipleOnlyFields):
        with pytest.raises(UsageError, match='no primary key'):
            ask(pk if ask.__name__ == 'getOnlyFields' else [pk], ['title'])
    assert songs.objects.count() == 6


@pytest.mark.parametrize('kind', [list, tuple, iter])
def test_several_come_in_the_order_of_their_pks_with_none_for_absent_ones(songs, kind):
    found = songs.objects.getMultiple(kind([3, 99, '1', 3, 98]))
    assert type(found) is IRQueryableList
    assert [getattr(obj, 'title', None) for obj in found] == [
        *('Fernando', None, 'Waterloo'),
        *('Fernando', None),
    ]
    assert found[0] is not found[3]


def test_a_set_of_pks_will_do(songs):
    assert {obj._id for obj in songs.objects.getMultiple({1, 2, 3})} == {1, 2, 3}


def test_no_pks_are_no_objects(songs):
    found = songs.objects.getMultiple([])
    assert found == []
    assert found.getModel() is songs


def test_filters_are_not_looked_at(songs):
    query = songs.objects.filter(artist='Abba')
    assert query.get(4).artist == 'AC/DC'
    assert query.exists(4) is True
    assert [obj._id for obj in query.getMultiple([4, 1])] == [4, 1]
    assert query.getOnlyFields(4, ['title']).title == 'Hells Bells'


def test_a_deleted_object_is_not_there(songs):
    songs.objects.get(1).delete()
    assert songs.objects.get(1) is None
    assert songs.objects.exists(1) is False
    assert [getattr(obj, '_id', None) for obj in songs.objects.getMultiple([1, 2])] == [None, 2]


def test_an_object_that_a_reset_replaced_is_not_there(songs):
    songs.reset([songs(title='new')])
    assert songs.objects.get(1) is None
    assert songs.objects.exists(1) is False
    assert songs.objects.getMultiple([1, 2]) == [None, None]
    assert songs.objects.get(7).title == 'new'


def test_the_managers_are_at_hand_on_objects_too(songs):
    obj = songs.objects.get(1)
    assert obj.objects.count() == 6
    assert obj.saver.save(songs(title='x')) == [7]
    assert obj.deleter.deleteByPk(7) == 1
