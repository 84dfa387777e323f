"""Every operation on every topology, by threads and by asyncio. The rule: it does there what it
does on one server, or is refused with an error that says what to do; then nothing was written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import redis.asyncio.cluster
import redis.cluster
from house.twins import only_asyncio
from judge.checker import check_model
from support import servers

import IndexedRedis as IR
from clusters import operations
from clusters.operations import MODELS, OF_THREADS, READS, WRITES, Song, songs

TAG = '{matrix}'


class Place(NamedTuple):
    """Where the models are: parameters; the node that holds the keys; a client to use instead."""

    params: dict[str, Any]
    holder: Any
    client: Any = None


def another(cluster):
    return next(each for each in cluster.primaries if each is not cluster.primary_of(TAG))


def by_params(cluster, stack):
    return Place(cluster.params, cluster.primary_of(TAG))


def by_url(cluster, stack):
    return Place({'url': cluster.url}, cluster.primary_of(TAG))


def by_client(cluster, stack):
    host, port = another(cluster).address
    client = stack.enter_context(redis.cluster.RedisCluster(host=host, port=port))
    return Place(cluster.params, cluster.primary_of(TAG), client)


def by_asyncio_client(cluster, stack):
    host, port = another(cluster).address
    client = redis.asyncio.cluster.RedisCluster(host=host, port=port)
    stack.callback(lambda: asyncio.run(client.aclose()))
    return Place(cluster.params, cluster.primary_of(TAG), client)


def by_owner(cluster, stack):
    return Place(cluster.primary_of(TAG).params, cluster.primary_of(TAG))


def by_another_node(cluster, stack):
    return Place(another(cluster).params, cluster.primary_of(TAG))


def by_sentinels(sentinels, stack):
    return Place(sentinels.params, sentinels.primary)


def by_sentinel_url(sentinels, stack):
    hosts = ','.join(f'{host}:{port}' for host, port in sentinels.sentinels)
    return Place({'url': f'sentinel://{hosts}/mymaster'}, sentinels.primary)


def by_replica(sentinels, stack):
    return Place(sentinels.replicas[0].params, sentinels.primary)


CLUSTERS = [by_params, by_url, by_client, by_asyncio_client, by_owner]
SENTINELS = [by_sentinels, by_sentinel_url]


@pytest.fixture(params=['threads', 'asyncio'])
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Has the operations run by threads, or each awaited."""
    with only_asyncio(monkeypatch) if request.param == 'asyncio' else contextlib.nullcontext():
        yield request.param


@pytest.fixture
def at(
    request: pytest.FixtureRequest,
    server: object,
    monkeypatch: pytest.MonkeyPatch,
    executor: str,
) -> Iterator[Callable[[Callable[..., Place]], Place]]:
    """`at(by_params)`: have the models live there; returns the place."""
    with contextlib.ExitStack() as stack:

        def move(topology: Callable[..., Place]) -> Place:
            group = topology.__code__.co_varnames[0]
            place = topology(request.getfixturevalue(group), stack)
            for model in MODELS if place.client is not None else ():
                monkeypatch.setattr(model, '_connection', place.client)
            nowhere = {'port': 1}
            IR.setDefaultRedisConnectionParams(place.params if place.client is None else nowhere)
            monkeypatch.setattr(operations, 'there', place.params)
            return place

        yield move


@pytest.fixture
def writes(server):
    """The operations that write, but for what this server is too old for."""
    able = servers.tells(server.kind)
    return {name: each for name, each in WRITES.items() if able or name != 'client_side_cache'}


def outcomes(listed: dict[str, Callable[[Any], Any]], prepare: Callable[[], Any]) -> dict[str, str]:
    """What comes of each operation: nothing if it does what it should, or its error."""
    found = {}
    for name, operation in listed.items():
        prepare()
        try:
            operation(Song.objects)
            found[name] = ''
        except Exception as error:
            found[name] = f'{type(error).__name__}: {error}'
    return found


def refill(holder: Any) -> None:
    """Store the three songs anew."""
    holder.call('FLUSHALL')
    Song.saver.save(songs())


def failed(found: dict[str, str]) -> dict[str, str]:
    return {name: error for name, error in found.items() if error}


@pytest.mark.parametrize('topology', [*CLUSTERS, *SENTINELS], ids=lambda each: each.__name__)
def test_all_works(at, topology, executor, writes, figures):
    place = at(topology)
    refill(place.holder)
    assert failed(outcomes(READS, lambda: None)) == {}
    of_executor = OF_THREADS if executor == 'threads' else {}
    every = {**writes, **of_executor}
    assert failed(outcomes(every, lambda: refill(place.holder))) == {}
    figures(topology.__name__, operations=len({**READS, **every}))
    refill(place.holder)
    with place.holder.client() as client:
        for model in MODELS:
            assert check_model(client, model) == []


def keys_of(group: Any) -> list[Any]:
    """All keys, of all nodes."""
    return [key for node in group.nodes for key in node.call('KEYS', '*')]


def test_a_model_in_many_slots_is_refused(at, cluster, writes, monkeypatch):
    for model in MODELS:
        monkeypatch.setattr(model, 'KEY_NAME', model.__name__)
    for topology in CLUSTERS:
        at(topology)
        for error in outcomes({**READS, **writes}, lambda: None).values():
            assert error.startswith('ConnectionSetupError')
            assert 'Nothing was sent' in error
            assert "KEY_NAME = '{" in error
        assert keys_of(cluster) == []


def test_a_node_that_does_not_have_the_keys_refuses(at, cluster, writes):
    at(by_another_node)
    for name, error in outcomes({**READS, **writes}, lambda: None).items():
        assert error.startswith('MovedError'), name
        assert "'cluster': True" in error
    assert keys_of(cluster) == []


def test_a_replica_answers_reads_and_refuses_writes(at, sentinels, writes):
    place = at(by_sentinels)
    refill(place.holder)
    with place.holder.client() as client:
        assert client.wait(2, 5000) == 2 or client.set('mark', 1)
    at(by_replica)
    assert failed(outcomes(READS, lambda: None)) == {}
    refused = {name: each for name, each in writes.items() if name != 'repair'}  # of what is sound
    for name, error in outcomes(refused, lambda: None).items():
        assert error.startswith('ReadOnlyError'), name
