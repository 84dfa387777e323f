"""Blocking methods inside an event loop. The rule: a line is warned about once, with what to write
instead; and nobody is warned who blocks on purpose, or blocks nobody."""

from __future__ import annotations

import asyncio
import sys
import types
import warnings

import pytest

import IndexedRedis as IR
from IndexedRedis import IRField


@pytest.fixture
def song(make_model):
    return make_model(['title', IRField('year', valueType=int)], indexed=['title'])


def warned(run, *calls):
    """What is said about each call, in a running event loop."""

    async def main():
        said = []
        for call in calls:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter('always')
                call()
            said.append([str(each.message) for each in caught])
            assert {each.filename for each in caught} <= {__file__}
            assert {each.category for each in caught} <= {IR.BlockingCallWarning}
        return said

    return run(main())


TEXT = '{}() blocks the running event loop, and so all of its tasks. Await its twin a{}() instead.'


def test_each_line_once_with_the_twin(song, run):
    calls = {
        'save': lambda: song(title='x').save(),
        'get': lambda: song.objects.get(1),
        'all': lambda: song.objects.filter(title='x').all(),
        'count': lambda: song.objects.count(),
        'reset': lambda: song.reset([song(title='y')]),
        'deleteByPk': lambda: song.deleter.deleteByPk(77),
    }
    expected = [[TEXT.format(name, name)] for name in calls]
    assert warned(run, *calls.values()) == expected
    assert warned(run, *calls.values()) == [[] for _ in calls], 'each line once'


def test_a_mirror_belongs_in_a_thread(song, run, tmp_path):
    mirror = pytest.importorskip('IndexedRedis.mirror', reason='the extra sql is missing').Mirror
    made = mirror(f'sqlite:///{tmp_path}/x', {song: "SELECT 'x' AS title, 1 AS year"})
    (said,) = warned(run, made.run)
    assert len(said) == 1 and 'await asyncio.to_thread(...)' in said[0]


def test_no_loop_no_warning(song, run):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        song(title='x').save()

        async def main():
            await song(title='x').asave()
            return await asyncio.to_thread(song.objects.count)

        assert run(main()) == 2


def patched(name, **parts):
    module = types.ModuleType(name)
    vars(module).update(parts)
    return module


@pytest.mark.parametrize(
    'module',
    [
        patched('ipykernel'),
        patched('gevent.monkey', is_module_patched='socket'.__eq__),
        patched('eventlet.patcher', is_monkey_patched='socket'.__eq__),
    ],
    ids=lambda module: module.__name__,
)
def test_where_blocking_is_right(song, run, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert warned(run, lambda: song.objects.count()) == [[]]


def test_a_filter_can_make_it_an_error(song, run):
    async def main():
        with warnings.catch_warnings():
            warnings.simplefilter('error', IR.BlockingCallWarning)
            for _ in range(2):  # of the same line
                with pytest.raises(IR.BlockingCallWarning, match=r'Await its twin acount\(\)'):
                    song.objects.count()

    run(main())
