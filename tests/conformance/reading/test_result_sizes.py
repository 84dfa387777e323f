"""Results of every size. The rule: how rows travel (one trip, many, a script, set commands) is
never seen in what arrives."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField, IRQueryableList, irNull
from IndexedRedis._core.queries.sources import one

# About the limits of _core/read.py: rows in one trip, chunks, members a script looks at.
SIZES = [0, 1, 99, 100, 101, 200, 201, 224, 225, 480, 481, 2001]


@pytest.fixture
def numbers(make_model):
    """A model of numbers 1 to n, n its pk; a third of them has each remainder."""
    fields = [IRField('n', valueType=int), IRField('third', valueType=int), IRField('same')]
    model = make_model([*fields, IRField('list', valueType=list)], indexed=['n', 'third', 'same'])

    def fill(size):
        model.saver.save([model(n=n, third=n % 3, same='x', list=[n]) for n in range(1, size + 1)])
        return model

    return fill


@pytest.mark.large
@pytest.mark.parametrize('size', SIZES)
def test_all_of_a_model(numbers, size):
    model = numbers(size)
    expected = list(range(1, size + 1))
    found = model.objects.all()
    assert type(found) is IRQueryableList
    assert found.getModel() is model
    assert sorted(obj.n for obj in found) == expected
    assert all(obj._id == obj.n and obj.list == [obj.n] for obj in found)
    assert [obj.n for obj in model.objects.allByAge()] == expected


@pytest.mark.parametrize('size', [0, 1, 101, 224, 2001])
def test_what_filters_leave(numbers, size):
    model = numbers(size)
    everything = set(range(1, size + 1))
    thirds = {n for n in everything if n % 3 == 0}
    for filters, expected in (
        ({'same': 'x'}, everything),
        ({'same': 'x', 'third': 0}, thirds),
        ({'third__ne': 0}, everything - thirds),
        ({'same': 'x', 'third__ne': 0}, everything - thirds),
        ({'same': 'x', 'third__ne': 0, 'n__ne': 1}, everything - thirds - {1}),
        ({'same__ne': 'x'}, set()),
        ({'n': 1}, everything & {1}),
    ):
        query = model.objects.filter(**filters)
        assert query.count() == len(expected)
        assert {obj.n for obj in query.all()} == expected
        assert [obj._id for obj in query.allByAge()] == sorted(expected)
        assert getattr(query.first(), 'n', 0) == min(expected, default=0)
        assert getattr(query.last(), 'n', 0) == max(expected, default=0)
        assert getattr(query.random(), 'n', 0) in (expected or {0})


@pytest.mark.parametrize('gone', [1, 64, 65, 128, 300])
def test_the_first_of_many_where_the_lowest_pks_are_gone(numbers, gone):
    model = numbers(900)
    model.deleter.deleteMultipleByPks(range(1, gone + 1))
    for filters, third in (({}, None), ({'same': 'x'}, None), ({'third': 2, 'same': 'x'}, 2)):
        left = (n for n in range(gone + 1, 901) if third in (None, n % 3))
        assert model.objects.filter(**filters).first().n == next(left)


@pytest.mark.parametrize('size', [1, 101, 224, 2001])
def test_partial_objects(numbers, size):
    model = numbers(size)
    for query in (model.objects, model.objects.filter(third__ne=5, same='x')):
        found = query.allOnlyFields(['list'])
        assert sorted(obj._id for obj in found) == list(range(1, size + 1))
        assert all((obj.list, obj.n, obj.same) == ([obj._id], irNull, irNull) for obj in found)


@pytest.mark.parametrize('size', [0, 1, 250, 251, 2001])
def test_deleting(numbers, size):
    model = numbers(size)
    thirds = size // 3
    assert model.objects.filter(third=0).delete() == thirds
    assert model.objects.count() == size - thirds
    assert model.objects.delete() == size - thirds
    assert model.objects.all() == []


@pytest.mark.parametrize('size', [0, 1, 255, 256, 257, 600])
def test_many_by_their_pks(numbers, size):
    model = numbers(size)
    pks = list(range(size + 1, 0, -1))
    found = model.objects.getMultiple(pks)
    assert [getattr(obj, 'n', None) for obj in found] == [None, *range(size, 0, -1)]
    assert model.deleter.deleteMultipleByPks(pks) == size


@pytest.mark.large
def test_more_than_a_script_looks_at(numbers):
    model = numbers(5001)
    thirds = range(3, 5002, 3)
    for query, expected in (
        (model.objects, range(1, 5002)),
        (model.objects.filter(same='x'), range(1, 5002)),
        (model.objects.filter(same='x', n__ne=5001), range(1, 5001)),
        (model.objects.filter(same__ne='y', third=0), thirds),
    ):
        assert query.count() == len(expected)
        assert (query.first().n, query.last().n) == (expected[0], expected[-1])
        assert query.random().n in expected
        assert [obj.n for obj in query.allByAge()] == list(expected)
    assert model.objects.reindex() == 5001
    assert model.objects.filter(third=0).delete() == len(thirds)
    assert model.deleter.deleteMultiple(model.objects.all()) == 5001 - len(thirds)


@pytest.mark.plain_model
@pytest.mark.damaged
def test_what_is_not_yet_an_object_is_never_picked(numbers, raw, monkeypatch):
    """A reset or a save that is under way has stored rows and listed them by their values."""
    monkeypatch.setattr(one, 'PICK_MEMBERS', 10)
    model = numbers(300)
    base = f'_ir_|{model.KEY_NAME}:'
    for pk in range(301, 900):
        raw.hset(f'{base}data:{pk}', mapping={'n': pk, 'third': pk % 3, 'same': 'x'})
    raw.sadd(f'{base}idx:same:x', *range(301, 900))
    for query in (model.objects, model.objects.filter(same='x')):
        assert (query.first().n, query.last().n) == (1, 300)
        assert all(query.random().n <= 300 for _ in range(20))
