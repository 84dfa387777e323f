"""asyncio as its users meet it. The rule: a test leaves no task and no connection behind.

A test hands its coroutine to `run`, which closes the library's connections, as programs do, and
then looks for what is left. All clients of a test are called `CLIENT`, so the server knows them.
"""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import redis

import IndexedRedis as IR
from IndexedRedis import IRField
from IndexedRedis.connections import tasks
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField

CLIENT = 'test-aio'
NOTICED = 10  # seconds within which a server notices that a connection was closed


async def closing(work: Coroutine[Any, Any, Any]) -> Any:
    """Await, then close the connections of this loop; nothing else may be going on."""
    try:
        result = await work
    finally:
        await IR.aclose()
    left = [task.get_coro() for task in asyncio.all_tasks() - {asyncio.current_task()}]
    assert left == []  # tasks that nobody awaited
    return result


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """`run(main())`: as `asyncio.run`, closing the library's connections at the end."""
    return lambda work: asyncio.run(closing(work))


def clients_of(raw: redis.Redis, name: str = CLIENT) -> list[str]:
    """The ids of the connections of this name that the server has."""
    return [client['id'] for client in raw.client_list() if client['name'] == name]


def left_over(raw: redis.Redis) -> list[str]:
    """Our connections that the server still has; it notices in its own time."""
    end = time.monotonic() + NOTICED
    while clients_of(raw) and time.monotonic() < end:
        time.sleep(0.01)
    return clients_of(raw)


@pytest.fixture(autouse=True, scope='module')
def little_to_collect() -> None:
    """Take what other files left out of garbage collection, which each test here ends with."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_is_left(redis_params: dict[str, Any], raw: redis.Redis) -> Iterator[None]:
    """Names all clients, and looks for connections, pools and warnings when the test is over."""
    IR.setDefaultRedisConnectionParams({**redis_params, 'client_name': CLIENT})
    yield
    IR.clearRedisPools()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always', ResourceWarning)
        gc.collect()
    assert [str(each.message) for each in caught] == []
    assert [pools for pools in tasks._pools.values() if pools] == []
    assert left_over(raw) == []


@pytest.fixture
def song(make_model: Callable[..., Any]) -> Any:
    """A model of text and a number, indexed by artist and year."""
    fields = [IRField('title'), IRField('artist'), IRField('year', valueType=int)]
    return make_model(fields, indexed=['artist', 'year'])


@pytest.fixture
def songs(song: Any) -> Any:
    """The model with six stored songs, of the pks 1 to 6 and the artists a and b in turn."""
    song.saver.save([song(title=f't{n}', artist='ab'[n % 2], year=1970 + n) for n in range(6)])
    IR.clearRedisPools()  # which leaves the connections of asyncio, to be counted
    return song


@pytest.fixture
def artist(make_model: Callable[..., Any]) -> Any:
    """A model that albums link to."""
    return make_model([IRField('name')], indexed=['name'])


@pytest.fixture
def album(make_model: Callable[..., Any], artist: Any) -> Any:
    """A model with a single and a multi link, and an index of each."""
    fields = [
        IRField('title'),
        IRForeignLinkField('artist', artist),
        IRForeignMultiLinkField('guests', artist),
    ]
    return make_model(fields, indexed=['title', 'artist', 'guests'])


@pytest.fixture
def albums(album: Any, artist: Any) -> Any:
    """Two stored albums: 1 by artist 1 with guests 2 and 3, 2 by artist 1 with no guest."""
    artist.saver.save([artist(name=name) for name in ('Ann', 'Bob', 'Cy')])
    album.saver.save([album(title='one', artist=1, guests=[2, 3]), album(title='two', artist=1)])
    IR.clearRedisPools()
    return album
