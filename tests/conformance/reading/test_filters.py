"""What filters say. The rule: all of them hold, on the server, and a query never changes."""

from __future__ import annotations

import datetime
from operator import eq, ne

import pytest
from support.keyspace import served

from IndexedRedis import FieldValueError, IRField, QueryError, irNull

CASES = [
    ({}, [1, 2, 3, 4, 5, 6]),
    ({'artist': 'Abba'}, [1, 2, 3]),
    ({'artist': 'nobody'}, []),
    ({'artist': 'abba'}, []),
    ({'artist': 'Abba', 'year': 1974}, [1, 2]),
    ({'artist': 'Abba', 'year': 1976, 'album': 'Arrival'}, [3]),
    ({'artist': 'Abba', 'year': 1980}, []),
    ({'album': 'Back in Black'}, [4]),
    ({'artist__ne': 'Abba'}, [4, 5, 6]),
    ({'artist__ne': 'nobody'}, [1, 2, 3, 4, 5, 6]),
    ({'artist__ne': 'Abba', 'year__ne': 1980}, [5, 6]),
    ({'artist__ne': 'Abba', 'year__ne': 1980, 'album__ne': irNull}, [5]),
    ({'artist': 'Abba', 'year__ne': 1974}, [3]),
    ({'artist': 'Abba', 'artist__ne': 'Abba'}, []),
    ({'artist': 'Abba', 'artist__ne': 'AC/DC'}, [1, 2, 3]),
    ({'year': 1976, 'artist': 'AC/DC', 'album__ne': 'Arrival'}, [5]),
    ({'year': 1974, 'artist__ne': 'AC/DC', 'album__ne': 'Arrival'}, [1, 2]),
    ({'artist': irNull}, [6]),
    ({'artist': None}, [6]),
    ({'artist': 'IRNullType()'}, [6]),
    ({'album': irNull, 'year': irNull, 'artist': irNull}, [6]),
    ({'artist__ne': irNull}, [1, 2, 3, 4, 5]),
    ({'artist__ne': None, 'year': 1976}, [3, 5]),
    ({'artist': ''}, []),
]


@pytest.mark.parametrize(('filters', 'pks'), CASES, ids=repr)
def test_every_way_to_ask_gives_the_objects_that_match(songs, filters, pks):
    query = songs.objects.filter(**filters)
    assert sorted(query.getPrimaryKeys()) == query.getPrimaryKeys(sortByAge=True) == pks
    assert sorted(obj._id for obj in query.all()) == pks
    assert [obj._id for obj in query.allByAge()] == pks
    assert sorted(obj._id for obj in query.allOnlyFields(['title'])) == pks
    assert sorted(obj._id for obj in query.allOnlyIndexedFields()) == pks
    assert query.count() == len(pks)
    assert getattr(query.first(), '_id', None) == next(iter(pks), None)
    assert getattr(query.last(), '_id', None) == next(reversed(pks), None)
    assert getattr(query.random(), '_id', None) in (pks or [None])


@pytest.mark.parametrize(('filters', 'pks'), CASES, ids=repr)
def test_a_filtered_delete_takes_just_the_objects_that_match(songs, filters, pks):
    assert songs.objects.filter(**filters).delete() == len(pks)
    assert songs.objects.getPrimaryKeys(True) == [pk for pk in range(1, 7) if pk not in pks]
    assert songs.objects.filter(**filters).count() == 0


def test_the_same_field_twice_means_both(songs):
    query = songs.objects.filter(artist='Abba')
    assert query.filter(artist='Abba').count() == 3
    assert query.filter(artist='AC/DC').count() == 0
    assert query.filter(artist='AC/DC').all() == []
    assert query.filter(artist__ne='Abba').first() is None
    twice = songs.objects.filter(artist__ne='Abba').filter(artist__ne='AC/DC')
    assert twice.getPrimaryKeys() == [6]
    assert twice.filter(artist__ne='AC/DC').count() == 1


def test_more_exclusions_than_can_be_counted_on_the_server(songs):
    query = songs.objects.filter(artist='Abba')
    for year in range(1970, 1976):
        query = query.filter(year__ne=year)
    assert query.count() == 1
    query = query.filter(year__ne=1977)
    assert query.count() == 1
    assert [obj._id for obj in query.all()] == [3]


def test_filter_leaves_the_query_as_it_is(songs):
    query = songs.objects.filter(artist='Abba')
    narrower = query.filter(year=1976)
    assert (narrower.count(), query.count(), songs.objects.count()) == (1, 3, 6)


def test_filterInline_changes_the_query(songs):
    query = songs.objects
    assert query.filterInline(artist='Abba') is query
    query.filterInline(year__ne=1976)
    assert query.getPrimaryKeys(sortByAge=True) == [1, 2]


def test_a_query_is_evaluated_at_each_call(songs):
    query = songs.objects.filter(artist='Abba')
    assert query.count() == 3
    songs(artist='Abba').save()
    assert query.count() == 4
    assert len(query.all()) == 4


def test_random_gives_every_object_sooner_or_later(songs):
    for query, pks in (
        (songs.objects, {1, 2, 3, 4, 5, 6}),
        (songs.objects.filter(artist='Abba'), {1, 2, 3}),
        (songs.objects.filter(artist__ne='Abba'), {4, 5, 6}),
        (songs.objects.filter(artist='Abba', year=1974, album__ne='x'), {1, 2}),
    ):
        assert {query.random()._id for _ in range(200)} == pks


def test_a_number_is_counted_without_moving_pks(songs, raw):
    with served(raw) as commands:
        songs.objects.count()
        songs.objects.filter(artist='Abba').count()
        songs.objects.filter(artist__ne='Abba').count()
        songs.objects.filter(artist='Abba', year=1974, album__ne='x').count()
    assert not commands.keys() & {'smembers', 'sinter', 'sdiff'}


def test_reading_writes_nothing(songs, raw):
    with served(raw) as commands:
        for filters, _ in CASES:
            query = songs.objects.filter(**filters)
            query.all(), query.count(), query.first(), query.last(), query.random()
    writing = {c.split('|')[0] for c in commands} & {'sadd', 'set', 'del', 'unlink', 'hset'}
    assert not writing
    assert not {name for name in commands if name.endswith('store')}


@pytest.mark.parametrize(
    'filters',
    [{'titel': 1}, {'title': 'x'}, {'artist__gt': 'a'}, {'artist__': 'a'}, {'_id': 1}, {'ne': 1}],
    ids=repr,
)
def test_what_cannot_be_asked_is_refused_at_once(songs, raw, filters):
    query = songs.objects
    with served(raw) as commands:
        for method in (query.filter, query.filterInline):
            with pytest.raises(QueryError, match=songs.__name__):
                method(year=1974, **filters)
    assert not commands
    assert query.count() == 6


WHEN = datetime.datetime(2015, 5, 12, 12, 0, 1)
FORMS = [
    (str, 'é:*', ['é:*', 'é:*'.encode()]),
    (str, '5', ['5', 5, b'5']),
    (str, '', ['', b'']),
    (int, 5, [5, '5', b'5', 5.0, ' 5 ', '05']),
    (int, -3, [-3, '-3']),
    (bool, True, [True, 'True', 'true', 1, '1']),
    (bool, False, [False, 'False', 'FALSE', 0, '0']),
    (datetime.datetime, WHEN, [WHEN, str(WHEN), WHEN.replace(microsecond=9), f'{WHEN}.5']),
    (datetime.datetime, WHEN, [WHEN.timestamp(), str(int(WHEN.timestamp()))]),
]


@pytest.mark.parametrize('hashed', [False, True], ids=['plain', 'hashed'])
@pytest.mark.parametrize(('kind', 'value', 'forms'), FORMS, ids=repr)
def test_filter_values_are_taken_in_every_form_that_could_be_assigned(
    make_model, kind, value, forms, hashed
):
    model = make_model([IRField('x', valueType=kind, hashIndex=hashed)], indexed=['x'])
    model.saver.save([model(x=value), model(x=irNull)])
    for form in forms:
        for sign, pks in ((eq, [1]), (ne, [2])):
            query = model.objects.filter(**{'x' if sign is eq else 'x__ne': form})
            assert query.getPrimaryKeys() == [obj._id for obj in query.all()] == pks


@pytest.mark.parametrize(
    ('kind', 'value'),
    [
        (int, 'five'),
        (bool, 'maybe'),
        (datetime.datetime, 'yesterday'),
        (datetime.datetime, WHEN.replace(tzinfo=datetime.UTC)),
        (str, 'lone \ud800'),
    ],
    ids=['int', 'bool', 'datetime', 'aware', 'surrogate'],
)
def test_a_filter_value_that_the_field_cannot_hold_is_refused_by_name(make_model, kind, value):
    model = make_model([IRField('x', valueType=kind)], indexed=['x'])
    with pytest.raises(FieldValueError, match=rf'{model.__name__}\.x'):
        model.objects.filter(x=value)
