"""Filters as clauses, and the walk that an order takes, without a server. The rule: a clause says
the same as its tree; what a walk cannot test goes the way over all pks."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.asking import trees

from IndexedRedis import IRField, Q
from IndexedRedis._core.expressions.matching import Matcher
from IndexedRedis._core.expressions.tree import And
from IndexedRedis._core.queries.ordering import plan as plans
from IndexedRedis._core.queries.ordering.clauses import MOST_SETS, clauses_of
from IndexedRedis._core.queries.ordering.plan import Place, plan_of
from IndexedRedis._core.queries.ordering.scripts import WALK
from IndexedRedis.fields import IRDecimalField
from unit.build import define

SONG = define(
    *('name', 'genre', 'land', IRField('year', valueType=int), IRDecimalField('price')),
    indexed=['genre', 'land', 'year'],
    SORTED_FIELDS=['name', 'year', 'price'],
)
K = b'_ir_|Song:'
ROCK, POP = K + b'idx:genre:rock', K + b'idx:genre:pop'
AU, SE = K + b'idx:land:AU', K + b'idx:land:SE'
BY_YEAR, BY_NAME, BY_PRICE = (K + b'keys:sorted:' + each for each in (b'year', b'name', b'price'))
ALWAYS = K + b'tmp:swapped', K + b'tmp:incarnations', K + b'keys'
WHOLE, NULLS, OTHERS = (b'-inf', b'+inf'), (b'+inf', b'+inf'), (b'-inf', b'(+inf')


def clauses(*conditions, **lookups):
    return clauses_of(
        SONG._validated().keys, SONG.objects.filter(*conditions, **lookups)._query.filters
    )


def plan(*names, nulls='last', filters=(), **lookups):
    return plan_of(SONG.objects.filter(*filters, **lookups).orderBy(*names, nulls=nulls)._query)


# -- clauses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('condition', 'expected'),
    [
        (Q(), []),
        (Q(genre='rock'), [[(True, [ROCK])]]),
        (Q(genre__ne='rock'), [[(False, [ROCK])]]),
        (Q(genre__in=['rock', 'pop']), [[(True, [ROCK, POP])]]),
        (Q(genre__in=[]), [[(True, [])]]),
        (Q(genre='rock', land='AU'), [[(True, [ROCK])], [(True, [AU])]]),
        (Q(genre='rock') | Q(land='AU'), [[(True, [ROCK]), (True, [AU])]]),
        (Q(genre='rock') | ~Q(land='AU'), [[(True, [ROCK]), (False, [AU])]]),
        (~(Q(genre='rock') | Q(land='AU')), [[(False, [ROCK])], [(False, [AU])]]),
        (~Q(genre='rock', land='AU'), [[(False, [ROCK]), (False, [AU])]]),
        (
            (Q(genre='rock') | Q(land='AU')) & ~Q(land='SE'),
            [[(True, [ROCK]), (True, [AU])], [(False, [SE])]],
        ),
        (~~Q(genre='rock'), [[(True, [ROCK])]]),
    ],
    ids=repr,
)
def test_filters_as_clauses(condition, expected):
    found = clauses(condition)
    assert [
        [(each.inside, list(each.sets)) for each in clause] for clause in found.clauses
    ] == expected


@pytest.mark.parametrize(
    'condition',
    [
        Q(genre='rock', land='AU') | Q(genre='pop', land='SE'),
        ~((Q(genre='rock') | Q(land='AU')) & (Q(genre='pop') | Q(land='SE'))),
        Q(pk=5),
        Q(pk__in=[5, 6]),
        Q(year__gt=5) | Q(genre='rock'),
        ~Q(year__between=(3, 5)),
        Q(genre__in=[str(n) for n in range(MOST_SETS + 1)]),
    ],
    ids=lambda condition: repr(condition)[:60],
)
def test_what_are_no_clauses(condition):
    assert clauses(condition) is None
    assert plan('year', filters=[condition]).clauses is None


def test_ranges_are_tested_by_scores():
    found = clauses(year__gt=5, genre='rock', name__lt='x')
    assert [each.column.name for each in found.ranges] == ['year', 'name']
    assert found.sets == [ROCK]
    assert found.numbers == [1, 1, 1, 1]
    assert clauses(genre__in=[str(n) for n in range(MOST_SETS)]).numbers == [1, 1, 1, MOST_SETS]


LEAVES = st.one_of(
    st.sampled_from(['rock', 'pop']).map(lambda value: Q(genre=value)),
    st.sampled_from(['AU', 'SE']).map(lambda value: Q(land=value)),
    st.lists(st.sampled_from(['rock', 'pop']), max_size=2).map(lambda v: Q(genre__in=v)),
    st.integers(0, 3).map(lambda value: Q(year__gte=value)),
)
TREES = trees(LEAVES, 5)


@given(
    TREES,
    st.sampled_from(['rock', 'pop', 'jazz']),
    st.sampled_from(['AU', 'SE', 'DE']),
    st.integers(0, 3),
)
def test_clauses_say_what_their_tree_says(tree, genre, land, year):
    filters = SONG.objects.filter(tree)._query.filters
    found = clauses_of(SONG._validated().keys, filters)
    if found is None:
        return
    inside = {K + b'idx:genre:%s' % genre.encode(), K + b'idx:land:%s' % land.encode()}
    by_clauses = all(
        any((not inside.isdisjoint(each.sets)) == each.inside for each in clause)
        for clause in found.clauses
    ) and all(_within(each, year) for each in found.ranges)
    columns = SONG._validated().named(['genre', 'land', 'year'])
    row = [genre.encode(), land.encode(), b'%d' % year]
    assert by_clauses == Matcher([And(filters)], columns).matches(1, row)


def _within(range_, number):
    low, high = range_.low, range_.high
    above = low is None or number > low.key[0] or (low.inclusive and number == low.key[0])
    below = high is None or number < high.key[0] or (high.inclusive and number == high.key[0])
    return above and below


# -- plans ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'nulls', 'segments'),
    [
        # null has the highest score, so a walk up meets it last, and a walk down first
        ('year', 'last', (WHOLE,)),
        ('-year', 'first', (WHOLE,)),
        ('year', 'first', (NULLS, OTHERS)),
        ('-year', 'last', (OTHERS, NULLS)),
    ],
)
def test_nulls_have_a_segment_of_their_own_where_they_need_it(name, nulls, segments):
    found = plan(name, nulls=nulls)
    assert found.segments == segments
    of_null = segments.index(NULLS) + 1 if NULLS in segments else 1
    assert found.segment_of(inf) == of_null
    assert found.segment_of(5.0) == (1 if len(segments) == 1 else 3 - of_null)


@pytest.mark.parametrize('name', ['year', '-year'])
@pytest.mark.parametrize('nulls', ['first', 'last'])
def test_a_range_of_the_first_field_is_where_the_walk_goes(name, nulls):
    found = plan(name, nulls=nulls, year__gte=3, year__lt=9, genre='rock')
    assert found.segments == ((b'3', b'(+inf'),)
    (other,) = found.clauses.ranges
    assert other.high.key == (9.0, 9), 'the second one is tested'
    assert plan(name, nulls=nulls, year__between=(3, 9)).segments == ((b'3', b'9'),)


def test_a_negated_range_has_the_nulls():
    found = plan('year', filters=[~Q(year__lt=3)])
    assert found.segments == ((b'3', b'+inf'),)
    assert plan('-year', filters=[~Q(year__lt=3)]).segments == ((b'3', b'(+inf'), NULLS)
    assert plan('year', nulls='first', filters=[~Q(year__lt=3)]).segments == (
        NULLS,
        (b'3', b'(+inf'),
    )


def test_a_range_of_another_field_is_tested_by_its_score_if_that_tells():
    assert plan('name', year__gt=5).clauses.ranges[0].column.name == 'year'
    assert plan('name', price__gt=5).clauses is None, 'a score of a Decimal belongs to several'
    assert plan('name', year__gt=2**60).clauses is None
    assert plan('price', price__gt=5).inexact[0].column.name == 'price'
    assert plan('price', price__gt=5).is_end(5.0)
    assert not plan('price', price__gt=5).is_end(6.0)


def test_no_walk_without_a_sorted_set():
    assert plan('genre') is None
    assert plan('pk') is None
    assert plan('genre', 'year') is None
    assert plan('year', 'genre') is not None


def test_scores_settle_the_order_of_small_numbers_only():
    assert plan('year').settles(5.0)
    assert plan('year').settles(inf)
    assert not plan('year').settles(2.0**53)
    assert not plan('year', 'name').settles(5.0), 'the name decides'
    assert not plan('price').settles(5.0)
    assert not plan('name').settles(5.0)


# -- commands ------------------------------------------------------------------------------------


def test_the_command_of_a_step():
    command = plan('year').step(plans.START, 0, 21, fields=(b'name',))
    limits = plans.WALK_US, plans.SMALL_SET
    assert command == (
        *('EVALSHA', WALK.sha, 4, BY_YEAR, *ALWAYS, 'up', 1, 0, 21, b'', *limits),
        *(1, *WHOLE, 1, b'', b'', 0, 0, plans.ROW_VALUES, K + b'data:', b'name'),
    )
    found = plan('-year', 'name', genre='rock', land__ne='SE', price__gt=5, name__gt='m')
    assert found.clauses is None, 'the ends of two ranges are not exact'
    command = plan('-year', 'name', genre='rock', land__ne='SE').step(
        Place(2, b'5', b'7'), 3, 4, b'5'
    )
    assert command == (
        *('EVALSHA', WALK.sha, 6, BY_YEAR, *ALWAYS, ROCK, SE, 'down', 0, 3, 4, b'5', *limits),
        *(2, *OTHERS, *NULLS, 2, b'5', b'7', 2, 1, 1, 1, 1, 0, 1, 0, -1, K + b'data:'),
    )


def test_ranges_follow_the_clauses():
    command = plan('name', year__between=(3, 5)).step(plans.START, 0, 1)
    assert command[2:8] == (5, BY_NAME, *ALWAYS, BY_YEAR)
    assert command[-7:] == (b'', 0, 1, b'3', b'5', -1, K + b'data:')
