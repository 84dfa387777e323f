"""What ranges of sorted fields send. The rule: as in ``test_commands.py``. If a sorted set
has more or fewer members than there are pks, queries look them up in the set of all pks."""

from __future__ import annotations

import pytest

from IndexedRedis import ConflictError, IRField
from IndexedRedis._core.queries import query as queries
from IndexedRedis._core.queries.sources import base
from unit.build import define
from unit.commands.test_commands import DATA, GENRE_ROCK, KEYS, MARKERS, NONE, K, trips

BY_YEAR = K + b'keys:sorted:year'
SIZES = [('ZCARD', BY_YEAR), ('SCARD', KEYS)]
RANGE = ('ZRANGEBYSCORE', BY_YEAR, b'1990', b'(+inf')
AGAIN = [MARKERS, ('SRANDMEMBER', KEYS, 5), *SIZES, RANGE, *SIZES]
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
    first, again = [NONE, *sizes[:2], [b'3'], *sizes[2:]], [NONE, [b'5'], 6, 5, [b'3'], 6, 5]
    sent = read(nineties, first, again, [[1]], [[1]])
    assert sent[1:] == [AGAIN, [('SMISMEMBER', KEYS, b'3')], [('SMISMEMBER', KEYS, b'5')]]


def test_what_is_clean_at_the_second_time_is_not_looked_up(nineties):
    sent = read(nineties, [NONE, 6, 5, [b'3'], 6, 5], [NONE, [b'5'], 6, 6, [b'3'], 6, 6])
    assert sent[1:] == [AGAIN]


def test_a_reset_while_members_are_looked_up(nineties):
    """No witness is a pk then, so the members are read again."""
    first, gone = [NONE, 6, 5, [b'1'], 6, 5], ([NONE, [b'5'], 6, 5, [b'1'], 6, 5], [[0]], [[0]])
    sent = read(nineties, first, *gone, [NONE, [b'7'], 6, 6, [b'3'], 6, 6])
    assert sent[1:] == [AGAIN, [('SMISMEMBER', KEYS, b'1')], [('SMISMEMBER', KEYS, b'5')], AGAIN]
    with pytest.raises(ConflictError, match='resets replaced the data set 4 times'):
        trips(nineties._all(False), first, *gone * 4)


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
    again = [NONE, [b'5'], *left[1:]]
    sent = read(rock, [None] * 8 + [left], [None] * 9 + [again], [[1]], [[1]])
    asked.insert(1, ('SRANDMEMBER', KEYS, 5))
    assert sent[1] == [('MULTI',), *asked, RANGE, *others, ('EXEC',)]
    assert sent[2] == [('SMISMEMBER', KEYS, b'3')]


def test_a_count_reads_the_pks_only_where_others_are_among_the_members(nineties):
    counting = ('EVALSHA', 'count_range', 2, BY_YEAR, KEYS, b'1990', b'(+inf')
    assert trips(queries.count(nineties._query), [7]) == (7, [[counting]])
    left = [6, 5, [b'3', b'9'], 6, 5]
    replies = [None], left, [[b'5'], *left], [[1, 0]], [[0]], [[1]]
    found, sent = trips(queries.count(nineties._query), *replies)
    assert found == 1
    assert sent[:2] == [[counting], [*SIZES, RANGE, *SIZES]]
