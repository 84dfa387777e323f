"""The same scenarios over threads and over asyncio. The rule: a scenario does not know which.

For asyncio each method of the facade is replaced by one that awaits its twin (``all`` by ``aall``)
in an event loop that belongs to the test.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import redis.asyncio
from house.twins import only_asyncio
from support import linked, servers

import IndexedRedis as IR
from IndexedRedis import IRField
from IndexedRedis._core.flows import Batch, Parts, Stream
from IndexedRedis.executors import conversation
from IndexedRedis.executors.cache import tracking

EXECUTORS = ['sync', 'aio', 'sync, cached', 'aio, cached']


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out answers that are remembered where the server is too old for it, or where models
    have partitions."""
    config.hook.pytest_deselected(items=[item for item in items if _is_left_out(item)])
    items[:] = [item for item in items if not _is_left_out(item)]


def _is_left_out(item: Any) -> bool:
    params = item.callspec.params if hasattr(item, 'callspec') else {}
    executor, kind = params.get('bring_client'), params.get('server')
    parted = servers.PARTED in (kind or '')  # whose answers are not remembered
    return executor in EXECUTORS[2:] and (kind == 'none' or parted or not servers.tells(kind))


def noted(method: Any) -> Any:
    """The method, as a write of this process."""

    def noting(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        finally:
            tracking.note_write()

    return noting


@pytest.fixture(params=EXECUTORS, autouse=True)
def bring_client(
    request: pytest.FixtureRequest, redis_params: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Has every scenario run over each executor, without and with answers that are remembered;
    gives clients that users of it bring."""
    executor, _, cached = request.param.partition(', ')
    monkeypatch.setattr(tracking, 'POLL_SECONDS', 0)  # what others write is seen at once
    if cached:
        monkeypatch.setattr(IR.IndexedRedisModel, 'CLIENT_SIDE_CACHE', 20)
        # What a test writes by redis-py has been told of when it reads by the library.
        for place, name in ((redis.Redis, 'execute_command'), (redis.client.Pipeline, 'execute')):
            monkeypatch.setattr(place, name, noted(getattr(place, name)))
    if executor == 'sync':
        with contextlib.ExitStack() as stack:
            yield lambda **params: stack.enter_context(redis.Redis(**params))
        return
    clients: list[Any] = []

    def bring(**params: Any) -> Any:
        clients.append(redis.asyncio.Redis(**params))
        return clients[-1]

    with only_asyncio(monkeypatch) as loop:
        yield bring
        for client in clients:
            loop.run_until_complete(client.connection_pool.disconnect())


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

    def noting(batches: Iterable[Batch | None]) -> Iterator[Batch | None]:
        trip: list[Any] = []
        sent.append(trip)
        for batch in batches:
            trip += batch.commands if batch else []
            yield batch

    def recording(step: Any, *rest: Any) -> Any:
        if isinstance(step, Batch):
            sent.append(list(step.commands))
        if isinstance(step, Parts):
            sent.append([command for _, batch in step.batches for command in batch.commands])
        if isinstance(step, Stream):
            step = step._replace(batches=noting(step.batches))
        return perform(step, *rest)

    monkeypatch.setattr(conversation, '_perform', recording)
    return sent
