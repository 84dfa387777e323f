"""A long list of new objects whose process dies before it commits. The rule: no order, page or
range shows its objects or counts them, however many they are; `repair()` removes them."""

from __future__ import annotations

import contextlib

import pytest
from support.paging import walked

from IndexedRedis import IRField
from IndexedRedis._core.bulk import steps
from IndexedRedis._core.flows import NoConnection

STORED, LOST = 1200, 1500

pytestmark = pytest.mark.faults


@pytest.fixture
def model(make_model):
    return make_model(
        [IRField('n', valueType=int), 'kind'], ['kind', 'n'], SORTED_FIELDS=['n', 'kind']
    )


@pytest.fixture
def objects(model, raw, monkeypatch):
    """Objects of which each third has one kind, among many of which nothing is committed."""
    model.saver.save([model(n=n // 2, kind='abc'[n % 3]) for n in range(STORED)])

    def commit(owners, also=()):
        raise NoConnection('the process died')
        yield

    with monkeypatch.context() as patched, contextlib.suppress(NoConnection):
        patched.setattr(steps, 'commit', commit)
        model.saver.save([model(n=n, kind='abc'[n % 3]) for n in range(LOST)])
    keys = model.objects._schema.keys
    assert raw.zcard(keys.sorted(b'n')) == STORED + LOST
    yield model.objects
    raw.delete(keys.lock)  # as if it had expired
    model.objects.repair()
    assert raw.zcard(keys.sorted(b'n')) == STORED


ORDERS = [('n',), ('-n',), ('kind',), ('-kind',), ('kind', 'n'), ('-n', 'kind')]
FILTERS = [
    *({}, {'kind': 'a'}, {'kind__ne': 'a'}, {'n__gte': 300}, {'n__lt': 300, 'kind': 'c'}),
    {'n__gte': STORED // 2},  # what is lost alone
]


def test_ranges_and_counts(objects):
    for filters in FILTERS:
        query = objects.filter(**filters)
        pks = {obj._id for obj in objects.all() if _matches(obj, filters)}
        assert {*query.getPrimaryKeys()} == {obj._id for obj in query.all()} == pks, filters
        assert (query.count(), query.exists()) == (len(pks), bool(pks))
        estimate = query.explain().rows
        assert estimate.low <= len(pks) <= estimate.high <= STORED, filters


@pytest.mark.parametrize('order', ORDERS, ids=str)
def test_orders_and_pages(objects, order):
    for filters in FILTERS:
        query = objects.filter(**filters).orderBy(*order)
        whole = query.all()
        expected = [obj._id for obj in whole]
        assert {*expected} == {*objects.filter(**filters).getPrimaryKeys()}, filters
        down, name = order[0].startswith('-'), order[0].lstrip('-')
        values = [getattr(obj, name) for obj in whole]
        assert values == sorted(values, reverse=down), filters
        ends = [None if each is None else each._id for each in (query.first(), query.last())]
        assert ends == ([expected[0], expected[-1]] if expected else [None, None])
        last = max(0, len(expected) - 5)
        for part in slice(0, 20), slice(50, 150), slice(last, last + 25):
            assert [obj._id for obj in query[part].all()] == expected[part], filters
        assert query.page(size=90, totalUpTo=5000).total == len(expected), filters
        assert walked(query, 90) == expected, filters


def _matches(obj, filters):
    tests = {
        'kind': lambda value: obj.kind == value,
        'kind__ne': lambda value: obj.kind != value,
        'n__gte': lambda value: obj.n >= value,
        'n__lt': lambda value: obj.n < value,
    }
    return all(tests[name](value) for name, value in filters.items())
