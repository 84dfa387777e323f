"""What ranges of sorted fields send. The rule: as in ``test_commands.py``; where a sorted set has
members that are no pks, the set of all pks is asked, too."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField
from IndexedRedis._core.queries import query as queries
from IndexedRedis._core.queries.sources import base
from unit.build import define
from unit.commands.test_commands import DATA, GENRE_ROCK, KEYS, MARKERS, NONE, K, trips

BY_YEAR = K + b'keys:sorted:year'
SIZES = [('ZCARD', BY_YEAR), ('SCARD', KEYS)]
RANGE = ('ZRANGEBYSCORE', BY_YEAR, b'1990', b'(+inf')
ROW = ('HMGET', DATA + b'3', b'genre', b'year')


@pytest.fixture
def nineties():
    model = define(
        *('genre', IRField('year', valueType=int)), indexed=['genre'], SORTED_FIELDS=['year']
    )
    return model.objects.filter(year__gte=1990)


@pytest.fixture
def rock(nineties):
    return nineties.filter(genre='rock')


def read(query, *pks):
    """Read the objects, of which one is stored; return the trips."""
    found, sent = trips(query._all(False), *pks, [[b'rock', b'1991'], NONE])
    assert [obj.year for obj in found] == [1991]
    assert sent.pop() == [ROW, MARKERS]
    return sent


def test_one_range_is_one_command_between_its_checks(nineties):
    sent = read(nineties, [NONE, 5, 5, [b'3'], 5, 5])
    assert sent == [[MARKERS, *SIZES, RANGE, *SIZES]]


@pytest.mark.parametrize('sizes', [(6, 5, 6, 5), (5, 5, 6, 6), (5, 5, 6, 5), (4, 5, 4, 5)], ids=str)
def test_members_that_may_be_no_pks_are_looked_up(nineties, sizes):
    sent = read(nineties, [NONE, *sizes[:2], [b'3'], *sizes[2:]], [[1]])
    assert sent[1:] == [[('SMISMEMBER', KEYS, b'3')]]


def test_members_that_are_no_pks_are_left_out():
    found, sent = trips(base._listed(KEYS, [b'3', b'9']), [[1, 0]], [[0]])
    assert found == [b'3']
    assert sent == [[('SMISMEMBER', KEYS, b'3', b'9')], [('SMISMEMBER', KEYS, b'9')]]


def test_what_is_committed_while_members_are_looked_up_is_found_whole(monkeypatch):
    monkeypatch.setattr(base, 'LOOKED_UP_AT_ONCE', 1)
    found, sent = trips(base._listed(KEYS, [b'3', b'8', b'9']), [[1]], [[0]], [[1]], [[1]])
    assert found == [b'3', b'8', b'9']
    assert sent == [[('SMISMEMBER', KEYS, pk)] for pk in (b'3', b'8', b'9', b'8')]


def test_a_range_beside_a_filter_is_read_in_one_moment(rock):
    asked, others = [MARKERS, *SIZES], [('SINTER', KEYS, GENRE_ROCK), *SIZES]
    clean = [NONE, 5, 5, [b'3', b'9'], [b'3', b'7'], 5, 5]
    sent = read(rock, [None] * 8 + [clean])
    assert sent == [[('MULTI',), *asked, RANGE, *others, ('EXEC',)]]

    left = [NONE, 6, 5, [b'3', b'9'], [b'3', b'7'], 6, 5]
    sent = read(rock, [None] * 8 + [left], [[1]])
    assert sent[1] == [('SMISMEMBER', KEYS, b'3')]


def test_a_count_reads_the_pks_only_where_others_are_among_the_members(nineties):
    counting = ('EVALSHA', 'count_range', 2, BY_YEAR, KEYS, b'1990', b'(+inf')
    assert trips(queries.count(nineties._query), [7]) == (7, [[counting]])
    replies = [None], [6, 5, [b'3', b'9'], 6, 5], [[1, 0]], [[0]]
    found, sent = trips(queries.count(nineties._query), *replies)
    assert found == 1
    assert sent[:2] == [[counting], [*SIZES, RANGE, *SIZES]]
