"""Queries of thousands of filters. The rule: they are answered, and hold up nobody."""

from __future__ import annotations

import pytest


@pytest.fixture
def few_left(song):
    """Songs of every 50th year below 10,100, and a query that names each year below 10,000."""
    years = range(0, 10_100, 50)
    song.saver.save([song(title=str(y), artist='x', album='y', year=y) for y in years])
    query = song.objects
    for year in range(10_000):
        query = query.filter(year__ne=year)
    return query


@pytest.mark.large
@pytest.mark.parametrize(
    'more', [{}, {'artist': 'x'}, {'artist': 'x', 'album': 'y'}, {'album__ne': 'z'}]
)
def test_ten_thousand_values_to_leave_out(few_left, more):
    query = few_left.filter(**more)
    assert sorted(obj.year for obj in query.all()) == [10_000, 10_050]
    assert query.count() == len(query.getPrimaryKeys()) == 2
    assert (query.first().year, query.last().year) == (10_000, 10_050)
    assert query.random().year in (10_000, 10_050)
    assert few_left.filter(artist='nobody').all() == []


@pytest.mark.large
def test_ten_thousand_times_the_same(song, few_left):
    query = song.objects
    for _ in range(10_000):
        query = query.filter(year=50)
    assert [obj.title for obj in query.all()] == ['50']
    assert query.filter(year=100).all() == []


def test_what_they_find_can_be_deleted(song, few_left):
    assert few_left.delete() == 2
    assert song.objects.count() == 200
    assert song.objects.last().year == 9_950


@pytest.mark.names_keys
def test_more_than_a_thousand_sets_to_be_in(song, raw):
    """Nobody has that many fields; the script is asked directly."""
    from IndexedRedis._core.queries.scripts import MEMBERS

    text = MEMBERS.text
    sets = [f'set{n}' for n in range(2500)]
    for name in sets:
        raw.sadd(name, 1, 2, 3)
    raw.srem('set2400', 2)
    raw.sadd('out', 3)
    assert sorted(raw.eval(text, 2501, *sets, 'out', 2500)) == [b'1']
    raw.delete(*sets, 'out')
