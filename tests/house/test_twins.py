"""Each method that talks to Redis has an awaitable twin. The rule: both say and take the same."""

from __future__ import annotations

import inspect

import pytest

from house.twins import PLACES, TWINS, is_iterator
from IndexedRedis.managers.manager import IndexedRedisHelper


@pytest.mark.parametrize(('place', 'name'), TWINS, ids=lambda value: str(value))
def test_twins_take_the_same_and_are_described_alike(place, name):
    method, twin = getattr(place, name), getattr(place, 'a' + name)
    assert inspect.signature(method) == inspect.signature(twin)
    assert method.__doc__ == twin.__doc__
    assert len(method.__doc__) > 30
    assert inspect.iscoroutinefunction(inspect.unwrap(twin)) or is_iterator(twin)
    assert not inspect.iscoroutinefunction(method)


@pytest.mark.parametrize('place', PLACES, ids=lambda place: place.__name__)
def test_every_method_that_runs_a_flow_has_a_twin(place):
    members = {name: member for name, member in vars(place).items() if not name.startswith('_')}
    twinned = {name for owner, name in TWINS if owner is place}
    for name, member in members.items():
        function = inspect.unwrap(getattr(member, '__func__', member))
        code = getattr(function, '__code__', None)
        if code and {'_run', 'run'} & set(code.co_names):
            twin = inspect.iscoroutinefunction(function)
            assert twin or name in twinned, f'{place.__name__}.{name} has no awaitable twin'


def test_all_helpers_are_looked_at():
    assert set(IndexedRedisHelper.__subclasses__()) <= {
        base for place in PLACES if inspect.isclass(place) for base in place.__mro__
    }


def test_the_names_of_the_issue():
    names = {name for _, name in TWINS}
    assert names >= {
        *('all', 'allByAge', 'allOnlyFields', 'count', 'first', 'last', 'random', 'get'),
        *('getMultiple', 'exists', 'getPrimaryKeys', 'delete', 'reindex', 'save', 'reload'),
        *('values', 'valuesList', 'iterator', 'inBulk', 'countBy', 'distinctValues', 'update'),
        *('create', 'getOrCreate', 'updateOrCreate'),
        *('cascadeFetch', 'reset', 'resetMany', 'refetch', 'deleteOne', 'destroyModel'),
    }
