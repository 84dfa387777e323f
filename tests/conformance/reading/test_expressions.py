"""Expression trees: or, not, in, null, pks. The rule: each way to ask gives the objects for which
the tree holds, and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from support.asking import check_ways
from support.keyspace import served

from IndexedRedis import IRField, MultipleObjectsError, Q, QueryError, irNull
from IndexedRedis._core.expressions import boxes, sets
from IndexedRedis._core.queries import set_algebra
from IndexedRedis._core.queries.sources import union

CASES = [
    ([Q(artist='Abba') | Q(year=1980)], {}, [1, 2, 3, 4]),
    ([Q(artist='Abba') | Q(year=1976)], {}, [1, 2, 3, 5]),
    ([Q(artist='Abba') & Q(year=1976)], {}, [3]),
    ([~Q(artist='Abba')], {}, [4, 5, 6]),
    ([~(Q(artist='Abba') | Q(year=1976))], {}, [4, 6]),
    ([~Q(artist='Abba', year=1976)], {}, [1, 2, 4, 5, 6]),
    ([Q(artist='Abba') | ~Q(year=1980)], {}, [1, 2, 3, 5, 6]),
    ([Q(artist='AC/DC'), Q(year=1976) | Q(year=1980)], {}, [4, 5]),
    ([Q(artist='AC/DC', year=1980) | Q(artist='Abba', year=1976)], {}, [3, 4]),
    ([Q(artist='AC/DC') | Q(artist='Abba')], {'year__ne': 1976}, [1, 2, 4]),
    ([Q(artist='Abba') | Q(artist='Abba')], {}, [1, 2, 3]),
    ([Q(artist='Abba') | ~Q(artist='Abba')], {}, [1, 2, 3, 4, 5, 6]),
    ([Q(artist='Abba') & Q(artist='AC/DC') | Q(year=1980)], {}, [4]),
    ([Q(artist=None) | Q(album='Arrival')], {}, [3, 6]),
    ([], {'artist__in': ['Abba', 'AC/DC']}, [1, 2, 3, 4, 5]),
    ([], {'artist__in': ['Abba', None]}, [1, 2, 3, 6]),
    ([], {'artist__in': []}, []),
    ([], {'artist__in': ['nobody', 'Abba']}, [1, 2, 3]),
    ([], {'artist__in': ['Abba', 'AC/DC'], 'year__in': [1976, 1980]}, [3, 4, 5]),
    ([], {'artist__in': ['Abba', 'AC/DC'], 'album__ne': 'Waterloo'}, [3, 4, 5]),
    ([], {'album__in': ['Waterloo', 'Arrival']}, [1, 2, 3]),
    ([~Q(year__in=[1974, 1976])], {}, [4, 6]),
    ([~Q(year__in=[1974, 1976])], {'artist': 'AC/DC'}, [4]),
    ([], {'artist__isnull': True}, [6]),
    ([], {'artist__isnull': False}, [1, 2, 3, 4, 5]),
    ([], {'artist__isnull': False, 'year__in': [1976]}, [3, 5]),
    ([], {'artist__eq': 'Abba'}, [1, 2, 3]),
    ([], {'pk': 2}, [2]),
    ([], {'pk': '2', 'artist': 'Abba'}, [2]),
    ([], {'pk': 2, 'artist': 'AC/DC'}, []),
    ([], {'pk': 99}, []),
    ([], {'pk__in': [5, 3, 99]}, [3, 5]),
    ([], {'pk__in': [5, 3, 1], 'year__ne': 1974}, [3, 5]),
    ([], {'pk__in': range(1, 5), 'artist__in': ['AC/DC', None]}, [4]),
    ([], {'pk__ne': 2}, [1, 3, 4, 5, 6]),
    ([], {'pk__ne': 2, 'artist': 'Abba'}, [1, 3]),
    ([~Q(pk__in=[1, 4])], {'year__in': [1974, 1980]}, [2]),
    ([Q(pk=6) | Q(artist='AC/DC')], {}, [4, 5, 6]),
    ([Q(pk=6) | ~Q(pk__in=[1, 2, 3])], {}, [4, 5, 6]),
]
EVERY = [1, 2, 3, 4, 5, 6]
YEARS = {1: 1974, 2: 1974, 3: 1976, 4: 1980, 5: 1976, 6: None}


def check(query, pks):
    """Ask in every way."""
    check_ways(query, pks, 'title')
    assert sorted(query.valuesList('pk', flat=True)) == pks
    assert dict(query.valuesList('pk', 'year')) == {pk: YEARS[pk] for pk in pks}
    assert query.countBy('year') == Counter(map(YEARS.get, pks))


@pytest.fixture(params=['as usual', 'few terms', 'no terms'])
def bounds(request, monkeypatch):
    """Small bounds, so that small trees go the ways of large ones."""
    if request.param == 'few terms':
        monkeypatch.setattr(set_algebra, 'SCRIPT_SETS', 2)
        monkeypatch.setattr(set_algebra, 'COUNTED_TERMS', 2)
        monkeypatch.setattr(union, 'UNION_SETS', 1)
    if request.param == 'no terms':
        monkeypatch.setattr(union, 'UNION_WORK', 2)
        monkeypatch.setattr(boxes, 'MOST_BOXES', 0)
        monkeypatch.setattr(sets, 'MOST_TERMS', 0)


@pytest.mark.either('bounds')
@pytest.mark.parametrize(('conditions', 'lookups', 'pks'), CASES, ids=repr)
def test_every_way_to_ask_gives_the_objects_that_match(songs, bounds, conditions, lookups, pks):
    check(songs.objects.filter(*conditions, **lookups), pks)
    check(songs.objects.exclude(*conditions, **lookups), [pk for pk in EVERY if pk not in pks])
    songs.objects.filter(*conditions, **lookups).explain(analyze=True)


@pytest.mark.either('bounds')
@pytest.mark.parametrize(('conditions', 'lookups', 'pks'), CASES, ids=repr)
def test_a_filtered_delete_takes_just_the_objects_that_match(
    songs, bounds, conditions, lookups, pks
):
    query = songs.objects.filter(*conditions, **lookups)
    assert query.reindex() == len(pks)
    assert query.delete() == len(pks)
    assert songs.objects.getPrimaryKeys(True) == [pk for pk in EVERY if pk not in pks]
    assert query.count() == 0


def test_a_Q_without_arguments_says_nothing(songs):
    check(songs.objects.filter(Q()), EVERY)
    check(songs.objects.exclude(Q()), EVERY)
    check(songs.objects.filter(Q() | Q(artist='Abba')), [1, 2, 3])


@pytest.mark.either('bounds')
@pytest.mark.parametrize(('conditions', 'lookups', 'pks'), CASES, ids=repr)
def test_an_update_changes_just_the_objects_that_match(songs, bounds, conditions, lookups, pks):
    query = songs.objects.filter(*conditions, **lookups)
    assert query.update(title='new', album='new') == len(pks)
    changed = {obj._id for obj in songs.objects.all() if obj.title == 'new'}
    assert sorted(changed) == songs.objects.filter(album='new').getPrimaryKeys(True) == pks


def test_the_one_object_of_a_tree(songs):
    assert songs.objects.filter(Q(artist='Abba') | Q(year=1980)).get(year__in=[1980])._id == 4
    assert songs.objects.get(year__in=[1, 2]) is None
    assert songs.objects.get(pk__in=[3, 99])._id == 3
    with pytest.raises(MultipleObjectsError):
        songs.objects.get(artist__in=['Abba', 'AC/DC'])


def test_a_query_shows_its_tree(songs):
    query = songs.objects.filter(Q(artist='Abba') | ~Q(year=1980), pk__in=[1, 2])
    name = songs.__name__
    assert repr(query) == (
        f"{name}.objects.filter(Q(artist='Abba') | ~Q(year='1980'), pk__in=[1, 2])"
    )
    assert repr(songs.objects.exclude(year=1980)) == f"{name}.objects.filter(year__ne='1980')"


def test_queries_combine(songs):
    abba, late = songs.objects.filter(artist='Abba'), songs.objects.filter(year__in=[1976, 1980])
    check(abba | late, [1, 2, 3, 4, 5])
    check(abba & late, [3])
    check(~abba, [4, 5, 6])
    check(abba & ~late, [1, 2])
    check(abba | songs.objects, EVERY)
    check(~songs.objects, [])
    check((abba | late).filter(album__isnull=False, year__ne=1974), [3, 4, 5])
    check((abba | late).exclude(artist='Abba'), [4, 5])
    check(abba, [1, 2, 3])


def test_filterInline_takes_conditions(songs):
    query = songs.objects
    assert query.filterInline(Q(artist='Abba') | Q(year=1980), year__ne=1974) is query
    check(query, [3, 4])


def test_random_gives_every_object_as_often(songs):
    query = songs.objects.filter(Q(artist='Abba') | Q(year=1980))
    found = [query.random()._id for _ in range(400)]
    assert {*found} == {1, 2, 3, 4}
    assert min(map(found.count, range(1, 5))) > 40  # each of the four, whatever term it is in


@pytest.mark.plain_model
def test_a_thousand_values_with_another_filter(song, trips):
    song.saver.save([song(title=str(n), artist='ab'[n % 2], year=n) for n in range(1500)])
    query = song.objects.filter(year__in=range(200, 1200), artist='a')
    trips.clear()
    assert sorted(obj.year for obj in query.all()) == list(range(200, 1200, 2))
    assert len(trips) == 2
    assert query.count() == 500
    assert (query.first().year, query.last().year) == (200, 1198)
    assert song.objects.filter(~Q(year__in=range(200, 1200)), artist='a').count() == 250
    assert song.objects.filter(Q(year__in=range(1000)) | Q(artist='a')).count() == 1250


@pytest.mark.plain_model
def test_a_thousand_values_alone(song, trips, raw):
    """A small union is one script; entries of objects that are gone give nothing."""
    song.saver.save([song(title=str(n), year=n) for n in range(1500)])
    prefix = f'_ir_|{song.KEY_NAME}:idx:year:'
    raw.sadd(f'{prefix}200', 7777)
    query = song.objects.filter(year__in=range(200, 1200))
    trips.clear()
    assert sorted(obj.year for obj in query.all()) == list(range(200, 1200))
    assert len(trips) == 2
    trips.clear()
    assert (query.first().year, query.last().year, query.random() is None) == (200, 1199, False)
    assert len(trips) == 3
    assert len(query.getPrimaryKeys()) == 1000
    raw.srem(f'{prefix}200', 7777)
    assert query.count() == 1000
    assert song.objects.filter(year__in=range(200, 2700)).count() == 1300


@pytest.mark.parametrize(
    ('lookups', 'trip_count'),
    [({'artist__in': ['Abba', 'AC/DC']}, 1), ({'pk__in': [1, 2]}, 2), ({'artist__in': []}, 0)],
    ids=repr,
)
def test_how_many_trips_a_small_result_takes(songs, trips, lookups, trip_count):
    query = songs.objects.filter(**lookups)
    for method in (query.all, query.count, query.first):
        trips.clear()
        method()
        # With partitions, at least the pointer is read.
        assert len(trips) <= (trip_count or int(songs.PARTITIONS > 0)), method


def test_a_union_is_counted_without_moving_pks(songs, raw):
    with served(raw) as commands:
        assert songs.objects.filter(artist__in=['Abba', None]).count() == 4
        assert songs.objects.filter(Q(artist='Abba') | Q(year=1976)).count() == 4
        assert songs.objects.filter(~Q(artist='Abba', year=1976)).count() == 5
    assert not commands.keys() & {'smembers', 'sinter', 'sdiff', 'sunion'}


def test_reading_writes_nothing(songs, raw):
    with served(raw) as commands:
        for conditions, lookups, _ in CASES:
            query = songs.objects.filter(*conditions, **lookups)
            query.all(), query.count(), query.first(), query.last(), query.random()
    writing = {c.split('|')[0] for c in commands} & {'sadd', 'set', 'del', 'unlink', 'hset'}
    assert not writing
    assert not {name for name in commands if name.endswith('store')}


@pytest.mark.plain_model
def test_an_entry_that_6_0_3_left_behind_gives_no_object_twice(songs, raw):
    """A stale entry: object 1 in the index sets of two artists, and a pk of no object."""
    prefix = f'_ir_|{songs.KEY_NAME}:idx:artist:'
    raw.sadd(f'{prefix}AC/DC', 1, 77)
    query = songs.objects.filter(artist__in=['Abba', 'AC/DC'])
    assert sorted(obj._id for obj in query.all()) == [1, 2, 3, 4, 5]
    raw.srem(f'{prefix}AC/DC', 1, 77)


def test_a_refused_condition_changes_nothing(songs):
    query = songs.objects.filter(artist='Abba')
    with pytest.raises(QueryError):
        query.filterInline(Q(year=1974) | Q(nix=1))
    check(query, [1, 2, 3])


def test_values_of_several_stored_forms(make_model, raw):
    """6.0.3 wrote some numbers in more than one form; `in` takes each of them."""
    from IndexedRedis.fields import IRFixedPointField

    model = make_model([IRFixedPointField('price', decimalPlaces=2), IRField('x')], ['price', 'x'])
    model.saver.save([model(price=n / 4, x=str(n % 2)) for n in range(8)])
    query = model.objects.filter(price__in=[0.25, 0.5, 1.75])
    assert sorted(obj.price for obj in query.all()) == [0.25, 0.5, 1.75]
    assert query.filter(x='1').count() == 2
    assert model.objects.exclude(price__in=[0.25, irNull]).count() == 7
