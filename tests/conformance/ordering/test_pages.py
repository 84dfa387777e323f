"""Orders, parts and pages over stored objects. The rule: pages behind cursors show each object that
stays where it is exactly once, whatever is written between them."""

from __future__ import annotations

import asyncio
import random

import pytest
from support.paging import walked

from IndexedRedis import IRField, Q, QueryError, UsageError, irNull
from IndexedRedis._core.queries.ordering import part
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.testing import recordTrips

GENRES = ['rock', 'pop', irNull]


@pytest.fixture
def artist(make_model):
    return make_model(['name', IRField('born', valueType=int)], ['name'], SORTED_FIELDS=['born'])


@pytest.fixture
def song(make_model, artist):
    return make_model(
        [
            *('name', 'genre', 'plain'),
            IRField('year', valueType=int),
            IRForeignLinkField('artist', artist),
        ],
        ['genre', 'artist'],
        SORTED_FIELDS=['year', 'name'],
    )


@pytest.fixture
def songs(song, artist):
    """Thirty songs. Three share each year, one of ten has none; the pks are 1 to 30."""
    artist.reset([artist(name=name, born=n, _id=n) for n, name in enumerate('abc', 1)])
    song.reset(
        [
            song(
                _id=n,
                name=f's{n % 7}',
                genre=GENRES[n % 3],
                plain=f'{-n}',
                year=irNull if n % 10 == 0 else n // 3,
                artist=n % 3 + 1,
            )
            for n in range(1, 31)
        ]
    )
    return song


def pks(objs):
    return [obj._id for obj in objs]


def by_year(objs, descending=False):
    """In the order of the years, nulls last; equal ones by the pk as text."""
    objs = sorted(objs, key=lambda obj: str(obj._id), reverse=descending)
    objs.sort(key=lambda obj: 0 if obj.year is irNull else obj.year, reverse=descending)
    return sorted(pks(objs), key={obj._id: obj.year is irNull for obj in objs}.get)


# -- what takes an order -------------------------------------------------------------------------


def test_every_method_follows_the_order(songs):
    query = songs.objects.filter(genre='rock').orderBy('-year')
    expected = by_year(songs.objects.filter(genre='rock').all(), descending=True)
    assert len(expected) == 10
    assert pks(query.all()) == query.getPrimaryKeys() == pks(query.iterator(3)) == expected
    assert [values['pk'] for values in query.values('pk', 'name')] == expected
    assert query.valuesList('pk', flat=True) == expected
    assert query.valuesList('year', flat=True)[-1] is None
    assert pks(query.allOnlyFields(['name'])) == pks(query.only('name').all()) == expected
    assert (query.first()._id, query.last()._id) == (expected[0], expected[-1])
    assert query.random()._id in expected
    assert pks(query.allByAge()) == query.getPrimaryKeys(sortByAge=True) == sorted(expected)
    assert (query.count(), query.exists()) == (10, True)
    cut = query[2:5]
    assert pks(cut.all()) == cut.getPrimaryKeys() == pks(cut.iterator(2)) == expected[2:5]
    assert cut.valuesList('pk', flat=True) == [row['pk'] for row in cut.values('pk', 'year')]
    assert pks(cut.only('genre').all()) == pks(cut.allOnlyIndexedFields()) == expected[2:5]
    assert (cut.first()._id, cut.last()._id) == (expected[2], expected[4])
    assert cut.random()._id in expected[2:5]
    assert pks(cut.allByAge()) == cut.getPrimaryKeys(sortByAge=True) == sorted(expected[2:5])
    assert (cut.count(), cut.exists(), query[10:].exists()) == (3, True, False)
    assert (query[8:30].count(), query[99:].all(), query[99:].first()) == (2, [], None)
    assert query[99:].last() is query[99:].random() is None


def test_one_object_by_its_place(songs):
    expected = by_year(songs.objects.all())
    query = songs.objects.orderBy('year')
    assert [query[n]._id for n in (0, 5, 29)] == [expected[n] for n in (0, 5, 29)]
    assert query[10:20][3]._id == expected[13]
    with pytest.raises(IndexError, match='fewer than 31 objects match'):
        query[30]
    with pytest.raises(IndexError):
        query[10:20][10]
    assert songs.objects[0]._id == 1, 'by the pk'


def test_one_object_by_its_place_would_block_an_event_loop(songs):
    async def main():
        with pytest.raises(TypeError, match=r'await query\.limit\(1, 5\)\.afirst\(\)'):
            songs.objects.orderBy('year')[5]
        return songs.objects.orderBy('year')[5:6]  # a query, which reads nothing

    with recordTrips() as trips:
        asyncio.run(main())
    assert trips == []


def test_partial_objects_have_only_their_fields(songs):
    (obj,) = songs.objects.only('name').orderBy('year', 'plain')[:1].all()
    assert (obj.name, obj.year, obj.plain) == ('s1', irNull, irNull)
    page = songs.objects.only('name').orderBy('year').page(size=1)
    assert (page.objects[0].name, page.objects[0].year) == ('s1', irNull)
    with pytest.raises(UsageError, match=r"year was not fetched.*only\(\.\.\., 'year'\)"):
        songs.objects.orderBy('year').page(after=page.objects[0])
    assert pks(songs.objects.only('name').orderBy('year').page(after=page.next, size=1)) == [2]


def test_a_partial_object_of_a_page_saves_only_its_changes(songs):
    (obj,) = songs.objects.filter(genre='pop').only('name').orderBy('year').page(size=1)
    obj.name = 'new'
    obj.save()
    again = songs.objects.get(obj._id)
    assert (again.name, again.genre, again.plain) == ('new', 'pop', f'{-obj._id}')


@pytest.mark.plain_model
def test_links_are_fetched_along(songs):
    query = songs.objects.filter(genre='pop').orderBy('-year')
    with recordTrips() as trips:
        page = query.page(2, size=3, cascadeFetch=True)
        assert [obj.artist.name for obj in page] == ['b', 'b', 'b']
    assert len(trips) <= 2
    with recordTrips() as trips:
        assert [obj.artist.name for obj in query[:2].all(cascadeFetch=True)] == ['b', 'b']
    assert len(trips) <= 2
    assert query.first(cascadeFetch=True).artist.name == 'b'
    assert [obj.artist.name for obj in query[:3].iterator(2, cascadeFetch=True)] == ['b'] * 3


def test_filters_along_links(songs):
    by_name = songs.objects.filter(artist__name='a')
    assert pks(by_name.orderBy('year').all()) == by_year(by_name.all())
    by_born = songs.objects.filter(artist__born__between=(2, 3)).orderBy('year')
    expected = by_year(songs.objects.filter(artist__in=[2, 3]).all())
    assert len(expected) == 20
    assert pks(by_born.all()) == walked(by_born, 7) == expected
    page = by_born.page(2, size=6, totalUpTo='all')
    assert (pks(page), page.total, page.totalIsExact) == (expected[6:12], 20, True)
    none = songs.objects.filter(artist__name='nobody').orderBy('year')
    assert (none.all(), none.page().total, none.page().next) == ([], 0, None)


# -- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('order', [['year'], ['-year'], ['name', 'year'], ['-name', 'plain']])
@pytest.mark.parametrize('nulls', ['first', 'last'])
def test_pages_by_number_and_by_cursor_are_parts_of_the_whole(songs, order, nulls):
    for objects in (songs.objects, songs.objects.filter(Q(genre='rock') | Q(genre=None))):
        query = objects.orderBy(*order, nulls=nulls)
        expected = pks(query.all())
        for size in (1, 4, 50):
            numbers = range(1, -(-len(expected) // size) + 1)
            pages = [query.page(number, size=size) for number in numbers]
            assert [pk for page in pages for pk in pks(page)] == expected
            assert [page.next is None for page in pages] == [n == len(pages) for n in numbers]
            assert walked(query, size) == expected


def test_a_page(songs):
    query = songs.objects.orderBy('year')
    with recordTrips() as trips:
        page = query.page(2, size=7)
    assert len(trips) == 1
    assert (page.total, page.totalIsExact, page.pages, page.number, page.size) == (
        30,
        True,
        5,
        2,
        7,
    )
    assert list(page) == page.objects
    assert page.objects.mdl is songs
    assert query.page(5, size=7).next is None
    beyond = query.page(6, size=7)
    assert (list(beyond), beyond.total, beyond.next) == ([], 30, None)
    assert query.page(after=query.page(5, size=7).objects[-1]).objects == []


def test_the_total_of_a_page(songs):
    rock = songs.objects.filter(genre='rock').orderBy('year')
    both = songs.objects.filter(genre='rock', artist=1).orderBy('year')
    assert (rock.page().total, rock.page().totalIsExact) == (10, True)
    assert both.page().total is None
    for most, total in ((5, (5, False)), (10, (10, False)), (11, (10, True)), ('all', (10, True))):
        page = both.page(totalUpTo=most)
        assert (page.total, page.totalIsExact) == total, most
    page = songs.objects.filter(year__gte=5, genre__ne='rock').orderBy('year').page(totalUpTo='all')
    assert page.total == len(page.objects)


def test_the_page_behind_an_object_as_it_is_now(songs):
    query = songs.objects.orderBy('year')
    first = query.page(size=5)
    last = first.objects[-1]
    assert pks(query.page(after=last, size=5)) == pks(query.page(after=first.next, size=5))
    last.year = 8  # in memory only
    behind = pks(query.page(after=last, size=50))
    assert behind == [pk for pk in by_year(songs.objects.all()) if _place(songs, pk) > (8, '5')]


def _place(model, pk):
    year = model.objects.get(pk).year
    return (99 if year is irNull else year, str(pk))


def test_cursors_of_other_orders_and_forged_ones_are_refused(songs):
    cursor = songs.objects.orderBy('year').page(size=3).next
    with pytest.raises(UsageError, match=r'belongs to the order year, and.*has the order -year'):
        songs.objects.orderBy('-year').page(after=cursor)
    with pytest.raises(UsageError, match='is no cursor'):
        songs.objects.orderBy('year').page(after=cursor[:-8])
    # other filters may go on behind the same place
    assert songs.objects.filter(genre='pop').orderBy('year').page(after=cursor, size=1).objects


def test_reads_in_order_are_not_cached(songs):
    """A walk reads more keys than a client can track."""

    def trips_of(read):
        read()
        with recordTrips() as trips:
            read()
        return len(trips)

    query = songs.objects.filter(genre='rock').orderBy('year')
    assert trips_of(lambda: query.page(size=3)) == 1
    assert trips_of(lambda: query[:5].all()) == 1
    assert trips_of(lambda: query.count()) == (0 if songs.CLIENT_SIDE_CACHE else 1)


# -- while the data changes ----------------------------------------------------------------------


@pytest.mark.parametrize('order', [['year'], ['-year'], ['-year', 'name'], ['name'], ['plain']])
def test_pages_while_others_write(songs, order):
    """What stays where it is comes once; what is inserted, deleted or moved comes at most once."""
    random_ = random.Random(7)
    movers, gone, new = {4, 11, 18}, {2, 9, 16, 23}, []
    deleting = sorted(gone)

    def between():
        if deleting:
            songs.deleter.deleteByPk(deleting.pop())
        for pk in movers:
            obj = songs.objects.get(pk)
            # away from the pages that are still to come
            obj.year, obj.name, obj.plain = (
                (-1, 'a', '\x01') if order[0][0] != '-' else (99, 'z', 'z')
            )
            obj.save()
        obj = songs(
            name=f's{random_.randrange(9)}', year=random_.randrange(12), plain='-5', genre='new'
        )
        obj.save()
        new.append(obj._id)

    found = walked(songs.objects.orderBy(*order), 4, between)
    assert len(set(found)) == len(found), 'no object comes twice'
    assert set(found) <= {*range(1, 31), *new}
    assert {*range(1, 31)} - gone - movers <= set(found), 'none is lost that stayed where it was'


@pytest.mark.parametrize('order', ['year', '-year', 'name'])
def test_the_object_of_a_cursor_may_have_gone_or_moved(songs, order):
    query = songs.objects.orderBy(order)
    expected = pks(query.all())
    page = query.page(size=6)
    page.objects[-1].delete()
    assert pks(query.page(after=page.next, size=50)) == expected[6:]
    other = songs.objects.get(expected[8])
    page = query.page(after=query.page(size=7).next, size=1)
    assert pks(page) == [other._id]
    other.year, other.name = 99, '~'
    other.save()
    rest = pks(query.page(after=page.next, size=50))
    assert [pk for pk in rest if pk != other._id] == expected[9:]


def test_a_reset_between_pages(songs):
    query = songs.objects.orderBy('year')
    cursor = query.page(size=6).next
    songs.reset([songs(_id=100 + n, name='new', year=n // 3, genre='x') for n in range(1, 31)])
    found = query.page(after=cursor, size=50)
    # the place of year 2, pk 5 or the like, in the new data set
    assert all((obj.year, str(obj._id)) > (1, '') for obj in found)
    assert found.total == 30


# -- ties and values without a sorted set ----------------------------------------------------------


@pytest.mark.parametrize('size', [1, 2, 7])
def test_small_pages_of_groups_whose_next_member_does_not_match(make_model, size):
    model = make_model(
        [IRField('n', valueType=int), 'kind', 'label'], ['kind'], SORTED_FIELDS=['n']
    )
    model.reset([model(n=n // 30, kind='ab'[n % 2], label=f'{n % 7}') for n in range(120)])
    query = model.objects.filter(kind='b').orderBy('n', 'label')
    found = walked(query, size)
    assert len(found) == 60
    assert found == pks(query.all())


def test_a_large_group_of_equal_scores(make_model):
    """Texts that differ behind the sixth byte only: their stored values tell the order."""
    model = make_model(['name', 'group'], ['group'], SORTED_FIELDS=['name'])
    names = [f'prefix {n:04}' for n in range(700)]
    random.Random(3).shuffle(names)
    model.reset([model(name=name, group='a' if n % 3 else 'b') for n, name in enumerate(names)])
    query = model.objects.orderBy('name')
    assert query.valuesList('name', flat=True) == sorted(names)
    assert [obj.name for obj in query[300:310].all()] == sorted(names)[300:310]
    assert [obj.name for obj in query.page(3, size=5)] == sorted(names)[10:15]
    assert [obj.name for obj in model.objects.orderBy('-name')[:3].all()] == sorted(names)[:-4:-1]
    of_b = sorted(name for n, name in enumerate(names) if n % 3 == 0)
    page, found = model.objects.filter(group='b').orderBy('name').page(size=100), []
    while True:
        found += [obj.name for obj in page]
        if page.next is None:
            break
        page = model.objects.filter(group='b').orderBy('name').page(after=page.next, size=100)
    assert found == of_b
    between = model.objects.filter(name__between=(names[0], names[0])).orderBy('name')
    assert [obj.name for obj in between.all()] == [names[0]]
    assert between.count() == between.page(totalUpTo='all').total == 1


def test_an_order_by_a_field_without_a_sorted_set_takes_few_objects(songs, monkeypatch):
    monkeypatch.setattr(part, 'MOST_UNSORTED', 12)
    rock = songs.objects.filter(genre='rock').orderBy('plain')
    assert pks(rock.all()) == sorted(pks(rock), key=lambda pk: f'{-pk}')
    for read in (
        lambda query: query.all(),
        lambda query: query[:3].all(),
        lambda query: query.first(),
        lambda query: query.page(),
        lambda query: query.values('plain'),
        lambda query: list(query.iterator()),
    ):
        with pytest.raises(QueryError) as caught:
            read(songs.objects.orderBy('plain'))
        for text in ('plain is not sorted', '30, and at most 12', 'SORTED_FIELDS', 'sort_by'):
            assert text in str(caught.value)
    # the second field needs none, and neither does a part by pk
    assert len(songs.objects.orderBy('year', 'plain').all()) == 30
    assert pks(songs.objects[5:8].all()) == [6, 7, 8]


# -- what 6.0.3 wrote ------------------------------------------------------------------------------


@pytest.mark.plain_model
def test_objects_that_an_old_version_wrote_are_left_out_and_found(songs, raw):
    """It knows no sorted sets. `check` finds what it did, and `repair` puts it right."""
    base = f'_ir_|{songs.KEY_NAME}:'
    query = songs.objects.orderBy('year')
    rock = songs.objects.filter(genre='rock').orderBy('year')
    expected, of_rock = pks(query.all()), pks(rock.all())
    # inserted, updated and deleted
    raw.incr(base + 'next')
    raw.hset(base + 'data:31', mapping={'name': 'x', 'genre': 'rock', 'plain': '', 'year': '4'})
    raw.hset(base + 'data:31', 'artist', '1')
    for key in ('keys', 'idx:genre:rock', 'idx:artist:1'):
        raw.sadd(base + key, 31)
    raw.hset(base + f'data:{expected[3]}', 'year', '9')
    deleted = expected[5]
    for key in ('keys', 'idx:genre:rock', 'idx:genre:pop', 'idx:genre:IRNullType()'):
        raw.srem(base + key, deleted)
    for n in '123':
        raw.srem(base + f'idx:artist:{n}', deleted)
    raw.delete(base + f'data:{deleted}')
    left_out = {expected[3], deleted}
    rest = [pk for pk in expected if pk not in left_out]
    assert pks(query.all()) == walked(query, 4) == rest
    assert pks(rock.all()) == [pk for pk in of_rock if pk not in left_out]
    # whole pages of nothing but such members, too
    assert walked(query, 1) == rest
    found = songs.objects.check()
    assert {kind for kind, count in found.counts.items() if count} == {
        *('entry_gone', 'entry_missing', 'score_wrong')
    }
    assert songs.objects.repair().ok
    assert len(walked(query, 4)) == 30
    assert 31 in pks(query.all())
    assert pks(query.all()) == by_year(songs.objects.all())
