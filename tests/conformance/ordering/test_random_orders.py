"""Random orders, ranges and pages over random data, against plain Python. The rule: a result comes
in the order of the values, and of the pks as text where these are equal."""

from __future__ import annotations

import datetime
import functools
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.asking import judged_trees

from IndexedRedis import IRField, Q
from IndexedRedis._core.queries.ordering import plan
from IndexedRedis.fields import IRDecimalField

VALUES = {
    'name': ['', 'ab', 'abcdef', 'abcdefg', 'abcdefh', 'Åg', 'é', '\U0010ffff'],
    'number': [-(2**60), 2**60, 2**60 + 1, 0, 5],
    'price': [Decimal('1.10'), Decimal('1.1000000000000000001'), Decimal(-3)],
    'day': [datetime.date(2020, 1, n) for n in (1, 2)],
    'plain': ['x', 'y', 'zz'],
}
GENRES = ['rock', 'pop', 'jazz']


@pytest.fixture
def song(make_model):
    return make_model(
        [
            IRField('name'),
            IRField('number', valueType=int),
            IRDecimalField('price'),
            IRField('day', valueType=datetime.date),
            IRField('plain'),
            IRField('genre'),
        ],
        indexed=['genre', 'number'],
        SORTED_FIELDS=['name', 'number', 'price', 'day'],
    )


def rows():
    columns = {name: st.sampled_from([None, *values]) for name, values in VALUES.items()}
    return st.lists(
        st.fixed_dictionaries({**columns, 'genre': st.sampled_from(GENRES)}),
        min_size=2,
        max_size=25,
    )


def _range(name, suffix, holds):
    return st.sampled_from(VALUES[name]).map(
        lambda v: (
            Q(**{f'{name}__{suffix}': v}),
            lambda row: row[name] is not None and holds(row[name], v),
        )
    )


def filters():
    """A condition, and what it says of a row."""
    ranged = st.sampled_from(['name', 'number', 'price', 'day']).flatmap(
        lambda name: st.one_of(
            _range(name, 'gt', lambda a, b: a > b),
            _range(name, 'gte', lambda a, b: a >= b),
            _range(name, 'lt', lambda a, b: a < b),
            _range(name, 'lte', lambda a, b: a <= b),
            st.tuples(*[st.sampled_from(VALUES[name])] * 2).map(
                lambda v: (
                    Q(**{f'{name}__between': v}),
                    lambda row: row[name] is not None and v[0] <= row[name] <= v[1],
                )
            ),
        )
    )
    genres = st.lists(st.sampled_from(GENRES), max_size=2)
    leaves = st.one_of(
        ranged,
        _range('name', 'startswith', lambda a, b: a.startswith(b)),
        genres.map(lambda g: (Q(genre__in=g), lambda row: row['genre'] in g)),
        st.sampled_from(GENRES).map(lambda g: (Q(genre=g), lambda row: row['genre'] == g)),
        st.sampled_from(GENRES).map(lambda g: (Q(genre__ne=g), lambda row: row['genre'] != g)),
    )
    return judged_trees(leaves, 4)


def orders():
    names = st.sampled_from([*VALUES, 'pk']).flatmap(lambda n: st.sampled_from([n, f'-{n}']))
    return st.tuples(
        st.lists(names, min_size=1, max_size=3, unique_by=lambda n: n.lstrip('-')),
        st.sampled_from(['first', 'last']),
    )


def in_order(data, order):
    """The pks of ``{pk: row}`` in order, by comparing pair by pair."""
    names, nulls = order

    def compare(one, other):
        for name in names:
            down, field = name.startswith('-'), name.lstrip('-')
            a, b = (pk if field == 'pk' else data[pk][field] for pk in (one, other))
            if (a is None) != (b is None):
                return -1 if (a is None) == (nulls == 'first') else 1
            if a != b and a is not None:
                return -1 if (a < b) != down else 1
        down = names[0].startswith('-')
        return -1 if (str(one) < str(other)) != down else 1

    return sorted(data, key=functools.cmp_to_key(compare))


def pks(found):
    return [obj._id for obj in found]


def compare_all(song, data, condition, holds, order):
    query = song.objects.filter(condition).orderBy(*order[0], nulls=order[1])
    expected = in_order({pk: row for pk, row in enumerate(data, 1) if holds(row)}, order)
    why = (condition, order)
    assert pks(query.all()) == expected, why
    assert query.getPrimaryKeys() == expected, why
    assert query.count() == len(expected), why
    assert query.valuesList('pk', flat=True) == expected, why
    assert pks([query.first()] if expected else []) == expected[:1], why
    assert pks([query.last()] if expected else []) == expected[-1:], why
    assert pks(query[3:7].all()) == expected[3:7], why
    assert query[3:7].count() == len(expected[3:7]), why
    assert pks(query.iterator(4)) == expected, why
    _compare_pages(query, expected, why)


def _compare_pages(query, expected, why):
    page = query.page(2, size=3, totalUpTo='all')
    assert (pks(page), page.total) == (expected[3:6], len(expected)), why
    found, page = [], query.page(size=4)
    while True:
        found += pks(page)
        assert bool(page.next) == (len(found) < len(expected)), why
        if not page.next:
            break
        by_object = query.page(after=page.objects[-1], size=4)
        page = query.page(after=page.next, size=4)
        assert pks(by_object) == pks(page), why
    assert found == expected, why


@pytest.mark.histories
@pytest.mark.parametrize('way', ['gathered', 'walked', 'in short steps'])
def test_random_orders(song, full, way, monkeypatch):
    """Each data set is asked many queries, by each way that a large one would take."""
    if way != 'gathered':
        monkeypatch.setattr(plan, 'SMALL_SET', -1)
    if way == 'in short steps':
        monkeypatch.setattr(plan, 'WALK_US', 4)
        monkeypatch.setattr(plan, 'ROW_VALUES', 10)

    @settings(max_examples=60 if full else 6, deadline=None, suppress_health_check=[*HealthCheck])
    @given(rows(), st.lists(st.tuples(filters(), orders()), min_size=8, max_size=8))
    def compare(data, asked):
        song.reset([song(**row, _id=pk) for pk, row in enumerate(data, 1)])
        for (condition, holds), order in asked:
            compare_all(song, data, condition, holds, order)

    compare()
