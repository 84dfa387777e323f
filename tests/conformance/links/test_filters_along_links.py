"""Filters along a link: ``author__name='Ann'``. The rule: two queries in two trips, both of one
data set."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.asking import check_ways

import IndexedRedis as IR
from IndexedRedis import Q, QueryError, irNull
from IndexedRedis._core.partitions.queries import linked
from IndexedRedis.fields import IRForeignLinkField

CASES = [
    (Q(author__name='Ann'), [1, 2]),
    (Q(author__name='nobody'), []),
    (Q(author__name__ne='Ann'), [3]),
    (Q(author__name__in=['Ann', 'Bob']), [1, 2, 3]),
    (~Q(author__name='Ann'), [3, 4]),
    (Q(author__name='Bob') | Q(title='none'), [3, 4]),
    (Q(author__name='nobody') | Q(title='none'), [4]),
    (Q(author__name='Ann', title='two'), [2]),
    (Q(author__name='Ann') & ~Q(author__name='Bob'), [1, 2]),
    (Q(author__pk=1), [1, 2]),
    (Q(author__id__in=[1, 2]), [1, 2, 3]),
    (Q(author__favourite__isnull=True), [1, 2, 3]),
]


@pytest.fixture
def four(shelf, authors):
    shelf(title='none').save()
    return shelf


@pytest.mark.parametrize(('condition', 'pks'), CASES[:-1], ids=repr)
def test_every_way_to_ask(four, condition, pks):
    query = four.objects.filter(condition)
    check_ways(query, pks, 'title')
    assert sum(query.countBy('author').values()) == len(pks)
    for obj in query.all(cascadeFetch=True):
        assert obj.author is irNull or obj.author.name in ('Ann', 'Bob')


@pytest.mark.parametrize(('condition', 'pks'), CASES[:-1], ids=repr)
def test_what_they_find_can_be_changed_and_deleted(four, condition, pks):
    query = four.objects.filter(condition)
    assert query.reindex() == query.update(similar=[1]) == len(pks)
    assert query.delete() == len(pks)
    assert four.objects.getPrimaryKeys(True) == [pk for pk in (1, 2, 3, 4) if pk not in pks]


def test_a_field_that_is_not_indexed_there_is_refused(four):
    with pytest.raises(QueryError, match=r'Author\.favourite is not indexed'):
        four.objects.filter(CASES[-1][0])


def test_objects_and_pks_are_values_of_a_link(four, authors):
    ann, bob = authors.objects.getMultiple([1, 2])
    assert four.objects.filter(author__in=[ann, 2]).getPrimaryKeys(True) == [1, 2, 3]
    assert four.objects.filter(author__in=authors.objects.all()).count() == 3
    assert four.objects.filter(author__in=[bob, None]).getPrimaryKeys(True) == [3, 4]
    assert four.objects.filter(author__isnull=True).getPrimaryKeys(True) == [4]
    assert four.objects.filter(similar__in=[[2, 1], None]).count() == 4


@pytest.mark.plain_model
@pytest.mark.parametrize('method', ['all', 'count', 'first', 'getPrimaryKeys'])
def test_two_trips(four, trips, method):
    query = four.objects.filter(author__name='Ann')
    getattr(query, method)()
    trips.clear()
    getattr(query, method)()
    assert len(trips) == 2, trips


@pytest.mark.plain_model
def test_explain_says_what_was_looked_up(four):
    explanation = four.objects.filter(Q(author__name='Ann') | Q(title='none')).explain(True)
    assert 'author leads to (name = Ann) [1 pk]' in str(explanation)
    assert explanation.measured.rows == explanation.rows.estimate == 3
    assert len(explanation.trips) == explanation.measured.trips == 2


@pytest.mark.parametrize('method', ['all', 'count', 'getPrimaryKeys', 'first', 'values', 'exists'])
def test_a_reset_of_both_models_between_the_two_queries(make_model, monkeypatch, method):
    """The answer is of the new data set: the old artists have no new songs."""
    artist = make_model(['name'], ['name'])
    song = make_model(['title', IRForeignLinkField('artist', artist)], ['title', 'artist'])

    async def reset(edition):
        people = [artist(name=name) for name in 'ab']
        songs = [song(title=f'{edition}', artist=people[n % 2]) for n in range(2 * edition)]
        await IR.aresetMany([(artist, people), (song, songs)])
        await IR.aclose()

    def reset_between(*args):
        for edition in pending:
            pending.remove(edition)
            # A loop of its own, in a thread: this one is busy with the query.
            with ThreadPoolExecutor(1) as threads:
                threads.submit(asyncio.run, reset(edition)).result()
        return beside(*args)

    asyncio.run(reset(1))
    pending, beside = [3], linked._beside
    monkeypatch.setattr(linked, '_beside', reset_between)
    found = getattr(song.objects.filter(artist__name='a'), method)()
    assert not pending
    if method in ('all', 'values', 'getPrimaryKeys'):
        assert len(found) == 3
    assert {'count': 3, 'exists': True}.get(method, found) == found
    if method == 'first':
        assert found.title == '3'


def test_a_walk_after_a_reset_of_the_linked_model_is_of_one_data_set(four, authors):
    walk = four.objects.filter(author__name='Ann').iterator(1)
    first = next(walk)
    authors.reset([authors(name='Bob'), authors(name='Ann')])
    assert {first._id, *(obj._id for obj in walk)} == {1, 2}
