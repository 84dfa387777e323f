"""Parts of ordered results over partitions. The rule: each partition is asked for a little more
than its share, and for all of it only where that is too little; the part is right either way."""

from __future__ import annotations

import functools

import pytest

from IndexedRedis import IRField
from IndexedRedis.connections import recordTrips

PARTITIONS = 6
COUNT = 240


@pytest.fixture
def song(make_model):
    fields = [IRField('name'), IRField('number', valueType=int)]
    made = functools.partial(make_model, PARTITIONS=PARTITIONS, CLIENT_SIDE_CACHE=0)
    return made(fields, indexed=['name'], SORTED_FIELDS=['number'])


def fill(model, pk_of):
    """Store songs whose numbers grow, under pks of these partitions."""
    pks = [pk_of(number) for number in range(COUNT)]
    objs = [model(name=f'n{number % 2}', number=number) for number in range(COUNT)]
    model.saver.save(objs, forceID=pks)
    model.objects.count()  # from now on the edition is known


def even(number):
    return number + 1


def uneven(number):
    """The lowest numbers are all in one partition, the others in the others."""
    if number < 40:
        return (number + 1) * PARTITIONS
    return (number // (PARTITIONS - 1) + 1) * PARTITIONS + 1 + number % (PARTITIONS - 1)


def numbers(objs):
    return [each.number for each in objs]


@pytest.mark.parametrize(('pk_of', 'trips_of'), [(even, 1), (uneven, 2)])
def test_parts_of_an_order(song, pk_of, trips_of):
    fill(song, pk_of)
    query = song.objects.orderBy('number')
    with recordTrips() as trips:
        assert numbers(query.page(size=20)) == [*range(20)]
    assert len(trips) == trips_of
    assert numbers(query.page(2, size=20)) == [*range(20, 40)]
    assert numbers(query[15:50]) == [*range(15, 50)]
    assert numbers(query.filter(name='n0')[:15]) == [*range(0, 30, 2)]
    assert numbers(song.objects.orderBy('-number')[:30]) == [*range(COUNT - 1, COUNT - 31, -1)]
    pks = sorted(map(pk_of, range(COUNT)))
    assert [each._id for each in song.objects.orderBy('pk')[:30]] == pks[:30]


@pytest.mark.parametrize('pk_of', [even, uneven])
def test_pages_behind_each_other_show_all_objects_once(song, pk_of):
    fill(song, pk_of)
    page, shown = song.objects.orderBy('number').page(size=25), []
    while True:
        shown += numbers(page)
        if page.next is None:
            break
        page = song.objects.orderBy('number').page(size=25, after=page.next)
    assert shown == [*range(COUNT)]


def test_the_last_part_needs_no_second_trip(song):
    fill(song, uneven)
    with recordTrips() as trips:
        assert numbers(song.objects.orderBy('number')[COUNT - 5 :]) == [*range(COUNT - 5, COUNT)]
        assert numbers(song.objects.filter(name='n1').orderBy('-number')[:400])[-1] == 1
    assert len(trips) <= 4
