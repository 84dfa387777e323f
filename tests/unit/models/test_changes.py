"""What an object knows of its stored form. The rule: a change is what a save has to write."""

from __future__ import annotations

import datetime

import pytest
from samples.fields import Money

from IndexedRedis import IRField, irNull
from IndexedRedis._core.objects import state
from unit.build import define, load, load_only

NOON = datetime.datetime(2015, 5, 12, 12, 0, 1)
ROW = {'name': b'x', 'year': b'1980', 'cut': b'2015-05-12 12:00:01', 'tags': b'["a"]'}
SONG = define(
    'name',
    IRField('year', valueType=int),
    IRField('cut', valueType=datetime.datetime),
    IRField('tags', valueType=list, defaultValue=[]),
    IRField('price', valueType=Money, defaultValue=1),
)


def loaded(**row):
    return load(SONG, 7, **{**ROW, 'price': b'300c', **row})


def saved(song, pk=7):
    """Have `song` believe that a save of all its fields worked."""
    columns = SONG._validated().columns
    written = {name: state.current_bytes(song, column) for name, column in columns.items()}
    values = {name: song.__dict__.get(name) for name in written}
    state.confirm(song, pk, written, values, columns)
    return song


def is_clean(song):
    return not song.hasUnsavedChanges() and song.getUpdatedFields() == {}


def test_a_new_object_is_unsaved_without_updates():
    song = SONG(name='x')
    assert song.hasUnsavedChanges()
    assert song.getUpdatedFields() == {}
    assert song._origData == {
        'name': 'x',
        'year': irNull,
        'cut': irNull,
        'tags': [],
        'price': Money(1),
    }


def test_a_new_object_tells_what_was_assigned_since():
    song = SONG(name='x')
    song.name = 'y'
    assert song.getUpdatedFields() == {'name': ('x', 'y')}


def test_a_fetched_object_is_clean_before_and_after_it_is_read():
    song = loaded()
    assert is_clean(song)
    assert SONG._validated().columns.keys() == song.asDict().keys()
    assert is_clean(song)
    assert load(define('name'), name=b'x')._state is state.LOADED, 'it shares a state'


@pytest.mark.parametrize(
    ('field', 'old', 'value'),
    [
        ('name', 'x', 'y'),
        ('year', 1980, 1981),
        ('year', 1980, irNull),
        ('cut', NOON, NOON.replace(year=2016)),
        ('cut', NOON, None),
        ('tags', ['a'], ['b']),
        ('price', Money(3), Money(4)),
    ],
)
@pytest.mark.parametrize('touched', [False, True], ids=['untouched', 'touched'])
@pytest.mark.parametrize('make', [loaded, lambda: saved(loaded())], ids=['fetched', 'saved'])
def test_an_assignment_is_a_change_until_it_is_taken_back(make, field, old, value, touched):
    song = make()
    if touched:
        getattr(song, field)
    setattr(song, field, value)
    new = irNull if value is None else value
    assert song.hasUnsavedChanges()
    assert song.getUpdatedFields() == {field: (old, new)}
    assert song._origData[field] == old
    setattr(song, field, value)
    assert song.getUpdatedFields() == {field: (old, new)}
    setattr(song, field, old)
    assert is_clean(song)


@pytest.mark.parametrize('make', [loaded, lambda: saved(loaded())], ids=['fetched', 'saved'])
def test_a_value_changed_in_place_is_a_change(make):
    song = make()
    song.tags.append('b')
    song.price.cents = 5
    assert song.hasUnsavedChanges()
    assert song.getUpdatedFields() == {
        'tags': (['a'], ['a', 'b']),
        'price': (Money(3), Money('5c')),
    }
    song.tags.pop()
    song.price.cents = 300
    assert is_clean(song)


def test_a_new_object_changed_in_place_after_its_save_is_changed():
    song = saved(SONG(name='x', tags=['a']))
    assert is_clean(song)
    song.tags.append('b')
    assert song.getUpdatedFields() == {'tags': (['a'], ['a', 'b'])}


@pytest.mark.parametrize(
    ('field', 'default'), [('name', irNull), ('cut', irNull), ('tags', []), ('price', Money(1))]
)
def test_an_absent_field_assigned_its_default_is_no_change(field, default):
    song = load(SONG, 7)
    setattr(song, field, default)
    assert is_clean(song)


def test_other_bytes_of_an_equal_value_are_no_change():
    song = loaded(cut=b'2015-05-12 12:00:01.75')
    song.cut = NOON
    assert is_clean(song)


def test_an_unfetched_field_is_changed_by_any_assignment():
    song = load_only(SONG, ['name'], 7, name=b'x')
    assert is_clean(song)
    song.year = irNull
    song.tags = []
    assert song.getUpdatedFields() == {'year': (irNull, irNull), 'tags': ([], [])}
    song.name = 'x'
    assert list(song.getUpdatedFields()) == ['year', 'tags']


def test_an_unfetched_field_changed_in_place_is_a_change():
    song = load_only(SONG, ['name'], 7, name=b'x')
    assert song.tags == []
    assert is_clean(song)
    song.tags.append('a')
    assert song.hasUnsavedChanges()
    assert song.getUpdatedFields() == {'tags': ([], ['a'])}


def test_a_value_that_cannot_be_stored_is_a_change():
    song = loaded()
    song.tags.append({1})
    assert song.hasUnsavedChanges()
    assert list(song.getUpdatedFields()) == ['tags']


def test_a_value_assigned_while_its_save_was_under_way_stays_changed():
    song = loaded()
    columns = SONG._validated().columns
    song.name, song.tags, song.cut = 'sent', ['sent'], NOON.replace(year=2001)
    written = {name: columns[name].encode(getattr(song, name)) for name in ('name', 'tags', 'cut')}
    values = {name: song.__dict__[name] for name in written}
    song.name, song.cut = 'later', NOON.replace(year=2002)
    song.tags.append('later')
    song.year = 1
    state.confirm(song, 7, written, values, columns)
    assert song.getUpdatedFields() == {
        'name': ('sent', 'later'),
        'year': (1980, 1),
        'cut': (NOON.replace(year=2001), NOON.replace(year=2002)),
        'tags': (['sent'], ['sent', 'later']),
    }


def test_a_confirmed_save_leaves_nothing_changed():
    song = saved(SONG(name='x', tags=['a']), pk=12)
    assert (song._id, song.hasUnsavedChanges()) == (12, False)
    song.name = 'y'
    assert is_clean(saved(song))
    assert song._origData['name'] == 'y'


def test_a_partial_object_knows_what_it_wrote():
    song = load_only(SONG, ['name'], 7, name=b'x')
    song.year = 5
    columns = SONG._validated().columns
    state.confirm(song, 7, {'year': b'5'}, {'year': 5}, columns)
    assert is_clean(song)
    song.year = 6
    assert song.getUpdatedFields() == {'year': (5, 6)}
    song.year = 5
    assert is_clean(song)


def test_what_is_believed_to_be_stored():
    columns = SONG._validated().columns
    song = loaded(year=b'bad')
    assert state.expected_bytes(song, columns['year']) == b'bad'
    song.name, song.cut = 'y', irNull
    song.tags.append('b')
    assert [state.expected_bytes(song, columns[name]) for name in ('name', 'cut', 'tags')] == [
        ROW[name] for name in ('name', 'cut', 'tags')
    ]
    partial = load_only(SONG, ['name'], 7)
    assert state.expected_bytes(partial, columns['year']) is state.UNKNOWN
    assert state.expected_bytes(SONG(), columns['year']) is state.UNKNOWN


def test_bytes_never_decoded_are_passed_on_as_they_are():
    columns = SONG._validated().columns
    song = loaded(cut=b'2015-05-12 12:00:01.75', tags=b'["a"] ')
    twin = song.copy()
    for each in (song, twin):
        assert state.current_bytes(each, columns['cut']) == b'2015-05-12 12:00:01.75'
        assert state.current_bytes(each, columns['tags']) == b'["a"] '


def test_a_value_that_was_read_and_not_changed_keeps_its_stored_bytes():
    column = SONG._validated().columns['tags']
    song = loaded(tags=b'["a"] ')
    twin = song.copy()
    assert twin.tags is song.tags
    assert state.current_bytes(song, column) == state.current_bytes(twin, column) == b'["a"] '
    song.tags.append('b')
    assert state.current_bytes(song, column) == state.current_bytes(twin, column) == b'["a", "b"]'


def test_a_forgotten_object_is_new_and_keeps_its_values():
    song = loaded()
    song.name = 'y'
    song.tags.append('b')
    state.forget(song)
    assert (song._id, song.name, song.tags, song.cut) == (None, 'y', ['a', 'b'], NOON)
    assert song.hasUnsavedChanges()
    assert song.getUpdatedFields() == {}


def test_fetched_values_win_over_local_ones():
    song, fresh = loaded(), loaded(name=b'newer', tags=b'["z"]')
    song.name, song.year = 'local', 5
    song.tags.append('local')
    state.confirm_fetched(song, fresh, SONG._validated().all)
    assert (song.name, song.year, song.tags) == ('newer', 1980, ['z'])
    assert is_clean(song)


def test_objects_of_one_result_share_no_value_that_can_change():
    schema = SONG._validated()
    row = [b'x', b'1', None, b'[]', b'1c']
    one, other, absent = schema.builder(schema.all).objects([1, 2, 3], [row, row, [None] * 5], b'')
    one.tags.append('a')
    one.price.cents = 9
    assert (other.tags, other.price, absent.tags) == ([], Money('1c'), [])
