"""Partial objects. The rule: a field that was not fetched reads as its default, and neither a save
nor a delete takes that default for what is stored."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField, UsageError, irNull


@pytest.fixture
def title_of_1(songs):
    """Song 1 with nothing but its title, got in one of five ways."""
    return songs, songs.objects.getOnlyFields(1, ['title'])


WAYS = {
    'getOnlyFields': lambda q: q.getOnlyFields(3, ['title']),
    'getMultipleOnlyFields': lambda q: q.getMultipleOnlyFields([3], ['title'])[0],
    'allOnlyFields': lambda q: q.filter(album='Arrival').allOnlyFields(['title'])[0],
    'of two filters': lambda q: q.filter(artist='Abba', year__ne=1974).allOnlyFields(['title'])[0],
}


@pytest.mark.parametrize('way', WAYS)
def test_only_the_named_fields_are_there(songs, way):
    obj = WAYS[way](songs.objects)
    assert (obj._id, obj.title) == (3, 'Fernando')
    assert (obj.artist, obj.year, obj.album, obj.tags) == (irNull,) * 4
    assert not obj.hasUnsavedChanges()
    assert obj.getUpdatedFields() == {}


@pytest.mark.parametrize('way', WAYS)
def test_an_update_of_a_field_that_was_not_fetched_moves_the_real_index_entry(songs, way):
    obj = WAYS[way](songs.objects)
    obj.artist = 'ABBA'
    assert obj.hasUnsavedChanges()
    obj.save()
    assert songs.objects.filter(artist='ABBA').getPrimaryKeys() == [3]
    assert songs.objects.filter(artist='Abba').getPrimaryKeys(True) == [1, 2]
    stored = songs.objects.get(3)
    assert (stored.title, stored.artist, stored.year, stored.tags) == (
        *('Fernando', 'ABBA', 1976),
        ['Fernando'],
    )


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('name', ['artist', 'year', 'album', 'tags'])
def test_assigning_the_default_to_a_field_that_was_not_fetched_is_a_change(songs, way, name):
    obj = WAYS[way](songs.objects)
    setattr(obj, name, irNull)
    assert obj.hasUnsavedChanges()
    obj.save()
    assert getattr(songs.objects.get(3), name) is irNull
    assert not obj.hasUnsavedChanges()


@pytest.mark.plain_model
@pytest.mark.parametrize('way', WAYS)
def test_a_delete_takes_the_real_index_entries(songs, way, raw):
    assert WAYS[way](songs.objects).delete() == 1
    assert songs.objects.filter(artist='Abba').getPrimaryKeys(True) == [1, 2]
    assert songs.objects.filter(album='Arrival').count() == 0
    assert not raw.exists(f'_ir_|{songs.KEY_NAME}:data:3')


def test_reading_what_was_not_fetched_changes_nothing(songs):
    obj = songs.objects.getOnlyFields(1, ['title'])
    assert obj.asDict(strKeys=True)['year'] is None
    obj.title = 'new'
    obj.save()
    assert songs.objects.get(1).year == 1974


def test_a_partial_object_is_completed_by_reload(songs):
    obj = songs.objects.getOnlyFields(1, ['title'])
    obj.reload()
    assert (obj.artist, obj.year, obj.tags) == ('Abba', 1974, ['Waterloo'])
    assert not obj.hasUnsavedChanges()


def test_indexed_fields_only(songs):
    obj = songs.objects.getOnlyIndexedFields(1)
    assert (obj.title, obj.artist, obj.year, obj.album) == (irNull, 'Abba', 1974, 'Waterloo')
    objs = songs.objects.getMultipleOnlyIndexedFields([1, 99, 6])
    assert [getattr(obj, 'artist', 'gone') for obj in objs] == ['Abba', 'gone', irNull]
    objs = songs.objects.filter(artist='Abba').allOnlyIndexedFields()
    assert {(obj.title, obj.year) for obj in objs} == {(irNull, 1974), (irNull, 1976)}


def test_objects_that_are_not_stored_are_none(songs):
    assert songs.objects.getOnlyFields(99, ['title']) is None
    found = songs.objects.getMultipleOnlyFields([99, 1, 98], ['title'])
    assert [getattr(obj, 'title', None) for obj in found] == [None, 'Waterloo', None]


def test_no_fields_at_all_are_objects_with_just_their_pk(make_model):
    model = make_model(['a', 'b'])
    model(a='x').save()
    assert model.objects.getOnlyIndexedFields(1)._id == 1
    assert [obj._id for obj in model.objects.allOnlyIndexedFields()] == [1]
    assert [obj._id for obj in model.objects.allOnlyFields([])] == [1]
    assert model.deleter.deleteByPk(1) == 1


@pytest.mark.plain_model
def test_an_object_that_stores_none_of_the_fields(make_model, raw):
    model = make_model(['a', IRField('b', valueType=int, defaultValue=5)])
    model(a='x').save()
    raw.hdel(f'_ir_|{model.KEY_NAME}:data:1', 'b')
    assert model.objects.getOnlyFields(1, ['b']) is None
    assert model.objects.getOnlyFields(1, ['a', 'b']).b == 5
    assert [obj.b for obj in model.objects.allOnlyFields(['b'])] == [5]


def test_fields_may_be_named_twice_in_any_order_and_as_fields(songs):
    fields = [songs.FIELDS['year'], 'title', 'year', 'title']
    obj = songs.objects.getOnlyFields(1, fields)
    assert (obj.year, obj.title, obj.artist) == (1974, 'Waterloo', irNull)


@pytest.mark.parametrize(
    'ask',
    [
        lambda q: q.getOnlyFields(1, ['titel']),
        lambda q: q.getMultipleOnlyFields([1], ['title', 'titel']),
        lambda q: q.allOnlyFields(['titel']),
    ],
)
def test_an_unknown_field_is_named_with_the_one_that_was_meant(songs, ask):
    with pytest.raises(UsageError, match=r"titel.*'title'"):
        ask(songs.objects)
