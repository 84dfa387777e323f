"""Names that are no field. The rule: a value never vanishes in silence, and what is the program's
own stays silent."""

from __future__ import annotations

import sys
import warnings

import pytest

import IndexedRedis
from IndexedRedis import (
    IndexedRedisModel,
    InvalidModelException,
    IRField,
    IRQueryableList,
    UnknownNameError,
    UnknownNameWarning,
    UsageError,
    setUnknownNames,
)
from IndexedRedis.fields import IRForeignLinkField
from unit.build import define, load

NAMES = ['title', 'artist_name', 'year', 'id2']


@pytest.fixture(autouse=True)
def _usual():
    yield
    setUnknownNames('warn')


class Artist(IndexedRedisModel):
    FIELDS = [IRField('name')]
    KEY_NAME = 'Artist'


class Song(IndexedRedisModel):
    FIELDS = [*map(IRField, NAMES), IRForeignLinkField('artist', Artist)]
    KEY_NAME = 'Song'
    titel2 = None
    __slots__ = ('yaer',)

    @property
    def titles(self):
        return [self.title]

    @titles.setter
    def titles(self, value):
        self.title = value[0]


def told(action):
    """What an action warns about, and the lines of this file that it blames."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('default')
        action()
    assert {each.filename for each in caught} <= {__file__}
    assert {each.category for each in caught} <= {UnknownNameWarning}
    return [str(each.message) for each in caught]


@pytest.mark.parametrize(
    ('values', 'text'),
    [
        ({'titel': 'x'}, "Song has no field 'titel'. Did you mean 'title'? Its value is lost."),
        ({'zzz': 1}, "Song has no field 'zzz'. Its value is lost."),
        (
            {'zzz': 1, 'title': 'x', 'Year': 2},
            "Song has no field 'zzz'. Song has no field 'Year'. Did you mean 'year'? "
            'Its value is lost.',
        ),
        (
            {'artist__id': 1},
            "Song has no field 'artist__id'. Did you mean 'artist'? Its value is lost.",
        ),
    ],
)
def test_a_constructor_warns_about_what_is_no_field(values, text):
    assert told(lambda: Song(**values)) == [text]


def test_what_a_constructor_takes_is_silent():
    assert told(lambda: Song(title='x', artist_name='y', _id=7, artist=None)) == []


def test_an_attribute_of_the_class_is_no_unknown_name():
    assert told(lambda: Song(titles=['x'], titel2=1, yaer=1)) == []


SLIPS = [
    ('titel', 'title'),  # two letters swapped
    ('tite', 'title'),  # one missing
    ('titles_', 'title'),  # one more
    ('tible', 'title'),  # another one
    ('Title', 'title'),
    ('artistName', 'artist_name'),
    ('ARTIST_NAME', 'artist_name'),
    ('yeer', 'year'),
    ('ID2', 'id2'),
]
OWN = [
    'shown',
    'titlexx',
    'subtitle',
    'year2',
    '_title',
    '_year',
    'id3',
    'id',
    'name',
    'a',
    'label',
]


@pytest.mark.parametrize(('name', 'field'), SLIPS)
def test_assigning_to_nearly_a_field_warns(name, field):
    song = Song()
    text = (
        f'Song has no field {name!r}. Did you mean {field!r}? Attributes that are no fields are '
        'not stored.'
    )
    assert told(lambda: setattr(song, name, 1)) == [text]
    assert getattr(song, name) == 1


@pytest.mark.parametrize('name', [*OWN, *NAMES, 'artist', 'artist__id', 'titles', 'titel2', 'yaer'])
def test_assigning_an_attribute_of_ones_own_is_silent(name):
    song = Song()
    value = ['1'] if name == 'titles' else 1
    assert told(lambda: setattr(song, name, value)) == []


def test_assigning_again_is_silent():
    song = Song()
    assert len(told(lambda: setattr(song, 'titel', 1))) == 1
    assert told(lambda: setattr(song, 'titel', 2)) == []


class Initialised(Song):
    """Sets attributes of its own in ``__init__``, before and after the values, and by a helper."""

    def __init__(self, **values):
        self.tite = 0
        super().__init__(**values)
        self.titel = 1
        self.prepare()

    def prepare(self):
        self.yeer = 2


@pytest.mark.parametrize('make', [Initialised, lambda: load(Initialised, title=b'x')])
def test_what_an_init_sets_is_silent(make):
    song = None

    def act():
        nonlocal song
        song = make()
        song.titel = 5
        song.yeer = 6

    assert told(act) == []
    assert (song.tite, song.titel, song.yeer) == (0, 5, 6)
    assert len(told(lambda: setattr(song, 'tible', 1))) == 1


def test_an_init_of_ones_own_is_not_the_place_to_blame():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('default')
        line = sys._getframe().f_lineno + 1
        Initialised(zzz=1)
    assert [each.lineno for each in caught] == [line]


def test_each_place_warns_once():
    def make():
        for _ in range(3):
            Song(zzz=1)
        Song(zzz=1)

    assert len(told(make)) == 2


SONGS = IRQueryableList([Song(title='b', year='2'), None, Song(title='a', year='1')])
READS = [
    (lambda songs: songs.sort_by('titel'), 'titel', 'title'),
    (lambda songs: songs.filter(titel='a'), 'titel', 'title'),
    (lambda songs: songs.filterAnd(titel__contains='a'), 'titel', 'title'),
    (lambda songs: songs.filterOr(title='a', titel__isnull=True), 'titel', 'title'),
    (lambda songs: songs.filter(yeer__gte=1), 'yeer', 'year'),
]
SONGS_WITH_ONE = IRQueryableList([Song(), Song(title='x')])
SONGS_WITH_ONE[1].shown = 5
KNOWN = [
    lambda songs: songs.sort_by('title'),
    lambda songs: songs.filter(title__ne='a', titles__contains='b'),
    lambda songs: songs.filter(artist__id__eq=5, _id__isnull=True, titel2__isnull=True),
    lambda songs: SONGS_WITH_ONE.filter(shown=5),
    lambda songs: SONGS_WITH_ONE.sort_by('shown'),
    lambda songs: IRQueryableList([], mdl=Song).filter(shown=5).sort_by('zzz'),
    lambda songs: IRQueryableList([None], mdl=Song).filter(shown=5),
]


@pytest.mark.parametrize(('read', 'name', 'field'), READS)
def test_a_list_warns_about_what_no_object_has(read, name, field):
    songs = IRQueryableList([song for song in SONGS if song])
    text = (
        f'Song has no field {name!r}. Did you mean {field!r}? No object of the list has such an '
        'attribute.'
    )
    assert told(lambda: read(songs)) == [text]


@pytest.mark.parametrize('read', KNOWN)
def test_a_list_is_silent_about_what_an_object_has(read):
    assert told(lambda: read(IRQueryableList([song for song in SONGS if song]))) == []


def test_a_list_with_an_unknown_name_fetches_no_link():
    song = Song(artist=1)  # reading the link would need a server
    assert len(told(lambda: IRQueryableList([song]).filter(artst=1))) == 1


ACTIONS = [
    lambda: Song(titel='x'),
    lambda: setattr(Song(), 'titel', 1),
    lambda: IRQueryableList([Song()]).sort_by('titel'),
    lambda: IRQueryableList([Song()]).filter(titel=1),
]


@pytest.mark.parametrize('act', ACTIONS)
def test_an_error_or_silence_can_be_chosen_for_all_models(act):
    setUnknownNames('raise')
    for kind in (UnknownNameError, UsageError, AttributeError, TypeError, ValueError):
        with pytest.raises(kind, match=r"Song has no field 'titel'\. Did you mean 'title'\?"):
            act()
    setUnknownNames('ignore')
    assert told(act) == []
    setUnknownNames('warn')
    assert len(told(act)) == 1


def test_a_refused_attribute_is_not_set():
    song = Song()
    setUnknownNames('raise')
    with pytest.raises(UnknownNameError):
        song.titel = 1
    assert not hasattr(song, 'titel')


def test_a_model_can_choose_for_itself():
    strict = define('title', name='Strict', UNKNOWN_NAMES='raise')
    silent = type(IndexedRedisModel)('Silent', (strict,), {'UNKNOWN_NAMES': 'ignore'})
    heir = type(IndexedRedisModel)('Heir', (strict,), {})
    setUnknownNames('ignore')
    for model in (strict, heir):
        with pytest.raises(UnknownNameError, match=f'{model.__name__} has no field'):
            model(titel='x')
    setUnknownNames('raise')
    assert told(lambda: silent(titel='x')) == []
    strict.UNKNOWN_NAMES = None
    setUnknownNames('ignore')
    assert told(lambda: strict(titel='x')) == []


@pytest.mark.parametrize('wrong', ['error', True, [], ''])
def test_another_choice_is_refused(wrong):
    with pytest.raises(UsageError, match="one of 'raise', 'warn', 'ignore', not"):
        setUnknownNames(wrong)
    with pytest.raises(InvalidModelException, match='UNKNOWN_NAMES is'):
        define('title', UNKNOWN_NAMES=wrong).validateModel()


def test_the_names_are_public():
    assert {'setUnknownNames', 'UnknownNameError', 'UnknownNameWarning'} <= {*IndexedRedis.__all__}
