"""Random trees over random data of every indexable kind, against plain Python. The rule: what a
tree finds is what Python's operators say of the values, nulls among them."""

from __future__ import annotations

import datetime
import decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.asking import judged_trees

from IndexedRedis import IRField, Q, irNull
from IndexedRedis.fields import IRDecimalField, IRFixedPointField, IRForeignLinkField

VALUES = {
    'text': ['', 'Abba', 'é:*', 'IRNull', '5'],
    'number': [-1, 0, 5, 2**60],
    'flag': [True, False],
    'when': [datetime.datetime(2015, 5, 12, 12, 0, n) for n in range(3)],
    'day': [datetime.date(2020, 1, n) for n in (1, 2)],
    'hashed': ['a', 'b' * 500],
    'price': [0.25, 1.5],
    'exact': [decimal.Decimal('1.10'), decimal.Decimal('-3')],
    'parent': [1, 2],
}


@pytest.fixture
def thing(make_model):
    parent = make_model(['name'])
    return make_model(
        [
            IRField('text'),
            IRField('number', valueType=int),
            IRField('flag', valueType=bool),
            IRField('when', valueType=datetime.datetime),
            IRField('day', valueType=datetime.date),
            IRField('hashed', hashIndex=True),
            IRFixedPointField('price', decimalPlaces=2),
            IRDecimalField('exact'),
            IRForeignLinkField('parent', parent),
        ],
        indexed=[*VALUES],
    )


def rows():
    columns = {name: st.sampled_from([None, *values]) for name, values in VALUES.items()}
    return st.lists(st.fixed_dictionaries(columns), min_size=2, max_size=12)


def lookups():
    """One lookup: its Q, and what it says of a pk and a row."""
    return st.one_of(
        st.sampled_from([*VALUES]).flatmap(_of_field),
        st.lists(st.integers(1, 14), max_size=5).map(
            lambda pks: (Q(pk__in=pks), lambda pk, row: pk in pks)
        ),
    )


def _of_field(name):
    values = st.sampled_from([None, *VALUES[name]])
    return st.one_of(
        values.map(lambda v: (Q(**{name: v}), lambda pk, row: row[name] == v)),
        values.map(lambda v: (Q(**{f'{name}__ne': v}), lambda pk, row: row[name] != v)),
        st.lists(values, max_size=3).map(
            lambda vs: (Q(**{f'{name}__in': vs}), lambda pk, row: row[name] in vs)
        ),
        st.booleans().map(
            lambda b: (Q(**{f'{name}__isnull': b}), lambda pk, row: (row[name] is None) == b)
        ),
    )


def trees():
    return judged_trees(lookups(), 8)


def test_random_trees(thing, full):
    """Each data set is asked many trees."""

    @settings(
        max_examples=100 if full else 8,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(rows(), st.lists(trees(), min_size=10, max_size=10))
    def compare(data, asked):
        thing.reset([thing(**row, _id=pk) for pk, row in enumerate(data, 1)])
        for condition, holds in asked:
            query = thing.objects.filter(condition)
            expected = [pk for pk, row in enumerate(data, 1) if holds(pk, row)]
            found = {obj._id: obj for obj in query.all()}
            assert sorted(found) == expected, condition
            assert query.getPrimaryKeys(True) == expected, condition
            assert query.count() == len(expected), condition
            assert getattr(query.first(), '_id', None) == next(iter(expected), None), condition
            for pk, obj in found.items():
                assert (obj.text or '') == (data[pk - 1]['text'] or ''), condition

    compare()


def test_null_is_a_value_like_others(thing):
    thing.saver.save([thing(text='x'), thing(text=irNull), thing(text='')])
    assert thing.objects.filter(text__ne='x').getPrimaryKeys(True) == [2, 3]
    assert thing.objects.exclude(text='x').getPrimaryKeys(True) == [2, 3]
    assert thing.objects.filter(text__isnull=True).getPrimaryKeys(True) == [2]
    assert thing.objects.filter(text__in=['', None]).getPrimaryKeys(True) == [2, 3]
