"""Parameters and clients. The rule: as for threads; what cannot serve a loop, or only that, is
refused before anything is sent."""

from __future__ import annotations

import contextlib

import pytest
import redis
import redis.asyncio
from support.keyspace import dump

import IndexedRedis as IR
from aio.conftest import CLIENT, clients_of
from IndexedRedis import ConnectionSetupError, IndexedRedisModel, IRField
from IndexedRedis.managers.manager import async_executor_of


@contextlib.asynccontextmanager
async def client_of(params, **more):
    """A client that a user brings and closes."""
    client = redis.asyncio.Redis(**{'client_name': CLIENT, **params, **more})
    try:
        yield client
    finally:
        await client.connection_pool.disconnect()


def test_a_model_inherits_each_parameter_that_it_does_not_set(song, redis_params, raw, run):
    IR.setDefaultRedisConnectionParams({**redis_params, 'db': 3, 'client_name': 'mine'})
    song.REDIS_CONNECTION_PARAMS = {'db': 1}

    async def main():
        await song(title='x').asave()
        kwargs = async_executor_of(song).pool.connection_kwargs
        assert (kwargs['db'], kwargs['client_name']) == (1, 'mine')
        assert [c['db'] for c in raw.client_list() if c['name'] == 'mine'] == ['1']

    run(main())
    with contextlib.closing(redis.Redis(**{**redis_params, 'db': 1})) as client:
        assert client.scard(f'_ir_|{song.KEY_NAME}:keys') == 1


def test_dicts_of_users_are_never_written_to(song, redis_params, run):
    own, asked = {'db': 1}, {'db': 2}
    defaults = IR.getDefaultRedisConnectionParams()
    song.REDIS_CONNECTION_PARAMS = own

    async def main():
        await song(title='x').asave()
        assert await song.connectAlt(asked).objects.aall() == []
        assert await (await song.objects.aget(1)).asaveToExternal(asked) == [1]

    run(main())
    assert (own, asked) == ({'db': 1}, {'db': 2})
    assert IR.getDefaultRedisConnectionParams() == defaults


@pytest.mark.parametrize('url', ['redis://{host}:{port}/1', 'redis://{host}:{port}?db=1'])
def test_a_url_will_do(song, redis_params, run, url):
    alt = song.connectAlt({'url': url.format(**redis_params)})
    over = song.connectAlt({'url': url.format(**redis_params), 'db': 2})

    async def main():
        await alt(title='x').asave()
        assert await over.objects.acount() == await song.objects.acount() == 0

    run(main())
    with contextlib.closing(redis.Redis(**{**redis_params, 'db': 1})) as client:
        assert client.scard(f'_ir_|{song.KEY_NAME}:keys') == 1


@pytest.mark.parametrize('url', ['http://localhost', 'localhost:6379', 'redis://localhost:port'])
def test_a_url_that_is_none_is_refused(song, run, url):
    async def main():
        with pytest.raises(ConnectionSetupError, match='URL'):
            await song.connectAlt({'url': url}).objects.aall()

    run(main())


def test_a_retry_given_for_threads_serves_both(song, run):
    """It cannot be awaited, so the loop has one of its own."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    song.REDIS_CONNECTION_PARAMS = {'retry': Retry(NoBackoff(), 1)}
    song(title='x').save()

    async def main():
        assert await song.objects.acount() == 1

    run(main())


def test_a_parameter_that_redis_py_does_not_know(song, run):
    song.REDIS_CONNECTION_PARAMS = {'hots': 'localhost'}

    async def main():
        with pytest.raises(ConnectionSetupError, match=r'does not take these parameters.*hots'):
            await song(title='x').asave()

    run(main())


def test_an_own_connection_of_the_class(song, redis_params, raw, run):
    async def main():
        async with client_of(redis_params, db=1) as client:
            song._connection = client
            obj = song(title='x', artist='a')
            assert await obj.asave() == [1]
            assert await song.objects.filter(artist='a').acount() == 1
            assert await song.areset([song(title='y'), obj]) == [2, 1]
            assert await obj.areload() == {}
            assert await obj.adelete() == 1
            assert raw.keys() == []
            there = song.connectAlt({'db': 0})
            await there(title='there').asave()
            assert (await song.objects.acount(), await there.objects.acount()) == (1, 1)
            await IR.aclose()
            assert len(clients_of(raw)) >= 1  # that of the user is left alone
            await song.deleter.adestroyModel()
            song._connection = None
            assert await song.objects.acount() == 1

    run(main())


def test_an_own_connection_of_the_object(redis_params, raw, watch_models, run):
    async def main():
        async with client_of(redis_params, db=1) as client:

            class Placed(IndexedRedisModel):
                FIELDS = [IRField('title')]
                KEY_NAME = 'Placed'

                def __init__(self, *args, **kwargs):
                    super().__init__(*args, **kwargs)
                    self._connection = client

            watch_models(Placed)
            obj = Placed(title='x')
            assert await obj.asave() == [1]
            assert raw.keys() == []
            assert await client.hget('_ir_|Placed:data:1', 'title') == b'x'
            obj.title = 'y'
            await obj.asave()
            assert await obj.objects.acount() == 1
            assert await obj.areload() == {}
            assert (await obj.objects.aget(1)).title == 'y'
            assert await obj.adelete() == 1
            assert await Placed.objects.acount() == 0

    run(main())


def test_a_pool_of_the_user(album, artist, redis_params, raw, run):
    """For models with links as well, and for all that asks where an object lives."""

    async def main():
        async with client_of(redis_params, db=1) as client:
            for model in (album, artist):
                model.REDIS_CONNECTION_PARAMS = {'connection_pool': client.connection_pool}
            obj = album(title='x', artist=artist(name='Ann'), guests=[artist(name='Bob')])
            assert await obj.asave() == [1]
            assert raw.keys() == []
            found = await album.objects.aget(1, cascadeFetch=True)
            assert (found.artist.name, found.guests[0].name) == ('Ann', 'Bob')
            assert await album.areset([album(title='y', artist=obj.artist)]) == [2]
            groups = {artist: [artist(name='C')], album: [album(title='z')]}
            assert await IR.aresetMany(groups) == [[3], [3]]
            for model in (album, artist):
                await model.deleter.adestroyModel()

    run(main())
    assert raw.keys() == []


BLOCKING = (
    r'(?s)blocks, so it cannot serve an event loop.*redis\.asyncio\.Redis.*without the prefix'
)
AWAITED = r'(?s)serves only the methods with the prefix a.*redis\.Redis'

AWAITABLE = {
    'asave': lambda model: model(title='x').asave(),
    'bulk asave': lambda model: model.saver.asave([model(), model()]),
    'aget': lambda model: model.objects.aget(1),
    'aall': lambda model: model.objects.aall(),
    'adelete': lambda model: model.objects.adelete(),
    'areset': lambda model: model.areset([model()]),
    'aresetMany': lambda model: IR.aresetMany({model: [model()]}),
    'adestroyModel': lambda model: model.deleter.adestroyModel(),
}


@pytest.mark.parametrize('what', AWAITABLE)
def test_a_client_of_threads_is_refused_at_once(song, redis_params, raw, run, what):
    async def main():
        with contextlib.closing(redis.Redis(**redis_params)) as client:
            song._connection = client
            with pytest.raises(ConnectionSetupError, match=BLOCKING):
                await AWAITABLE[what](song)
            song._connection = None
            alt = song.connectAlt({'connection_pool': client.connection_pool})
            with pytest.raises(ConnectionSetupError, match=BLOCKING):
                await AWAITABLE[what](alt)
            with pytest.raises(ConnectionSetupError, match=BLOCKING):
                await song(title='x').asaveToExternal(client)
            assert client.connection_pool._available_connections == []

    run(main())
    assert dump(raw) == {}


@pytest.mark.parametrize('what', ['save', 'all', 'reset'])
def test_a_client_of_asyncio_is_refused_by_the_others(song, redis_params, raw, run, what):
    calls = {
        'save': lambda model: model(title='x').save(),
        'all': lambda model: model.objects.all(),
        'reset': lambda model: model.reset([model()]),
    }

    async def main():
        async with client_of(redis_params) as client:
            song._connection = client
            with pytest.raises(ConnectionSetupError, match=AWAITED):
                calls[what](song)
            song._connection = None
            alt = song.connectAlt({'connection_pool': client.connection_pool})
            with pytest.raises(ConnectionSetupError, match=AWAITED):
                calls[what](alt)
            with pytest.raises(ConnectionSetupError, match=AWAITED):
                song(title='x').saveToExternal(client)
            assert clients_of(raw) == []

    run(main())
    assert dump(raw) == {}


def test_links_of_a_model_that_only_a_loop_can_use(albums, artist, redis_params, run):
    """Touching such a link outside of a loop cannot work, and says why."""

    async def main():
        async with client_of(redis_params) as client:
            artist._connection = client
            album = await albums.objects.aget(1, cascadeFetch=True)
            assert album.artist.name == 'Ann'
            return await albums.objects.aget(1)

    album = run(main())
    with pytest.raises(ConnectionSetupError, match=AWAITED):
        album.artist
    artist._connection = None
    assert album.artist.name == 'Ann'


def test_clients_that_decode_responses_are_refused(song, redis_params, raw, run):
    told = 'decode_responses=True cannot be used.*Leave it out'

    async def main():
        async with client_of(redis_params, decode_responses=True) as client:
            song._connection = client
            with pytest.raises(ConnectionSetupError, match=told):
                await song(title='x').asave()
            song._connection = None
            with pytest.raises(ConnectionSetupError, match=told):
                await song(title='x').asaveToExternal(client)
            alt = song.connectAlt({'decode_responses': True})
            with pytest.raises(ConnectionSetupError, match=told):
                await alt.objects.aall()

    run(main())
    assert dump(raw) == {}


@pytest.mark.parametrize('what', ['redis://localhost', 5, object()])
def test_what_is_no_client_is_refused(song, run, what):
    async def main():
        song._connection = what
        with pytest.raises(ConnectionSetupError, match='no redis-py client'):
            await song.objects.aall()
        song._connection = None
        with pytest.raises(ConnectionSetupError, match='no connection pool'):
            await song.connectAlt({'connection_pool': what}).objects.aall()

    run(main())
