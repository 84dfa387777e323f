"""``values()`` and ``valuesList()``. The rule: they say of each object what ``asDict()`` says."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField, UnreadableValueError, UsageError
from IndexedRedis.testing import recordTrips


def by_pk(items):
    return sorted(items, key=lambda item: item['_id'])


def test_a_dict_for_each_object(songs):
    query = songs.objects.filter(artist='Abba')
    assert by_pk(query.values('title', 'year', '_id')) == [
        {'title': 'Waterloo', 'year': 1974, '_id': 1},
        {'title': 'Honey, Honey', 'year': 1974, '_id': 2},
        {'title': 'Fernando', 'year': 1976, '_id': 3},
    ]


def test_without_names_all_fields(songs):
    dicts = songs.objects.values()
    key = str
    assert sorted(dicts, key=key) == sorted(songs.objects.all().asDicts(), key=key)
    assert [*dicts[0]] == [field.name for field in songs.FIELDS]
    assert sorted(map(len, songs.objects.valuesList())) == [5] * 6


def test_nulls_are_none(songs):
    assert songs.objects.filter(artist=None).values('artist', 'year', 'title') == [
        {'artist': None, 'year': None, 'title': 'Unknown'}
    ]


def test_tuples_and_single_values(songs):
    query = songs.objects.filter(artist='AC/DC')
    assert sorted(query.valuesList('year', 'title')) == [(1976, 'T.N.T.'), (1980, 'Hells Bells')]
    assert sorted(query.valuesList('title', flat=True)) == ['Hells Bells', 'T.N.T.']
    assert songs.objects.filter(artist='nobody').valuesList('title', flat=True) == []


def test_pks_have_two_names(songs):
    assert sorted(songs.objects.valuesList('pk', flat=True)) == [1, 2, 3, 4, 5, 6]
    assert songs.objects.filter(artist='Abba', year=1976).values('_id', 'pk') == [
        {'_id': 3, 'pk': 3}
    ]
    assert songs.objects.filter(year=1980).valuesList('pk', 'title', 'pk') == [
        (4, 'Hells Bells', 4)
    ]


def test_a_field_may_be_named_pk(make_model):
    model = make_model(['pk'], ['pk'])
    model(pk='mine').save()
    assert model.objects.values('pk', '_id') == [{'pk': 'mine', '_id': 1}]


def test_links_are_pks(shelf):
    found = sorted(shelf.objects.valuesList('title', 'author', 'similar'))
    assert found == [('one', 1, None), ('three', 2, [2, 1]), ('two', 1, None)]


def test_only_names_the_fields(songs):
    query = songs.objects.filter(year=1980).only('title', 'year')
    assert query.values() == [{'title': 'Hells Bells', 'year': 1980}]
    assert query.values('artist') == [{'artist': 'AC/DC'}]


def test_wrong_names(songs):
    with pytest.raises(UsageError, match=r"no field 'titel'.*'title'"):
        songs.objects.values('titel')
    with pytest.raises(UsageError, match='Name one field'):
        songs.objects.valuesList('title', 'year', flat=True)
    with pytest.raises(UsageError, match='Name one field'):
        songs.objects.valuesList(flat=True)


@pytest.mark.plain_model
@pytest.mark.parametrize('count', [50, 1500])
def test_results_of_each_size(song, count):
    """One trip; and chunks, with memos."""
    song.CLIENT_SIDE_CACHE = 0
    song.reset([song(title=str(n), artist='a', year=n % 7, tags=[n % 3]) for n in range(count)])
    query = song.objects.filter(artist='a')
    query.values('title')
    with recordTrips() as trips:
        found = query.values('title', 'year', 'tags')
    assert len(trips) == (1 if count == 50 else 3)
    found.sort(key=lambda each: int(each['title']))
    assert found == [{'title': str(n), 'year': n % 7, 'tags': [n % 3]} for n in range(count)]
    assert len({id(each['tags']) for each in found}) == count  # no two items share a list


@pytest.mark.plain_model
@pytest.mark.parametrize('count', [1, 20])
def test_a_value_that_cannot_be_decoded_raises_and_names_the_object(song, raw, count):
    song.saver.save([song(title=str(n), year=n) for n in range(count)])
    raw.hset(f'_ir_|{song.KEY_NAME}:data:1', 'tags', b'{broken')
    with pytest.raises(UnreadableValueError, match=r'\.tags of the object with pk 1'):
        song.objects.values('title', 'tags')
    assert len(song.objects.values('title', 'year')) == count
    raw.hset(f'_ir_|{song.KEY_NAME}:data:1', 'tags', b'[]')


@pytest.mark.plain_model
def test_an_absent_field_has_its_default(make_model, raw):
    model = make_model(['name', IRField('year', valueType=int, defaultValue=7), 'other'])
    model(name='x', year=1).save()
    raw.hdel(f'_ir_|{model.KEY_NAME}:data:1', 'year', 'other')
    assert model.objects.values() == [{'name': 'x', 'year': 7, 'other': None}]
    model.objects.delete()
