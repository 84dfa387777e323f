"""Ranges: their lookups, their complements and their scores, without a server. The rule: a range
holds the values between its ends, never null; what has no place in an order is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.asking import trees

from IndexedRedis import FieldValueError, IRField, Q, QueryError, irNull
from IndexedRedis._core.expressions.matching import Matcher
from IndexedRedis._core.expressions.texts import arguments_of, text_of_tree
from IndexedRedis._core.expressions.tree import (
    And,
    Bound,
    InRange,
    Not,
    Or,
    without_negated_ranges,
)
from IndexedRedis._core.queries.ranges import is_exact, score_range
from IndexedRedis.fields import IRDecimalField, IRForeignLinkField
from unit.build import define

ARTIST = define('name', IRField('born', valueType=int), SORTED_FIELDS=['born'], name='Artist')
SONG = define(
    *('name', 'genre', IRField('year', valueType=int), IRDecimalField('price')),
    IRField('length', valueType=float),
    IRField('day', valueType=datetime.date),
    IRForeignLinkField('artist', ARTIST),
    indexed=['genre', 'artist'],
    SORTED_FIELDS=['name', 'year', 'price', 'length', 'day'],
)


def one(**lookups):
    (node,) = SONG.objects.filter(**lookups)._filters
    return node


def of_year():
    """The field, as the model knows it now: other tests may have it validated anew."""
    return SONG._validated().columns['year']


def year(n, inclusive=True):
    return Bound((float(n), n), inclusive)


def scores(node):
    return score_range(SONG._validated().keys, node)


def test_the_lookups():
    assert one(year__gt=5) == InRange(of_year(), year(5, False), None, lookup='gt')
    assert one(year__gte='5') == InRange(of_year(), year(5), None, lookup='gte')
    assert one(year__lt=5) == InRange(of_year(), None, year(5, False), lookup='lt')
    assert one(year__lte=5.0) == InRange(of_year(), None, year(5), lookup='lte')
    assert one(year__between=(3, '5')) == InRange(of_year(), year(3), year(5), lookup='between')
    assert one(year__between=[5, 3]).low == year(5), 'which holds nothing'


def test_a_sorted_field_need_not_be_indexed_but_equality_needs_it():
    with pytest.raises(QueryError, match=r'Song\.year is not indexed'):
        SONG.objects.filter(year=5)
    with pytest.raises(QueryError, match=r"'genre__gt'|not sorted|SORTED_FIELDS"):
        SONG.objects.filter(genre__gt='a')
    with pytest.raises(QueryError):
        SONG.objects.filter(pk__gt=5)
    with pytest.raises(QueryError):
        SONG.objects.filter(artist__gt=5)


@pytest.mark.parametrize('name', ['gt', 'gte', 'lt', 'lte'])
@pytest.mark.parametrize('value', [None, irNull], ids=repr)
def test_null_has_no_place(name, value):
    match = rf'Song\.year: __{name} takes a value that has an order.*__isnull=True'
    with pytest.raises(QueryError, match=match):
        SONG.objects.filter(**{f'year__{name}': value})
    with pytest.raises(QueryError, match='__between takes a value that has an order'):
        SONG.objects.filter(year__between=(1, value))
    with pytest.raises(QueryError, match='__between takes a value that has an order'):
        SONG.objects.filter(year__between=(value, 1))


def test_nan_has_no_place():
    with pytest.raises(QueryError, match=r'Song\.length: __gt takes a value that has an order'):
        SONG.objects.filter(length__gt=nan)
    assert one(length__gt=inf).low.key[1] == inf


@pytest.mark.parametrize(
    'value', ['x', [1], 1.5, object(), b'x', {}], ids=lambda v: type(v).__name__
)
def test_a_value_that_the_field_cannot_hold_is_refused(value):
    for name in ('gt', 'gte', 'lt', 'lte'):
        with pytest.raises(FieldValueError, match=r'Song\.year: cannot hold'):
            SONG.objects.filter(**{f'year__{name}': value})


@pytest.mark.parametrize('value', [5, (1,), (1, 2, 3), None, 'abc', ()], ids=repr)
def test_between_takes_two_values(value):
    with pytest.raises(QueryError, match=r'Song\.year: __between takes \(lowest, highest\)'):
        SONG.objects.filter(year__between=value)


@pytest.mark.parametrize(
    ('name', 'value'), [('year', 'x'), ('year', 5), ('name', 5), ('name', b'x'), ('name', None)]
)
def test_startswith_compares_texts(name, value):
    match = rf'Song\.{name}: __startswith compares texts of a text field.*__gte and __lt'
    with pytest.raises(QueryError, match=match):
        SONG.objects.filter(**{f'{name}__startswith': value})


@pytest.mark.parametrize(
    ('prefix', 'behind'),
    [
        ('ab', 'ac'),
        ('', None),
        ('a\U0010ffff', 'b'),
        ('\U0010ffff', None),
        ('\ud7ff', '\ue000'),
        ('\x7f', '\x80'),
    ],
    ids=ascii,
)
def test_startswith_is_a_range(prefix, behind):
    node = one(name__startswith=prefix)
    assert (node.low.key[1], node.low.inclusive) == (prefix, True)
    if behind is None:
        assert node.high is None
    else:
        assert (node.high.key[1], node.high.inclusive) == (behind, False)


def test_ranges_along_a_link():
    node = one(artist__born__gte=1950)
    assert node.path == 'artist__born__gte'
    assert node.node == InRange(ARTIST._validated().columns['born'], year(1950), lookup='gte')


# -- complements ---------------------------------------------------------------------------------


def test_the_complement_of_a_range_has_null():
    low, high = year(3), year(5, False)
    below, above = InRange(of_year(), None, year(3, False)), InRange(of_year(), year(5), None, True)
    nulls = InRange(of_year(), Bound((inf, None), True), None, True)
    assert InRange(of_year(), low, high).complement() == Or((below, above))
    assert InRange(of_year(), low).complement() == Or((below, nulls))
    assert InRange(of_year(), None, high).complement() == above
    assert InRange(of_year()).complement() == nulls
    assert above.complement() == InRange(of_year(), None, high)


VALUES = st.one_of(st.none(), st.integers(-5, 5))
RANGES = st.one_of(
    *(st.integers(-5, 5).map(lambda n, s=s: Q(**{f'year__{s}': n})) for s in ('gt', 'gte', 'lt')),
    st.tuples(st.integers(-5, 5), st.integers(-5, 5)).map(lambda p: Q(year__between=p)),
    st.sampled_from(['rock', 'pop', None]).map(lambda g: Q(genre=g)),
)
TREES = trees(RANGES, 6)


def matches(node, row):
    columns = SONG._validated().named(['year', 'genre'])
    return Matcher([node], columns).matches(1, row)


@given(TREES, VALUES, st.sampled_from([b'rock', b'IRNullType()']))
def test_a_tree_without_negated_ranges_means_the_same(tree, value, genre):
    row = [b'IRNullType()' if value is None else b'%d' % value, genre]
    node = And(SONG.objects.filter(tree)._filters)
    plain = without_negated_ranges(node)
    assert matches(plain, row) == matches(node, row)
    assert matches(without_negated_ranges(Not(node)), row) != matches(node, row)
    assert not any(isinstance(each, InRange) for each in negated(plain))


def negated(node):
    """The nodes under a "not"."""
    if isinstance(node, Not):
        yield node.node
    for each in getattr(node, 'nodes', ()):
        yield from negated(each)


# -- scores --------------------------------------------------------------------------------------

BY_YEAR, BY_NAME, BY_PRICE = (
    b'_ir_|Song:keys:sorted:' + each for each in (b'year', b'name', b'price')
)


@pytest.mark.parametrize(
    ('given_', 'expected', 'exact'),
    [
        ({'year__gt': 5}, (BY_YEAR, b'(5', b'(+inf'), True),
        ({'year__gte': 5}, (BY_YEAR, b'5', b'(+inf'), True),
        ({'year__lt': -5}, (BY_YEAR, b'-inf', b'(-5'), True),
        ({'year__between': (3, 5)}, (BY_YEAR, b'3', b'5'), True),
        # larger numbers share their score with others
        ({'year__gt': 2**60}, (BY_YEAR, b'1.152921504606847e+18', b'(+inf'), False),
        ({'year__lt': 2**60}, (BY_YEAR, b'-inf', b'1.152921504606847e+18'), False),
        ({'year__gt': 10**400}, (BY_YEAR, b'1.7976931348623157e+308', b'(+inf'), False),
        ({'price__gt': Decimal('1.1')}, (BY_PRICE, b'1.1000000000000001', b'(+inf'), False),
        ({'name__lt': 'a'}, (BY_NAME, b'-inf', b'%d' % (0x61 << 40)), False),
        (
            {'name__startswith': 'ab'},
            (BY_NAME, b'%d' % (0x6162 << 32), b'%d' % (0x6163 << 32)),
            False,
        ),
    ],
    ids=repr,
)
def test_the_scores_of_a_range(given_, expected, exact):
    node = one(**given_)
    (key, low, high), (wanted, *bounds) = scores(node), expected
    assert key == wanted
    for found, bound in zip((low, high), bounds, strict=True):
        assert (found[:1] == b'(', float(found.lstrip(b'('))) == (
            bound[:1] == b'(',
            float(bound.lstrip(b'(')),
        )
    assert is_exact(node) == exact
    assert is_exact(And((node, Not(one(genre='a'))))) == exact


def test_the_scores_of_null():
    nulls = InRange(of_year()).complement()
    assert scores(nulls) == (BY_YEAR, b'inf', b'+inf')
    assert scores(InRange(of_year())) == (BY_YEAR, b'-inf', b'(+inf')
    assert is_exact(nulls)


# -- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('condition', 'text', 'arguments'),
    [
        (Q(year__gt=5), 'year > 5', 'year__gt=5'),
        (Q(year__between=(3, 5)), 'year >= 3 and year <= 5', 'year__between=(3, 5)'),
        (Q(name__startswith='ab'), 'name >= ab and name < ac', "name__startswith='ab'"),
        (~Q(year__gt=5), 'not year > 5', '~Q(year__gt=5)'),
        (
            Q(year__gt=5) | Q(genre='rock'),
            'year > 5 or genre = rock',
            "Q(year__gt=5) | Q(genre='rock')",
        ),
        (Q(price__lte='1.5'), 'price <= 1.5', "price__lte=Decimal('1.5')"),
        (
            Q(day__gte=datetime.date(2020, 1, 2)),
            'day >= 2020-01-02',
            'day__gte=datetime.date(2020, 1, 2)',
        ),
    ],
    ids=repr,
)
def test_texts(condition, text, arguments):
    (node,) = SONG.objects.filter(condition)._filters
    assert text_of_tree(node) == text
    assert arguments_of([node]) == arguments
    assert repr(SONG.objects.filter(condition)) == f'Song.objects.filter({arguments})'


def test_the_text_of_a_complement():
    (node,) = SONG.objects.filter(~Q(year__between=(3, 5)))._query.filters
    assert text_of_tree(node) == 'year < 3 or year > 5 or year is null'
    (node,) = SONG.objects.filter(~Q(year__gte=3))._query.filters
    assert text_of_tree(node) == 'year < 3 or year is null'
