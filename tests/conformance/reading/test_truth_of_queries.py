"""A query holds no results: its truth value takes one cheap trip, and it has no length."""

from __future__ import annotations

import asyncio

import pytest

from IndexedRedis.testing import recordTrips


@pytest.fixture
def model(make_model):
    model = make_model(['v', 'w'], ['v', 'w'], CLIENT_SIDE_CACHE=0)
    model.reset([model(v='x', w=str(n)) for n in range(3)])
    return model


QUERIES = {
    'none': ({}, True),
    'one': ({'v': 'x'}, True),
    'one that matches nothing': ({'v': 'y'}, False),
    'two': ({'v': 'x', 'w': '1'}, True),
    'two that never meet': ({'w': '2', 'w__ne': '2'}, False),
    'not': ({'v__ne': 'x'}, False),
    'another': ({'v__ne': 'y'}, True),
}


@pytest.mark.parametrize('name', QUERIES)
def test_a_query_is_true_if_an_object_matches(model, name):
    filters, truth = QUERIES[name]
    query = model.objects.filter(**filters)
    assert bool(query) is query.exists() is truth
    with recordTrips() as trips:
        assert bool(query) is truth
    assert len(trips) == 1


def test_an_empty_model_is_false(model):
    model.objects.delete()
    assert not model.objects
    assert not model.objects.exists()


def test_large_sets_that_hardly_meet(make_model):
    """Random tries find no match; the members of both sets are too many for the script."""
    model = make_model(['v', 'w'], ['v', 'w'])
    rows = [('x', 'a')] * 5100 + [('y', 'b')] * 5100
    model.reset([model(v=v, w=w) for v, w in rows])
    query = model.objects.filter(v='x', w='b')
    assert not query
    model(v='x', w='b').save()
    assert query


@pytest.mark.plain_model
def test_objects_that_are_gone_do_not_count(model, raw):
    """6.0.3 could leave them in an index set."""
    raw.sadd(f'_ir_|{model.KEY_NAME}:idx:v:gone', 77)
    assert not model.objects.filter(v='gone')
    raw.delete(f'_ir_|{model.KEY_NAME}:idx:v:gone')


def test_a_query_has_no_length_and_list_does_not_mind(model):
    with pytest.raises(TypeError, match=r'count\(\).*acount\(\)'):
        len(model.objects)
    with recordTrips() as trips:
        assert len(list(model.objects)) == 3
    assert len(trips) == 1
    assert list(model.objects.filter(v='y')) == []


def test_in_an_event_loop_it_would_block(model):
    async def ask():
        with pytest.raises(TypeError, match=r'aexists\(\).*acount\(\)'):
            bool(model.objects)
        with pytest.raises(TypeError, match='acount'):
            len(model.objects)

    asyncio.run(ask())
