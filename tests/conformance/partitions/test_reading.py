"""Queries over a model with partitions. The rule: they tell what those of one without tell, and ask
no partition that has nothing to tell."""

from __future__ import annotations

import functools
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.asking import check_ways, judged_trees

from IndexedRedis import (
    ConflictError,
    IRField,
    MultipleObjectsError,
    Q,
    QueryError,
    UsageError,
    irNull,
)
from IndexedRedis._core.partitions.queries import merging
from IndexedRedis._core.queries.ordering import part
from IndexedRedis.connections import recordTrips
from IndexedRedis.fields import IRFixedPointField

PARTITIONS = 6
GENRES = ['rock', 'pop', 'jazz', None]
NAMES = ['', 'ab', 'abcdef', 'abcdefg', 'é', None]
NUMBERS = [-(2**60), 2**60, 2**60 + 1, 0, 5, None]
TAG = re.compile(rb'\{[^}]+\}:keys:')


@pytest.fixture
def make_parted(make_model):
    """A model with partitions, which remembers no answers."""
    return functools.partial(make_model, PARTITIONS=PARTITIONS, CLIENT_SIDE_CACHE=0)


@pytest.fixture
def song(make_parted):
    return make_parted(
        [
            IRField('name'),
            IRField('number', valueType=int),
            IRField('plain', valueType=int),
            IRField('genre'),
            IRField('album', hashIndex=True),
        ],
        indexed=['genre', 'plain', 'album'],
        SORTED_FIELDS=['name', 'number'],
    )


@pytest.fixture
def songs(song):
    """Sixty songs, with the pks 1 to 60."""
    save(song, [{'name': f's{n % 7}', 'number': n % 5, 'genre': GENRES[n % 3]} for n in range(60)])
    return song


def save(model, data):
    """Store rows under the pks from 1 on, so ``pk % 6`` is the partition of each."""
    objs = [model(**row) for row in data]
    model.saver.save(objs, forceID=list(range(1, len(data) + 1)))


def asked(trips):
    """The tags of the partitions that were asked, and how many trips it took."""
    keys = (word for trip in trips for command in trip for word in command)
    found = (TAG.match(word[5:]) for word in keys if type(word) is bytes)
    return len({match[0] for match in found if match}), len(trips)


def pks(found):
    return [obj._id for obj in found]


def rows():
    return st.lists(
        st.fixed_dictionaries(
            {
                'name': st.sampled_from(NAMES),
                'number': st.sampled_from(NUMBERS),
                'plain': st.sampled_from([0, 1, 2, None]),
                'genre': st.sampled_from(GENRES),
            }
        ),
        min_size=1,
        max_size=30,
    )


def conditions():
    """A condition, and what it says of a pk and its row."""
    leaves = st.one_of(
        st.sampled_from(GENRES).map(lambda g: (Q(genre=g), lambda pk, row: row['genre'] == g)),
        st.sampled_from(GENRES).map(lambda g: (Q(genre__ne=g), lambda pk, row: row['genre'] != g)),
        st.lists(st.sampled_from(GENRES), max_size=3).map(
            lambda g: (Q(genre__in=g), lambda pk, row: row['genre'] in g)
        ),
        st.booleans().map(
            lambda b: (Q(plain__isnull=b), lambda pk, row: (row['plain'] is None) == b)
        ),
        st.sets(st.integers(1, 40), max_size=9).map(
            lambda some: (Q(pk__in=some), lambda pk, row: pk in some)
        ),
        st.sampled_from(NUMBERS[:-1]).map(
            lambda n: (
                Q(number__lte=n),
                lambda pk, row: row['number'] is not None and row['number'] <= n,
            )
        ),
        st.sampled_from(NAMES[:-1]).map(
            lambda n: (
                Q(name__startswith=n),
                lambda pk, row: row['name'] is not None and row['name'].startswith(n),
            )
        ),
    )
    return judged_trees(leaves, 4)


def orders():
    names = ['name', 'number', 'plain', 'genre', 'pk']
    signed = st.sampled_from([sign + name for name in names for sign in ('', '-')])
    return st.tuples(
        st.lists(signed, min_size=1, max_size=3, unique_by=lambda name: name.lstrip('-')),
        st.sampled_from(['first', 'last']),
    )


def in_order(data, order):
    """The pks of ``{pk: row}`` in order: of equal values, by their texts."""
    names, nulls = order
    found = sorted(data, key=str, reverse=names[0].startswith('-'))
    for name in reversed(names):
        field, down = name.lstrip('-'), name.startswith('-')

        def value(pk, field=field):
            return pk if field == 'pk' else data[pk][field]

        there = [pk for pk in found if value(pk) is not None]
        there.sort(key=value, reverse=down)
        absent = [pk for pk in found if value(pk) is None]
        found = absent + there if nulls == 'first' else there + absent
    return found


@pytest.mark.histories
@pytest.mark.parametrize('share', ['likely', 'too small'])
def test_random_queries(song, share, full, monkeypatch):
    """Each partition is asked for its likely share of a part, or for too little at first."""
    if share == 'too small':
        monkeypatch.setattr(merging, '_share', at_most_two)

    @settings(max_examples=60 if full else 6, deadline=None, suppress_health_check=[*HealthCheck])
    @given(rows(), st.lists(st.tuples(conditions(), orders()), min_size=6, max_size=6))
    def compare(data, queries):
        song.deleter.destroyModel()
        save(song, data)
        compare_all(song, data, queries)

    compare()


def at_most_two(window, count):
    return window if window.limit is None else window._replace(limit=min(2, window.limit))


def compare_all(song, data, queries):
    for (condition, holds), order in queries:
        there = {pk: row for pk, row in enumerate(data, 1) if holds(pk, row)}
        query = song.objects.filter(condition)
        check_ways(query, sorted(there), 'name')
        genres = Counter(row['genre'] for row in there.values())
        assert query.countBy('genre') == genres
        assert sorted(query.values('pk', 'plain'), key=lambda row: row['pk']) == [
            {'pk': pk, 'plain': row['plain']} for pk, row in sorted(there.items())
        ]
        compare_ordered(query.orderBy(*order[0], nulls=order[1]), in_order(there, order), there)


def compare_ordered(query, expected, there):
    assert pks(query.all()) == query.getPrimaryKeys() == pks(query.iterator(3)) == expected
    assert query.valuesList('name', 'pk') == [(there[pk]['name'], pk) for pk in expected]
    assert pks(query.allByAge()) == sorted(expected)
    assert pks(query.only('genre')[2:9].all()) == expected[2:9]
    assert pks(query[2:9].allByAge()) == sorted(expected[2:9])
    assert (query[2:9].count(), query[2:9].exists()) == (len(expected[2:9]), len(expected) > 2)
    for find, pk in ((query.first, expected[:1]), (query.last, expected[-1:])):
        assert pks([find()] if pk else []) == pk
    page, found = query.page(size=4, totalUpTo='all'), []
    assert page.total == len(expected)
    while True:
        found += pks(page)
        assert bool(page.next) == (len(found) < len(expected))
        if not page.next:
            break
        page = query.page(after=page.next, size=4)
    assert found == expected


def test_a_model_that_was_never_written(song):
    query = song.objects
    check_ways(query, [], 'name')
    assert (query.countBy('genre'), query.values(), query.get(genre='rock')) == ({}, [], None)
    assert pks(query.orderBy('number').page()) == []
    assert query.mirroredAt() is None


def test_every_read_asks_all_partitions_in_one_trip(songs):
    query = songs.objects.filter(genre='rock')
    ordered = query.orderBy('number')
    for read in (
        *(query.all, query.count, query.exists, query.first, query.last, query.random),
        *(query.getPrimaryKeys, query.valuesList, ordered[:5].all, ordered.first, ordered.page),
    ):
        with recordTrips() as trips:
            assert read()
        assert asked(trips) == (PARTITIONS, 1), read


def test_pks_lead_to_their_partitions(songs):
    with recordTrips() as trips:
        assert pks(songs.objects.filter(pk__in=[3, 9, 57, 1005])) == [3, 9, 57]
    assert asked(trips)[0] == 1
    with recordTrips() as trips:  # the genre of 5 is pop, that of 10 is rock
        either = Q(pk=3) | Q(pk__in=[5, 10], genre='pop')
        assert songs.objects.filter(either).getPrimaryKeys(sortByAge=True) == [3, 5]
    assert asked(trips)[0] == 3
    with recordTrips() as trips:
        assert songs.objects.filter(~Q(pk__in=range(2, 61))).getPrimaryKeys() == [1]
    assert asked(trips)[0] == PARTITIONS
    with recordTrips() as trips:
        assert not songs.objects.filter(pk__in=[]).all()
    assert asked(trips)[0] == 0


def test_each_partition_is_asked_for_its_own_pks(songs):
    with recordTrips() as trips:
        assert songs.objects.filter(pk__in=range(1, 61)).count() == 60
    members = [c[2:] for trip in trips for c in trip if c[0] == 'SMISMEMBER']
    assert sorted(pk for some in members for pk in some) == sorted(
        b'%d' % pk for pk in range(1, 61)
    )


FIELD_VALUES = {
    'a text': (IRField('by'), ['x', 'Åg', '', 'x y', irNull]),
    'hashed': (IRField('by', hashIndex=True), ['x', 'long ' * 90, irNull]),
    'a number': (IRField('by', valueType=int), [0, -5, 10**12, irNull]),
    'a decimal': (IRFixedPointField('by', decimalPlaces=2), [0.5, -3.25, 10.0, irNull]),
    'a bool': (IRField('by', valueType=bool), [True, False, irNull]),
}


@pytest.mark.parametrize('kind', FIELD_VALUES)
def test_a_value_of_the_field_that_decides_leads_to_one_partition(make_parted, kind):
    field, values = FIELD_VALUES[kind]
    model = make_parted([field, IRField('n', valueType=int)], ['by', 'n'], PARTITION_BY='by')
    model.saver.save([model(by=value, n=n) for value in values for n in range(3)])
    for value in values:
        query = model.objects.filter(by=value)
        with recordTrips() as trips:
            assert sorted(query.valuesList('n', flat=True)) == [0, 1, 2], value
        assert asked(trips) == (1, 1), value
        with recordTrips() as trips:
            assert query.filter(n=1).first().n == 1
        assert asked(trips) == (1, 1), value
        assert model.objects.filter(by__ne=value).count() == 3 * len(values) - 3
    assert model.objects.filter(by__in=values).count() == 3 * len(values)
    with recordTrips() as trips:
        assert model.objects.filter(by__in=values[:2], n=2).count() == 2
    assert asked(trips)[0] <= 2
    with recordTrips() as trips:
        assert model.objects.filter(Q(by=values[0], n=1) | Q(by=values[1])).count() == 4
    assert asked(trips)[0] <= 2
    with recordTrips() as trips:
        assert model.objects.filter(Q(by=values[0]) | Q(n=1)).count() == 2 + len(values)
    assert asked(trips)[0] == PARTITIONS


def test_get_finds_the_one_object_in_any_partition(songs):
    only = songs(name='x', genre='soul')
    only.save()
    assert songs.objects.get(genre='soul') == only
    assert songs.objects.get(genre='none') is None
    songs(name='y', genre='soul').save()
    for lookups in ({'genre': 'soul'}, {'genre': 'rock'}):
        with pytest.raises(MultipleObjectsError, match='several objects'):
            songs.objects.get(**lookups)


def test_what_is_not_there_is_created_once(song):
    first, created = song.objects.getOrCreate(genre='a', defaults={'name': 'x'})
    assert created
    assert song.objects.getOrCreate(genre='a') == (first, False)
    again, created = song.objects.updateOrCreate(genre='a', defaults={'name': 'y'})
    assert (again._id, created, song.objects.get(first._id).name) == (first._id, False, 'y')


def test_a_random_object_is_any_of_those_that_match(make_parted):
    model = make_parted(['name'], ['name'])
    # One partition has ten objects that match, another one has one.
    for pk in (*range(6, 66, 6), 7):
        model.saver.save(model(name='a'), forceID=pk)
    found = Counter(model.objects.filter(name='a').random()._id for _ in range(400))
    assert len(found) == 11
    assert found[7] < 100  # a choice of partitions first would give 200


def test_a_part_of_a_result_that_is_unfinished_ends_before_what_may_follow(songs, monkeypatch):
    """One partition says that more follow, though it gave few: their places are unknown."""
    expected = pks(songs.objects.orderBy('number'))
    cut = next(pk for pk in expected if pk % PARTITIONS == 2)
    read = part.read_part

    def short(query, *rest):
        found = yield from read(query, *rest)
        if query.schema.number == 2:
            found = found._replace(objs=found.objs[:1], unfinished=True)
        return found

    monkeypatch.setattr(merging.part, 'read_part', short)
    page = songs.objects.orderBy('number').page(size=20)
    assert pks(page) == expected[: expected.index(cut) + 1][:20]
    assert page.next


def test_an_order_without_a_sorted_set_takes_few_objects_of_all_partitions(songs, monkeypatch):
    monkeypatch.setattr(part, 'MOST_UNSORTED', 59)
    with pytest.raises(QueryError, match='all objects that match: 60, and at most 59 are read'):
        songs.objects.orderBy('plain').first()
    monkeypatch.setattr(part, 'MOST_UNSORTED', 60)
    assert songs.objects.orderBy('plain').first()


def test_what_is_explained(songs):
    query = songs.objects.filter(genre='rock')
    explained = query.explain(analyze=True)
    assert (explained.rows.estimate, explained.total) == (20, 60)
    assert explained.measured.trips == len(explained.trips) == 1
    assert explained.measured.rows == 20
    assert 'all 6 are asked at the same time' in str(explained)
    partitions = explained.asDict()['partitions']
    assert (partitions['asked'], partitions['of']) == ([0, 1, 2, 3, 4, 5], 6)
    # The pks of rock lead to the partitions 1 and 4.
    assert partitions['shown'] == 1
    explained = songs.objects.filter(pk__in=[4, 10]).explain()
    assert explained.asDict()['partitions'] == {'asked': [4], 'of': 6, 'shown': 4}
    assert '1 of 6 are asked; sets and commands are those of number 4' in str(explained)
    assert '0 of 6' in str(songs.objects.filter(pk__in=[]).explain())
    ordered = songs.objects.orderBy('number')[:5].explain(analyze=True)
    assert 'a walk up' in ordered.path
    assert ordered.measured.rows == 5


def test_replicas_are_refused(song):
    with pytest.raises(UsageError, match='replicas cannot answer for a model with PARTITIONS'):
        song.objects.replica()


def new_songs(song):
    song.reset([song(name=f'new{n}', number=n, genre='rock') for n in range(30)])


def test_a_reset_replaces_all_partitions_for_a_reader_at_once(songs):
    assert songs.objects.filter(genre='rock').count() == 20
    new_songs(songs)
    for found in (songs.objects.all(), songs.objects.orderBy('-number').all()):
        assert {obj.name[:3] for obj in found} == {'new'}
        assert len(found) == 30


@pytest.mark.parametrize(
    'read',
    [
        lambda query: query.all(),
        lambda query: query.orderBy('number')[:60].all(),
        lambda query: query.iterator(7),
    ],
    ids=['all', 'in order', 'iterator'],
)
def test_a_reader_that_knows_an_old_edition_asks_again(songs, read):
    stale = songs._validated().known
    assert len([*read(songs.objects)]) == 60
    new_songs(songs)
    songs._validated().known = stale  # as that of another process
    assert sorted(obj.name for obj in read(songs.objects)) == sorted(f'new{n}' for n in range(30))


def test_an_iterator_goes_on_over_what_a_reset_has_replaced(songs):
    objs = songs.objects.iterator(10)
    before = [next(iter(objs)) for _ in range(3)]
    new_songs(songs)
    assert pks(before) + pks(objs) == list(range(1, 61))


def test_an_iterator_tells_when_what_a_reset_has_replaced_is_gone(songs, raw):
    objs = iter(songs.objects.iterator(10))
    next(objs)
    new_songs(songs)
    for key in raw.scan_iter('*:keys:1:*keys:edition'):  # the kept marks expired
        raw.delete(key)
    with pytest.raises(ConflictError, match=r'a reset replaced the objects.*10 of 60 were read'):
        list(objs)
