"""``countBy()`` and ``distinctValues()``. The rule: they say what counting all objects in Python
says, whichever way they take."""

from __future__ import annotations

import decimal
import random
from collections import Counter

import pytest

from IndexedRedis import IRField, QueryError, UnreadableValueError
from IndexedRedis.fields import IRFixedPointField
from IndexedRedis.testing import recordTrips


def test_few_objects(songs):
    assert songs.objects.countBy('artist') == {'Abba': 3, 'AC/DC': 2, None: 1}
    assert [*songs.objects.countBy('artist')] == ['Abba', 'AC/DC', None]
    assert songs.objects.countBy('year') == {1974: 2, 1976: 2, 1980: 1, None: 1}
    assert songs.objects.filter(artist='Abba').countBy('year') == {1974: 2, 1976: 1}
    assert songs.objects.filter(year__ne=1974).countBy('album')['Arrival'] == 1
    assert songs.objects.filter(artist='nobody').countBy('year') == {}
    assert sorted(songs.objects.filter(artist='Abba').distinctValues('year')) == [1974, 1976]


def test_wrong_names(songs):
    with pytest.raises(QueryError, match=r"no field 'artis'.*'artist'"):
        songs.objects.countBy('artis')
    with pytest.raises(QueryError, match=r'title is not indexed.*valuesList'):
        songs.objects.distinctValues('title')


@pytest.fixture(scope='module')
def values():
    """Of each field, 2,000 values: few; few and one rare; hardly two alike."""
    chance = random.Random(7)
    return [
        (chance.choice(['rock', 'pop', None]), 'rare' if n == 1999 else 'usual', n // 2, n % 10)
        for n in range(2000)
    ]


@pytest.fixture
def many(make_model, values):
    names = ['few', 'rare', 'unlike', 'digit']
    fields = [
        IRField('few', hashIndex=True),
        'rare',
        *(IRField(name, valueType=int) for name in names[2:]),
    ]
    model = make_model(fields, names, CLIENT_SIDE_CACHE=0)
    model.reset([model(**dict(zip(names, row, strict=True))) for row in values])
    return model


@pytest.mark.large
@pytest.mark.parametrize('name', ['few', 'rare', 'unlike', 'digit'])
@pytest.mark.parametrize('digits', [None, 0, 9], ids=lambda digit: f'digit={digit}')
def test_many_objects(many, values, name, digits):
    place = ['few', 'rare', 'unlike', 'digit'].index(name)
    if digits is None:
        query, matching = many.objects, values
    elif digits:  # nearly all objects, and a tenth of them
        query, matching = many.objects.filter(digit__ne=9), [row for row in values if row[3] != 9]
    else:
        query, matching = many.objects.filter(digit=0), [row for row in values if row[3] == 0]
    expected = Counter(row[place] for row in matching)
    found = query.countBy(name)
    assert found == expected
    assert [*found.values()] == sorted(expected.values(), reverse=True)
    assert sorted(query.distinctValues(name), key=str) == sorted(expected, key=str)


@pytest.mark.plain_model
def test_few_values_take_a_few_trips_and_no_walk(many):
    many.objects.countBy('digit')
    with recordTrips() as trips:
        many.objects.countBy('digit')
    assert len(trips) <= 4
    commands = [command for trip in trips for command in trip]
    assert {command[0] for command in commands} == {'SCARD', 'SRANDMEMBER', 'HMGET', 'EXISTS'}
    assert len(commands) < 150


@pytest.mark.plain_model
def test_entries_of_objects_that_are_gone_spoil_no_count(many, values, raw):
    """The sizes do not add up then, so the rows decide."""
    raw.sadd(f'_ir_|{many.KEY_NAME}:idx:digit:3', 77777)
    assert many.objects.countBy('digit') == Counter(row[3] for row in values)
    raw.srem(f'_ir_|{many.KEY_NAME}:idx:digit:3', 77777)


def test_links_count_by_pk(shelf):
    assert shelf.objects.countBy('author') == {1: 2, 2: 1}
    assert shelf.objects.countBy('similar') == {None: 2, (2, 1): 1}


@pytest.mark.plain_model
def test_equal_values_of_several_forms_are_one(make_model, raw):
    """6.0.3 stores the negative zero of fixed point under an index value of its own."""
    model = make_model([IRFixedPointField('n', decimalPlaces=2)], ['n'])
    model.saver.save([model(n=0), model(n=decimal.Decimal('1.5'))])
    key = f'_ir_|{model.KEY_NAME}'
    raw.hset(f'{key}:data:1', 'n', b'-0.00')
    raw.smove(f'{key}:idx:n:0.00', f'{key}:idx:n:-0.00', 1)
    model(n=0).save()
    assert model.objects.countBy('n') == {0.0: 2, 1.5: 1}
    model.objects.delete()


@pytest.mark.plain_model
def test_a_value_that_cannot_be_decoded(songs, raw):
    raw.hset(f'_ir_|{songs.KEY_NAME}:data:4', 'year', b'late')
    with pytest.raises(UnreadableValueError, match='year of the object with pk 4'):
        songs.objects.countBy('year')
    raw.hset(f'_ir_|{songs.KEY_NAME}:data:4', 'year', b'1980')
