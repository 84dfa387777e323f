"""``get()`` by filters, ``exists()`` without a pk, ``inBulk()`` and ``only()``."""

from __future__ import annotations

import pytest

from IndexedRedis import MultipleObjectsError, QueryError, UsageError, irNull
from IndexedRedis.testing import recordTrips


def test_the_one_object_that_matches(songs):
    assert songs.objects.get(year=1980).title == 'Hells Bells'
    assert songs.objects.filter(artist='Abba').get(year=1976)._id == 3
    assert songs.objects.filter(artist='Abba', year=1976).get()._id == 3
    assert songs.objects.get(artist='nobody') is None
    assert songs.objects.filter(artist='Abba').get(year=1980) is None


def test_several_objects(songs):
    with pytest.raises(MultipleObjectsError, match=r'several objects.*pks \d and \d'):
        songs.objects.get(artist='Abba')
    with pytest.raises(LookupError):
        songs.objects.get()


def test_many_objects_are_not_read(song):
    song.CLIENT_SIDE_CACHE = 0
    song.reset([song(artist='a') for _ in range(2000)])
    song.objects.filter(artist='a').first()
    with recordTrips() as trips, pytest.raises(MultipleObjectsError):
        song.objects.get(artist='a')
    assert sum(map(len, trips)) < 300 * max(song.PARTITIONS, 1)  # of each partition some


def test_a_pk_goes_alone(songs):
    query = songs.objects.filter(artist='Abba')
    assert query.get(4).artist == query.get(pk='4').artist == 'AC/DC'
    with pytest.raises(UsageError, match=r'get\(4\) finds an object by its pk alone.*year'):
        query.get(4, year=1980)
    for wrong in (None, 'x', True):
        with pytest.raises(UsageError, match='no primary key'):
            songs.objects.get(wrong)
        with pytest.raises(UsageError, match='no primary key'):
            songs.objects.exists(wrong)
    with pytest.raises(QueryError, match='not indexed'):
        songs.objects.get(title='Fernando')


def test_linked_objects_come_along(shelf):
    book = shelf.objects.get(title='three', cascadeFetch=True)
    assert book.author.name == 'Bob'
    assert [each.title for each in shelf.objects.inBulk([3], cascadeFetch=True)[3].similar] == [
        *('two', 'one')
    ]


def test_in_bulk(songs):
    found = songs.objects.filter(artist='Abba').inBulk(['4', 1, 77, 1])
    assert {pk: obj.title for pk, obj in found.items()} == {4: 'Hells Bells', 1: 'Waterloo'}
    assert songs.objects.inBulk([]) == {}
    with pytest.raises(UsageError, match='no primary key'):
        songs.objects.inBulk(['x'])


READS = {
    'all': lambda q: q.all(),
    'allByAge': lambda q: q.allByAge(),
    'for': lambda q: list(q),
    'first': lambda q: [q.first()],
    'last': lambda q: [q.last()],
    'random': lambda q: [q.random()],
    'get': lambda q: [q.filter(year=1976).get()],
    'get by pk': lambda q: [q.get(3)],
    'inBulk': lambda q: [*q.inBulk([3]).values()],
    'iterator': lambda q: list(q.iterator()),
}


@pytest.mark.parametrize('how', READS)
def test_only_fetches_partial_objects(songs, how):
    query = songs.objects.filter(artist='Abba').only('year', '_id')
    for obj in READS[how](query):
        assert obj.year in (1974, 1976)
        assert (obj.title, obj.artist, obj.tags) == (irNull,) * 3
        obj.year = 1999
        obj.save()
        assert songs.objects.get(obj._id).title != irNull
    assert songs.objects.filter(year=1999).count() >= 1


def test_only_of_wrong_names(songs):
    with pytest.raises(UsageError, match=r"no field 'titel'.*'title'"):
        songs.objects.only('titel')
    with pytest.raises(UsageError, match='names no field'):
        songs.objects.only()


def test_a_query_stays_as_it_is(songs):
    query = songs.objects.filter(artist='Abba')
    query.only('title')
    assert query.filter(year=1976).all()[0].year == 1976
    only = query.only('title').filter(year=1976)
    assert only.all()[0].year is irNull
    only.filterInline(artist='AC/DC')
    assert only.all() == []
    assert query.count() == 3
