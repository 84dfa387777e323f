"""Objects made, read, assigned, shown. The rule: no I/O, nothing is shared, reads are plain."""

from __future__ import annotations

import datetime
import io

import pytest

from IndexedRedis import (
    FieldTypeError,
    FieldValueError,
    UnknownNameWarning,
    UnreadableValueError,
    UsageError,
    irNull,
)
from IndexedRedis.fields.base.primary_keys import HIGHEST_PK
from unit.build import load, load_only
from unit.song import NOON, ROW, Song, new


def test_values_are_converted_and_missing_ones_are_defaults():
    song = Song(name=5, year='1980')
    assert (song.name, song.year, song.cut, song.tags, song.raw) == ('5', 1980, irNull, ['new'], '')


def test_defaults_are_not_shared():
    one, other = Song(), Song()
    one.tags.append('x')
    assert (other.tags, Song().tags, load(Song).tags) == (['new'], ['new'], ['new'])


def test_unknown_keywords_are_ignored():
    with pytest.warns(UnknownNameWarning):
        song = Song(name='x', nmae='y')
    assert song.name == 'x'
    assert not hasattr(song, 'nmae')


class Titled(Song):
    """Takes a positional argument of its own, and hands on what it does not use."""

    KEY_NAME = 'Titled'

    def __init__(self, title=None, *others, **values):
        super().__init__(*others, **({'name': title} if title else {}), **values)


@pytest.mark.parametrize(
    'make', [lambda: Song('x'), lambda: Song(5, name='x'), lambda: Titled('title', 'x')]
)
def test_values_by_position_are_refused(make):
    with pytest.raises(UsageError, match=r'(Song|Titled): .* keyword; .*Write \w+\(name=\.\.\.\)'):
        make()


def test_a_subclass_may_take_positional_arguments_of_its_own():
    assert Titled('title', year=5).name == 'title'
    fetched = load(Titled, 7, **ROW)
    assert (fetched._id, fetched.name, fetched.hasUnsavedChanges()) == (7, 'x', False)


@pytest.mark.parametrize(
    ('given', 'pk'),
    [(None, None), (0, None), ('', None), (7, 7), ('7', 7), (b'7', 7)],
)
def test_a_pk_can_be_given(given, pk):
    song = Song(_id=given, name='x')
    assert song._id == song.getPk() == pk
    assert song.hasUnsavedChanges()


NO_PKS = ['x', '7.5', [1], 7.5, -1, '-1', '0', HIGHEST_PK + 1, True, '1_0', '+1', b'-1', '\u0661']


@pytest.mark.parametrize('given', NO_PKS, ids=repr)
def test_what_is_no_pk_is_refused(given):
    with pytest.raises(UsageError, match=r'primary key|as a pk'):
        Song(_id=given)


@pytest.mark.parametrize(
    ('field', 'value', 'kind', 'text'),
    [
        ('year', 'x', FieldValueError, "Song.year: cannot hold 'x': invalid literal"),
        ('year', 'a...', FieldValueError, "Song.year: cannot hold 'a...': invalid literal"),
        ('year', [1], FieldTypeError, 'Song.year: cannot hold [1]: int() argument'),
        ('cut', 'noon', FieldValueError, "Song.cut: cannot hold 'noon': a moment as text"),
        ('tags', {1}, FieldTypeError, 'Song.tags: cannot hold {1}: a set has no json form.'),
        ('raw', None, FieldTypeError, 'Song.raw: cannot hold None: needs bytes, text or a number'),
        ('name', 'IRNullType()', FieldValueError, "Song.name: cannot hold 'IRNullType()'"),
        ('year', 'x' * 500, FieldValueError, "Song.year: cannot hold 'xxxxxxx"),
    ],
)
def test_a_wrong_value_is_refused_at_once_and_the_old_one_stays(field, value, kind, text):
    song = load(Song, **ROW)
    before = getattr(song, field)
    with pytest.raises(kind) as caught:
        setattr(song, field, value)
    assert str(caught.value).startswith(text)
    assert len(str(caught.value)) < 1000
    assert getattr(song, field) == before
    assert not song.hasUnsavedChanges()
    with pytest.raises(kind):
        Song(**{field: value})


def test_attributes_that_are_no_fields_are_just_set():
    song = load(Song, **ROW)
    song.note = {'any': object}
    assert song.note == {'any': object}
    assert not song.hasUnsavedChanges()


def test_a_field_cannot_be_deleted_from_an_object():
    song = load(Song, **ROW)
    song.note = 1
    del song.note
    with pytest.raises(AttributeError, match=r'Song\.name is a field; assign irNull'):
        del song.name
    assert (song.name, hasattr(song, 'note')) == ('x', False)


def test_reads_are_plain_attribute_reads():
    song = load(Song, **ROW)
    for name in Song.FIELDS:
        assert not hasattr(type(Song.__dict__[name.name]), '__set__')
        value = getattr(song, name)
        assert song.__dict__[name.name] is value is getattr(song, name)


def test_cheap_values_are_decoded_when_built_and_others_on_touch():
    song = load(Song, **ROW)
    assert {'name', 'year', 'raw'} <= song.__dict__.keys()
    assert not {'cut', 'tags'} & song.__dict__.keys()
    assert (song.cut, song.tags) == (NOON, ['a'])


@pytest.mark.parametrize('field', ['year', 'cut', 'tags'])
def test_unreadable_bytes_raise_on_touch_and_only_there(field):
    song = load(Song, 7, **{**ROW, field: b'\xffbad'})
    others = [name for name in ROW if name != field]
    assert [getattr(song, name) for name in others] == [
        getattr(load(Song, **ROW), name) for name in others
    ]
    for _ in range(2):
        with pytest.raises(UnreadableValueError) as caught:
            getattr(song, field)
    text = str(caught.value)
    assert text.startswith(f"Song.{field} of the object with pk 7: the stored bytes b'\\xffbad'")
    assert 'Assign a new value' in text
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize('field', ['year', 'cut', 'tags'])
def test_unreadable_bytes_are_no_change_and_can_be_written_over(field):
    song = load(Song, 7, **{**ROW, field: b'\xffbad'})
    assert not song.hasUnsavedChanges()
    assert song.getUpdatedFields() == {}
    assert '<unreadable>' in repr(song)
    assert str(song).startswith('<Song obj _id=7 at ')
    setattr(song, field, irNull)
    assert getattr(song, field) is irNull
    assert song.hasUnsavedChanges()
    assert song.getUpdatedFields() == {field: (b'\xffbad', irNull)}
    assert song._origData[field] == b'\xffbad'


def test_one_bad_row_does_not_spoil_the_others():
    schema = Song._validated()
    rows = [[b'x', year, None, None, b''] for year in (b'1', b'bad', b'2')]
    songs = schema.builder(schema.all).objects([1, 2, 3], rows, b'')
    assert [song._id for song in songs] == [1, 2, 3]
    assert (songs[0].year, songs[2].year, songs[1].name) == (1, 2, 'x')
    with pytest.raises(UnreadableValueError, match='pk 2'):
        songs[1].year


def test_absent_fields_and_unfetched_ones_read_as_defaults():
    for song in (load(Song, name=b'x'), load_only(Song, ['name'], name=b'x')):
        assert (song.name, song.year, song.cut, song.tags, song.raw) == (
            *('x', irNull, irNull, ['new'], ''),
        )
        assert not song.hasUnsavedChanges()


def test_as_dict():
    for song in (new(), load(Song, **ROW)):
        expected = {'name': 'x', 'year': 1980, 'cut': NOON, 'tags': ['a'], 'raw': b'r'}
        assert song.asDict() == song.toDict() == song.asDict(strKeys=True) == expected
        assert all(key is field for key, field in zip(song.asDict(), Song.FIELDS, strict=True))
        assert {type(key) for key in song.asDict(strKeys=True, includeMeta=True)} == {str}
        assert song.asDict(includeMeta=True) == {'_id': song._id, **expected}
        assert song.asDict(forStorage=True) == {
            **{'name': 'x', 'year': '1980', 'cut': '2015-05-12 12:00:01', 'tags': '["a"]'},
            'raw': b'r',
        }
    assert Song().asDict(forStorage=True, strKeys=True)['year'] == 'IRNullType()'


def test_pprint():
    stream = io.StringIO()
    load_only(Song, ['name'], 7, name=b'x').pprint(stream)
    assert eval(stream.getvalue(), {'irNull': irNull}) == {
        **{'_id': 7, 'name': 'x', 'year': irNull, 'cut': irNull, 'tags': ['new'], 'raw': ''}
    }


def test_str_tells_whether_it_is_stored():
    assert str(new()).startswith('<Song obj (Not in DB) at 0x')
    song = load(Song, 24, **ROW)
    assert str(song).startswith('<Song obj _id=24 at 0x')
    song.name = 'y'
    assert str(song).startswith('<Song obj _id=24 (Unsaved Changes) at 0x')
    song.tags.append(object())
    assert str(song).startswith('<Song obj _id=24 (Unsaved Changes) at 0x')


def test_repr_is_a_constructor_call():
    assert repr(load(Song, 24, name=b'x', year=b'3')) == (
        "Song(_id=\"24\", name='x', year=3, cut=irNull, tags=['new'], raw='')"
    )
    song = new()
    assert repr(song).startswith("Song(name='x', year=1980, cut=datetime.datetime(2015, ")
    assert eval(repr(song), {'Song': Song, 'datetime': datetime}) == song
