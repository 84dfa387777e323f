"""The same facade over every executor. The rule: a scenario does not know which one runs it.

The asyncio executor is driven through a bridge: each call of the facade runs its flow in an event
loop that belongs to the test, over a pool of `redis.asyncio` made of the same parameters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import linked
import pytest
import redis.asyncio

from IndexedRedis import IRField, connections
from IndexedRedis._core.plan import Batch, Stream
from IndexedRedis.executors import conversation
from IndexedRedis.executors.aio import AsyncExecutor
from IndexedRedis.executors.sync import SyncExecutor

PASSED_ON = ('host', 'port', 'db', 'password', 'socket_timeout', 'socket_connect_timeout')


class AsyncBridge:
    """Stands in for `connections.executor_for`, which it asks for checks and parameters."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.pools: dict[Any, Any] = {}

    def executor_for(self, params: Any, client: Any = None, executor_of: Any = None) -> Any:
        known = connections.executor_for(params, client).pool.connection_kwargs
        place = {name: known[name] for name in PASSED_ON if known.get(name) is not None}
        key = tuple(sorted(place.items()))
        if key not in self.pools:
            self.pools[key] = redis.asyncio.BlockingConnectionPool(**place, max_connections=8)
        return _Bridged(
            self, AsyncExecutor(self.pools[key], lambda model: executor_of(model).executor)
        )

    def close(self) -> None:
        for pool in self.pools.values():
            self.loop.run_until_complete(pool.disconnect())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


class _Bridged:
    def __init__(self, bridge: AsyncBridge, executor: AsyncExecutor) -> None:
        self.bridge, self.executor = bridge, executor
        self.pool = executor.pool

    def run(self, flow: Any) -> Any:
        return self.bridge.loop.run_until_complete(self.executor.run(flow))


@pytest.fixture(params=['sync', 'aio'], autouse=True)
def executor(
    request: pytest.FixtureRequest, redis_params: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Has every scenario run over each executor."""
    if request.param == 'sync':
        yield request.param
        return
    bridge = AsyncBridge()
    # What would be sent without the bridge is an error, so that nothing is tested twice instead.
    monkeypatch.delattr(SyncExecutor, 'run')
    monkeypatch.setattr('IndexedRedis.helper.executor_for', bridge.executor_for)
    monkeypatch.setattr('IndexedRedis.model.executor_for', bridge.executor_for)
    yield request.param
    bridge.close()


@pytest.fixture
def song(make_model: Callable[..., Any]) -> Any:
    """A model of text, number and json, indexed by artist, year and (hashed) album."""
    return make_model(
        [
            IRField('title'),
            IRField('artist'),
            IRField('year', valueType=int),
            IRField('album', hashIndex=True),
            IRField('tags', valueType=list),
        ],
        indexed=['artist', 'year', 'album'],
    )


@pytest.fixture
def songs(song: Any) -> Any:
    """Six stored songs; their pks are 1 to 6."""
    rows = [
        ('Waterloo', 'Abba', 1974, 'Waterloo'),
        ('Honey, Honey', 'Abba', 1974, 'Waterloo'),
        ('Fernando', 'Abba', 1976, 'Arrival'),
        ('Hells Bells', 'AC/DC', 1980, 'Back in Black'),
        ('T.N.T.', 'AC/DC', 1976, 'High Voltage'),
        ('Unknown', None, None, None),
    ]
    names = ('title', 'artist', 'year', 'album')
    song.saver.save([song(**dict(zip(names, row, strict=True)), tags=[row[0]]) for row in rows])
    return song


@pytest.fixture
def authors(watch_models: Callable[..., None], redis_params: Any) -> Any:
    """The model `Author`; with `books` two models that link to each other."""
    watch_models(linked.Author)
    return linked.Author


@pytest.fixture
def books(authors: Any, watch_models: Callable[..., None]) -> Any:
    """The model `Book`, which links to `Author` and to itself."""
    watch_models(linked.Book)
    return linked.Book


@pytest.fixture
def shelf(authors: Any, books: Any) -> Any:
    """Three stored books: 1 and 2 by Ann (1), 3 by Bob (2) and similar to 2, then 1."""
    ann, bob = authors(name='Ann', born=1950), authors(name='Bob')
    authors.saver.save([ann, bob])
    books.saver.save([books(title='one', author=ann), books(title='two', author=1)])
    books(title='three', author=bob, similar=[2, 1]).save()
    return books


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """The commands of each batch that was sent to a server since the test cleared the list."""
    sent: list[list[Any]] = []
    perform = conversation._perform

    def recording(step: Any) -> Any:
        if isinstance(step, Batch):
            sent.append(list(step.commands))
        if isinstance(step, Stream):
            batches = list(step.batches)
            sent.append([command for batch in batches for command in batch.commands])
            step = step._replace(batches=batches)
        return perform(step)

    monkeypatch.setattr(conversation, '_perform', recording)
    return sent
