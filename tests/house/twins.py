"""The methods of the facade that have an awaitable twin, found by their names."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import IndexedRedis as IR
from IndexedRedis.executors.sync import SyncExecutor
from IndexedRedis.managers import resets
from IndexedRedis.models import stored

PLACES: tuple[Any, ...] = (
    IR.IndexedRedisQuery,
    IR.IndexedRedisSave,
    IR.IndexedRedisDelete,
    IR.IRQueryableList,
    stored.Stored,
    resets,
    IR,
)

# What is loaded when it is asked for.
for name in IR.__all__:
    getattr(IR, name)

# Place and name of each method that has a twin.
TWINS = [
    (place, name)
    for place in PLACES
    for name in dir(place)
    if not name.startswith('_') and callable(getattr(place, f'a{name}', None))
]


@contextlib.contextmanager
def over_asyncio(monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.AbstractEventLoop]:
    """Replace each of these methods by one that awaits its twin; give the event loop."""
    loop = asyncio.new_event_loop()
    for place, name in TWINS:
        monkeypatch.setattr(place, name, _awaiting(inspect.getattr_static(place, f'a{name}'), loop))
    yield loop
    loop.run_until_complete(IR.aclose())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@contextlib.contextmanager
def only_asyncio(monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.AbstractEventLoop]:
    """Do what :func:`over_asyncio` does; what would block is an error, so that nothing is tested
    twice instead."""
    monkeypatch.delattr(SyncExecutor, 'run')
    with over_asyncio(monkeypatch) as loop:
        yield loop


def _awaiting(twin: Any, loop: asyncio.AbstractEventLoop) -> Any:
    """A function that awaits a twin, bound as the twin is."""

    def method(*args: Any, **kwargs: Any) -> Any:
        outcome = function(*args, **kwargs)
        return _each(outcome, loop) if is_iterator(twin) else loop.run_until_complete(outcome)

    function = getattr(twin, '__func__', twin)
    return classmethod(method) if isinstance(twin, classmethod) else method


def is_iterator(twin: Any) -> bool:
    """Whether a twin returns what `async for` takes, and is not awaited itself."""
    return getattr(twin, '__name__', '') == 'aiterator'


def _each(source: Any, loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """Step through an asynchronous iterator."""
    while True:
        try:
            item = loop.run_until_complete(anext(source))
        except StopAsyncIteration:
            return
        yield item
