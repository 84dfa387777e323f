"""Servers that fail, seen from a loop. The rule: errors of redis-py pass through as they are, what
the server forgot or closed is made anew, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import pytest
import redis
from support.keyspace import dump
from support.servers import free_port

import IndexedRedis as IR
from IndexedRedis.executors import exchange

CALLS = {
    'asave': lambda song: song(title='x').asave(),
    'bulk asave': lambda song: song.saver.asave([song(), song()]),
    'aget': lambda song: song.objects.aget(1),
    'aall': lambda song: song.objects.aall(),
    'adelete': lambda song: song.objects.adelete(),
    'areset': lambda song: song.areset([song()]),
    'adestroyModel': lambda song: song.deleter.adestroyModel(),
}


@pytest.fixture
def soon(monkeypatch):
    """Has the library give up a server that is down after 0.2 s instead of 1 s."""
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', 0.2)


@pytest.mark.usefixtures('soon')
@pytest.mark.parametrize('call', ['asave', 'aall', 'areset'])
def test_a_server_that_is_down(song, run, call):
    alt = song.connectAlt({'port': free_port(), 'max_connections': 2})

    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        began = time.monotonic()
        # More of them than connections: each failure has to give its connection back.
        work = (CALLS[call](alt) for _ in range(6))
        outcomes = await asyncio.gather(*work, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [redis.ConnectionError] * 6
        assert time.monotonic() - began < 15  # it does not wait for ever
        assert ticks > 2  # others went on meanwhile
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking

    run(main())


@pytest.mark.usefixtures('soon')
def test_an_object_that_met_a_server_that_is_down_can_be_saved_later(song, run):
    alt = song.connectAlt({'port': free_port()})

    async def main():
        obj = alt(title='x')
        with pytest.raises(redis.ConnectionError):
            await obj.asave()
        assert obj.getPk() is None
        assert obj.hasUnsavedChanges()
        alt.REDIS_CONNECTION_PARAMS = {}
        assert await obj.asave() == [1]
        assert (await song.objects.aget(1)).title == 'x'

    run(main())


@pytest.mark.parametrize('password', ['wrong', None])
def test_a_wrong_password(song, new_server, run, password):
    server = new_server(requirepass='right')
    given = {name: value for name, value in server.params.items() if name != 'password'}
    alt = song.connectAlt({**given, 'password': password, 'max_connections': 1})
    right = song.connectAlt({**given, 'password': 'right'})

    async def main():
        for call in CALLS.values():
            with pytest.raises(
                (redis.AuthenticationError, redis.ResponseError), match=r'(?i)auth|pass'
            ):
                await call(alt)
        with contextlib.closing(server.client()) as client:
            assert dump(client) == {}
        assert await right(title='x').asave() == [1]

    run(main())


@pytest.mark.faults
def test_a_frozen_server_is_waited_for_as_long_as_socket_timeout_says(song, new_server, run):
    server = new_server()
    alt = song.connectAlt({**server.params, 'socket_timeout': 0.7, 'max_connections': 1})

    async def main():
        obj = alt(title='x', artist='a')
        await alt(title='first').asave()
        server.freeze()
        for work in (lambda: alt.objects.aall(), obj.asave):
            with pytest.raises(redis.TimeoutError):
                await work()
        server.resume()
        assert await obj.asave() == [obj._id]
        assert await alt.objects.filter(artist='a').agetPrimaryKeys() == [obj._id]
        assert await alt.objects.acount() == 2

    run(main())


def test_waiting_for_a_frozen_server_can_be_given_up(song, new_server, run):
    server = new_server()
    alt = song.connectAlt({**server.params, 'max_connections': 1})

    async def main():
        await alt(title='first').asave()
        server.freeze()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(alt.objects.aall(), 0.1)
        obj = alt(title='x', artist='a')
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(obj.asave(), 0.1)
        server.resume()
        assert await obj.asave() == [obj._id]
        assert await alt.objects.filter(artist='a').agetPrimaryKeys() == [obj._id]

    run(main())


def test_nobody_waits_for_ever_for_a_connection(song, new_server, run, monkeypatch):
    monkeypatch.setattr('IndexedRedis.connections.POOL_TIMEOUT', 0.1)
    server = new_server()
    alt = song.connectAlt({**server.params, 'max_connections': 1})

    async def main():
        await alt(title='x').asave()
        server.freeze()
        holder = asyncio.create_task(alt.objects.acount())
        await asyncio.sleep(0)
        with pytest.raises(redis.ConnectionError, match='No connection available'):
            await alt.objects.acount()
        server.resume()
        assert await holder == await alt.objects.acount() == 1

    run(main())


@pytest.mark.parametrize('form', ['parameter', 'url'])
def test_a_unix_socket_will_do(song, new_server, run, form):
    server = new_server(unixsocket='redis.sock')
    path = str(Path(server.dir, 'redis.sock'))
    params = {'parameter': {'unix_socket_path': path}, 'url': {'url': f'unix://{path}'}}[form]
    alt = song.connectAlt(params)

    async def main():
        assert await alt(title='x').asave() == [1]
        assert (await alt.objects.aget(1)).title == 'x'
        IR.setDefaultRedisConnectionParams({'unix_socket_path': path})
        assert await song.objects.acount() == 1
        elsewhere = song.connectAlt({'host': server.host, 'port': server.port, 'db': 1})
        assert await elsewhere.objects.acount() == 0

    run(main())


def test_scripts_that_the_server_forgot_are_loaded_again(song, raw, run):
    async def main():
        await song.saver.asave([song(title=str(n), artist='x') for n in range(300)])
        for call in (
            lambda: song(title='y').asave(),
            lambda: song.objects.aall(),
            lambda: song.objects.arandom(),
            lambda: song.objects.filter(artist='x', artist__ne='y').acount(),
            lambda: song.saver.asave([song(), song(_id=2), song()]),
            lambda: song.areset([song(title=str(n), artist='x') for n in range(600)]),
            lambda: song.objects.filter(artist='x').adelete(),
        ):
            raw.script_flush()
            await call()
            raw.script_flush()
            await asyncio.gather(*(call() for _ in range(5)))
        assert await song.objects.acount() == 0

    run(main())


@pytest.mark.parametrize('how', ['restart', 'kill'])
def test_a_server_that_was_restarted_is_found_again(song, new_server, run, how):
    server = new_server()
    alt = song.connectAlt(server.params)

    async def main():
        await asyncio.gather(*(alt(title='before', artist='x').asave() for _ in range(5)))
        await asyncio.to_thread(getattr(server, how))
        if how == 'kill':
            await asyncio.to_thread(server.start)
        assert await asyncio.gather(*(alt.objects.aall() for _ in range(5))) == [[]] * 5
        assert await alt(title='after', artist='x').asave() == [1]
        assert [obj.title for obj in await alt.objects.filter(artist='x').aall()] == ['after']
        assert await alt.areset([alt(title='reset')]) == [2]

    run(main())


def test_a_server_that_comes_back_within_a_second_is_waited_for(song, new_server, run):
    server = new_server()
    alt = song.connectAlt(server.params)

    async def main():
        await alt(title='before').asave()
        await asyncio.to_thread(server.kill)
        # Started before anybody asks: how long that takes is not ours to say.
        starting = asyncio.create_task(asyncio.to_thread(server.start))
        while True:
            try:
                pks = await alt(title='after').asave()
                break
            except redis.ConnectionError:
                assert not starting.done()
        await starting
        assert await alt.objects.agetPrimaryKeys() == pks == [1]

    run(main())


@pytest.mark.parametrize('call', ['asave', 'bulk asave', 'aall', 'areset'])
def test_connections_that_the_server_closed_are_replaced(song, raw, run, call, check):
    async def main():
        await asyncio.gather(*(song(title='t', artist='x').asave() for _ in range(8)))
        me = str(raw.client_id())
        others = [client['id'] for client in raw.client_list(_type='normal') if client['id'] != me]
        assert others
        for client in others:
            raw.execute_command('CLIENT', 'KILL', 'ID', client)
        await CALLS[call](song)
        left = {'asave': 9, 'bulk asave': 10, 'aall': 8, 'areset': 1}[call]
        assert await song.objects.acount() == left
        await asyncio.to_thread(check, song)

    run(main())
