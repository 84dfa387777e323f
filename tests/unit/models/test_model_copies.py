"""Objects compared, copied, pickled. The rule: a copy knows no more than its original."""

from __future__ import annotations

import copy
import pickle

import pytest

from IndexedRedis import (
    UsageError,
    isIndexedRedisModel,
)
from unit.build import define, load, load_only
from unit.song import ROW, Single, Song, new


@pytest.mark.parametrize(
    ('one', 'other', 'equal', 'same_values'),
    [
        (new(), new(), True, True),
        (load(Song, 1, **ROW), load(Song, 1, **ROW), True, True),
        (load(Song, 1, **ROW), load(Song, 2, **ROW), False, True),
        (load(Song, 1, **ROW), new(), False, True),
        (load(Song, 1, **ROW), new(_id=1), True, True),
        (new(), new(name='y'), False, False),
        (new(), new(tags=['b']), False, False),
        (new(), Single(**new().asDict()), False, True),
        (new(), define('name')(name='x'), False, False),
        (new(), 5, False, False),
        (new(), None, False, False),
    ],
)
def test_equality_is_of_class_pk_and_values(one, other, equal, same_values):
    assert (one == other) is (other == one) is equal
    assert (one != other) is not equal
    assert one.hasSameValues(other) is same_values


def test_objects_have_no_hash():
    with pytest.raises(TypeError, match='unhashable'):
        hash(new())


def test_diff_names_what_differs():
    one, other = load(Song, 1, **ROW), load(Song, 2, **{**ROW, 'name': b'y', 'tags': b'[]'})
    assert one.diff(other) == Song.diff(one, other) == {'name': ('x', 'y'), 'tags': (['a'], [])}
    assert one.diff(other, includeMeta=True)['_id'] == (1, 2)
    assert one.diff(load(Song, 1, **ROW), includeMeta=True) == {}
    assert one.diff(Single(**one.asDict())) == {}


@pytest.mark.parametrize('other', [None, 5, define('name')(name='x'), Song], ids=repr)
def test_diff_needs_two_objects_of_the_same_fields(other):
    with pytest.raises(UsageError):
        new().diff(other)
    with pytest.raises(UsageError):
        Song.diff(other, new())


def test_models_and_their_objects_are_known_as_such():
    assert all(isIndexedRedisModel(each) for each in (Song, new(), load(Song)))
    assert not any(isIndexedRedisModel(each) for each in (None, 5, 'Song', object, Song.FIELDS))


ORIGINALS = {
    'new': new,
    'loaded': lambda: load(Song, 7, **ROW),
    'partial': lambda: load_only(Song, ['name', 'tags'], 7, **ROW),
    'unreadable': lambda: load(Song, 7, **{**ROW, 'year': b'bad'}),
}


def changed():
    song = load(Song, 7, **ROW)
    song.name, song.note = 'y', ['kept']
    song.tags.append('b')
    return song


@pytest.mark.parametrize('make', [*ORIGINALS.values(), changed], ids=[*ORIGINALS, 'changed'])
@pytest.mark.parametrize(
    ('duplicate', 'keeps_pk'),
    [
        (lambda song: song.copy(), False),
        (lambda song: song.copy(copyPrimaryKey=True), True),
        (lambda song: song.copy(copyValues=True), False),
        (lambda song: song.copy(True, True), True),
        (copy.copy, False),
        (copy.deepcopy, False),
    ],
)
def test_copies_have_equal_values_and_are_to_be_saved(make, duplicate, keeps_pk):
    song = make()
    twin = duplicate(song)
    assert type(twin) is Song
    assert repr(twin).replace('_id="7", ', '') == repr(song).replace('_id="7", ', '')
    assert twin._id == (song._id if keeps_pk else None)
    assert twin.hasUnsavedChanges()
    assert twin.getUpdatedFields() == {}
    assert getattr(twin, 'note', None) == getattr(song, 'note', None)


@pytest.mark.parametrize('make', [new, changed])
def test_values_are_shared_unless_copied(make):
    song = make()
    assert copy.copy(song).tags is song.copy().tags is song.tags
    for deep in (copy.deepcopy(song), song.copy(copyValues=True)):
        assert deep.tags is not song.tags
        deep.tags.append('other')
        assert 'other' not in song.tags


@pytest.mark.parametrize('duplicate', [copy.copy, Song.copy])
def test_values_that_nobody_has_touched_are_shared_too(duplicate):
    song = load(Song, 7, **ROW)
    twin = duplicate(song)
    assert twin.tags is song.tags
    song.tags.append('b')
    assert twin.tags == ['a', 'b']
    twin.tags = ['other']
    assert song.tags == ['a', 'b']


def test_values_of_a_copy_are_its_own_when_assigned():
    song = load(Song, 7, **ROW)
    twin = song.copy(copyPrimaryKey=True)
    twin.name, twin.year = 'y', 1
    assert (song.name, song.year, song.hasUnsavedChanges()) == ('x', 1980, False)


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('make', [*ORIGINALS.values(), changed], ids=[*ORIGINALS, 'changed'])
def test_pickling_keeps_pk_values_and_what_changed(make, protocol):
    song = make()
    twin = pickle.loads(pickle.dumps(song, protocol))
    assert (type(twin), twin._id, repr(twin)) == (Song, song._id, repr(song))
    assert twin.getUpdatedFields() == song.getUpdatedFields()
    assert twin.hasUnsavedChanges() is song.hasUnsavedChanges()
    assert getattr(twin, 'note', None) == getattr(song, 'note', None)
    twin.name = 'z'
    assert twin.getUpdatedFields()['name'][1] == 'z'
    assert song.name != 'z'
