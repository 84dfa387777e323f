"""Filters before they are sent. The rule: a mistake raises at once, and says what is possible."""

from __future__ import annotations

import datetime

import pytest

from IndexedRedis import FieldValueError, IRField, QueryError, irNull
from IndexedRedis._core.expressions.tree import literals_of
from unit.build import define

SONG = define(
    'name',
    'artist',
    'a__b',
    IRField('year', valueType=int),
    IRField('live', valueType=bool),
    IRField('cut', valueType=datetime.datetime),
    IRField('lyrics', hashIndex=True),
    IRField('price', valueType=float),
    indexed=['artist', 'a__b', 'year', 'live', 'cut', 'lyrics'],
)
NOON = datetime.datetime(2015, 5, 12, 12, 0, 1)


def conditions(query):
    literals = [each for node in query._filters for each in literals_of(node)]
    return [(a.column.name, 'ne' if no else a.lookup, a.values) for a, no in literals]


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ({}, []),
        ({'artist': 'x'}, [('artist', '', (b'x',))]),
        ({'artist__ne': 'x'}, [('artist', 'ne', (b'x',))]),
        ({'a__b': 'x', 'a__b__ne': 'y'}, [('a__b', '', (b'x',)), ('a__b', 'ne', (b'y',))]),
        ({'artist': 'é'}, [('artist', '', (b'\xc3\xa9',))]),
        ({'artist': ''}, [('artist', '', (b'',))]),
        ({'artist': b'x'}, [('artist', '', (b'x',))]),
        ({'artist': 5}, [('artist', '', (b'5',))]),
        ({'artist': None}, [('artist', '', (b'IRNullType()',))]),
        ({'artist': irNull}, [('artist', '', (b'IRNullType()',))]),
        ({'artist': 'IRNullType()'}, [('artist', '', (b'IRNullType()',))]),
        ({'year': 5}, [('year', '', (b'5',))]),
        ({'year': '5'}, [('year', '', (b'5',))]),
        ({'year': 5.0}, [('year', '', (b'5',))]),
        ({'live': True}, [('live', '', (b'True',))]),
        ({'live': 'True'}, [('live', '', (b'True',))]),
        ({'live': 'false'}, [('live', '', (b'False',))]),
        ({'cut': NOON.replace(microsecond=5)}, [('cut', '', (b'2015-05-12 12:00:01',))]),
        ({'cut': str(NOON)}, [('cut', '', (b'2015-05-12 12:00:01',))]),
        ({'lyrics': 'abc'}, [('lyrics', '', (b'900150983cd24fb0d6963f7d28e17f72',))]),
        ({'lyrics': irNull}, [('lyrics', '', (b'563e746fa69bd6749e2b7f83dadc17d4',))]),
    ],
    ids=repr,
)
def test_a_filter_is_a_column_a_lookup_and_an_index_value(given, expected):
    assert conditions(SONG.objects.filter(**given)) == expected


@pytest.mark.parametrize(
    ('given', 'fragments'),
    [
        ({'artits': 1}, ["Song has no field 'artits'", "Did you mean 'artist'?"]),
        ({'artits__ne': 1}, ["Song has no field 'artits'", "Did you mean 'artist'?"]),
        ({'artist_ne': 1}, ["Song has no field 'artist_ne'", "Did you mean 'artist'?"]),
        ({'zzz': 1}, ["Song has no field 'zzz'"]),
        ({'': 1}, ["Song has no field ''"]),
        ({'__ne': 1}, ["Song has no field '__ne'"]),
        ({'artist__': 1}, ["unknown lookup 'artist__'", 'artist__ne']),
        ({'_id': 1}, ["Song has no field '_id'"]),
        ({'name': 1}, ['Song.name is not indexed', 'indexed: artist, a__b,', 'reindex()']),
        ({'price__ne': 1}, ['Song.price is not indexed']),
        ({'name__gte': 1}, ['Song.name is not indexed']),
        ({'artist__like': 1}, ["unknown lookup 'artist__like'", 'artist__ne', '.all().filter(']),
        ({'artist__NE': 1}, ["unknown lookup 'artist__NE'"]),
        ({'artist__ne__ne': 1}, ["Song has no field 'artist__ne'"]),
    ],
    ids=repr,
)
def test_a_name_that_cannot_be_filtered_on_is_refused_with_a_hint(given, fragments):
    with pytest.raises(QueryError) as caught:
        SONG.objects.filter(**given)
    assert isinstance(caught.value, ValueError)
    assert all(fragment in str(caught.value) for fragment in fragments)


def test_a_model_without_indexes_says_so():
    with pytest.raises(QueryError, match=r'\(indexed: none\)'):
        define('name').objects.filter(name='x')


@pytest.mark.parametrize(
    ('given', 'fragment'),
    [
        ({'year': 'x'}, "Song.year: cannot hold 'x'"),
        ({'year__ne': [1]}, 'Song.year: cannot hold [1]'),
        ({'live': 'maybe'}, "Song.live: cannot hold 'maybe'"),
        ({'cut': NOON.replace(tzinfo=datetime.UTC)}, 'aware'),
        ({'cut': 'noon'}, "Song.cut: cannot hold 'noon'"),
        ({'artist': b'\xff'}, "Song.artist: cannot hold b'\\xff'"),
    ],
    ids=repr,
)
def test_a_value_that_the_field_cannot_hold_is_refused(given, fragment):
    with pytest.raises(FieldValueError) as caught:
        SONG.objects.filter(**given)
    assert fragment in str(caught.value)


def test_filter_leaves_the_query_as_it_is():
    query = SONG.objects
    narrowed = query.filter(artist='x')
    more = narrowed.filter(year__ne=5).filter(artist='y')
    assert conditions(query) == []
    assert conditions(narrowed) == [('artist', '', (b'x',))]
    assert conditions(more) == [
        ('artist', '', (b'x',)),
        ('year', 'ne', (b'5',)),
        ('artist', '', (b'y',)),
    ]
    assert type(more) is type(query)


def test_filter_inline_changes_this_query_alone():
    query = SONG.objects.filter(artist='x')
    other = query.filter()
    assert query.filterInline(year=5) is query
    assert conditions(query) == [('artist', '', (b'x',)), ('year', '', (b'5',))]
    assert conditions(other) == [('artist', '', (b'x',))]


def test_a_refused_filter_changes_nothing():
    query = SONG.objects.filter(artist='x')
    with pytest.raises(QueryError):
        query.filterInline(year=5, nix=1)
    assert conditions(query) == [('artist', '', (b'x',))]


def test_every_access_gives_a_query_of_its_own():
    assert SONG.objects is not SONG.objects
    assert conditions(SONG(name='x').objects.filter(year=1)) == [('year', '', (b'1',))]
