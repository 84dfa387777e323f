"""``iterator()``. The rule: it gives what ``all()`` gives, a chunk at a time."""

from __future__ import annotations

import gc
import weakref

import pytest

from IndexedRedis import ConflictError, UsageError
from IndexedRedis.testing import recordTrips


@pytest.fixture
def many(song):
    song.CLIENT_SIDE_CACHE = 0
    song.reset([song(title=str(n), artist='ab'[n % 2], year=n % 3) for n in range(3000)])
    return song


@pytest.mark.large
@pytest.mark.parametrize('chunk', [1, 700, 3000, 9999])
def test_all_objects_once(many, chunk):
    count = 30 if chunk == 1 else 3000
    if count == 30:
        many.objects.filter(year__ne=1).delete()
        many.objects.filter(artist='b').delete()
    assert [*many.objects.iterator(chunk)] != []
    found = [int(obj.title) for obj in many.objects.iterator(chunk=chunk)]
    assert sorted(found) == sorted(map(int, many.objects.valuesList('title', flat=True)))


def test_filters(many):
    found = [int(obj.title) for obj in many.objects.filter(artist='a', year__ne=1).iterator(100)]
    assert sorted(found) == [n for n in range(3000) if n % 2 == 0 and n % 3 != 1]
    assert [*many.objects.filter(artist='c').iterator()] == []


def test_one_chunk_is_in_memory_at_a_time(many):
    alive, most = weakref.WeakSet(), 0
    gc.collect()
    for obj in many.objects.iterator(100):
        alive.add(Alive(obj))
        most = max(most, len(alive))
    assert most <= 101


class Alive:
    """Stands for an object, as long as that is alive: models cannot be hashed."""

    def __init__(self, obj):
        obj.__dict__['stand_in'] = self


@pytest.mark.plain_model
def test_a_chunk_takes_one_trip(many):
    query = many.objects.filter(artist='a')
    with recordTrips() as trips:
        objs = query.iterator(500)
        for _ in range(500):
            next(iter(objs))
    assert [len(trip) for trip in trips] == [1, 502]


@pytest.mark.plain_model
def test_linked_objects_come_along(shelf):
    with recordTrips() as trips:
        names = sorted(book.author.name for book in shelf.objects.iterator(10, cascadeFetch=True))
    assert names == ['Ann', 'Ann', 'Bob']
    assert len(trips) < 6


def test_what_is_changed_meanwhile(many):
    """Objects that do not match any more, or are deleted, are left out; new ones are not seen."""
    objs = iter(many.objects.filter(artist='a').iterator(10))
    seen = [next(objs)._id for _ in range(10)]
    left = [pk for pk in many.objects.filter(artist='a').getPrimaryKeys() if pk not in seen]
    many.deleter.deleteByPk(left[0])
    changed = many.objects.get(left[1])
    changed.artist = 'c'
    changed.save()
    many(title='-1', artist='a').save()
    assert sorted(obj._id for obj in objs) == sorted(left[2:])


def test_replaced_objects_are_given_while_they_can_be_read(many):
    objs = iter(many.objects.iterator(1000))
    next(objs)
    many.reset([many(title='new')])
    assert len([*objs]) == 2999


@pytest.mark.plain_model
def test_replaced_objects_that_are_gone_raise(many, raw):
    objs = iter(many.objects.iterator(1000))
    next(objs)
    many.reset([many(title='new')])
    raw.delete(*(f'_ir_|{many.KEY_NAME}:data:{pk}' for pk in range(1, 3001)))  # they expired
    with pytest.raises(ConflictError, match=r'a reset replaced the objects.*1,000 of 3,000'):
        [*objs]
    assert [obj.title for obj in many.objects.iterator()] == ['new']


def test_all_are_given_though_each_is_deleted(many):
    count = 0
    for obj in many.objects.filter(year=2).iterator(50):
        obj.delete()
        count += 1
    assert count == 1000
    assert many.objects.count() == 2000


@pytest.mark.parametrize('chunk', [0, -1, 1.5, True, None])
def test_wrong_chunks(song, chunk):
    with pytest.raises(UsageError, match='whole number above 0'):
        song.objects.iterator(chunk)
