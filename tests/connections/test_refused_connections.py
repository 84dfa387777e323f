"""Servers and clients that cannot be used. The rule: redis-py's own errors pass through as they
are, whatever cannot work is refused with the remedy, and nobody waits for ever."""

from __future__ import annotations

import contextlib
import time

import pytest
import redis
import redis.asyncio
from support.keyspace import dump
from support.servers import free_port

from IndexedRedis import ConnectionSetupError, getRedisPool
from IndexedRedis.connections import threads
from IndexedRedis.executors import exchange, sync
from IndexedRedis.executors.pools.threads import connection_of


@pytest.fixture
def song(make_model):
    return make_model(['title'])


CALLS = {
    'save': lambda song: song(title='x').save(),
    'bulk save': lambda song: song.saver.save([song(), song()]),
    'get': lambda song: song.objects.get(1),
    'all': lambda song: song.objects.all(),
    'delete': lambda song: song.objects.delete(),
    'reset': lambda song: song.reset([song()]),
    'destroyModel': lambda song: song.deleter.destroyModel(),
}


@pytest.fixture
def soon(monkeypatch):
    """Has the library give up a server that is down after 0.2 s instead of 1 s."""
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', 0.2)


@pytest.mark.usefixtures('soon')
@pytest.mark.parametrize('call', ['save', 'all', 'reset'])
def test_a_server_that_is_down(song, call):
    alt = song.connectAlt({'port': free_port()})
    began = time.monotonic()
    with pytest.raises(redis.ConnectionError, match=r'[Rr]efused'):
        CALLS[call](alt)
    assert time.monotonic() - began < 10  # it does not wait for ever


@pytest.mark.usefixtures('soon')
def test_an_object_that_met_a_server_that_is_down_can_be_saved_later(song):
    alt = song.connectAlt({'port': free_port()})
    obj = alt(title='x')
    with pytest.raises(redis.ConnectionError):
        obj.save()
    assert obj.getPk() is None
    assert obj.hasUnsavedChanges()
    alt.REDIS_CONNECTION_PARAMS = {}
    assert obj.save() == [1]
    assert song.objects.get(1).title == 'x'


@pytest.mark.parametrize('password', ['wrong', None])
def test_a_wrong_password(song, new_server, password):
    server = new_server(requirepass='right')
    given = {name: value for name, value in server.params.items() if name != 'password'}
    alt = song.connectAlt({**given, 'password': password})
    for call in CALLS.values():
        # A server that was told no password refuses a long first command in words of its own.
        with pytest.raises(
            (redis.AuthenticationError, redis.ResponseError), match=r'(?i)auth|pass'
        ):
            call(alt)
    with contextlib.closing(server.client()) as client:
        assert dump(client) == {}
    right = song.connectAlt({**given, 'password': 'right'})
    assert right(title='x').save() == [1]


@pytest.mark.parametrize('call', ['save', 'all', 'reset'])
def test_a_wrong_password_is_not_tried_again(song, new_server, call):
    server = new_server(requirepass='right')
    alt = song.connectAlt({**server.params, 'password': 'wrong'})
    with contextlib.closing(server.client()) as client:
        before = client.info('stats')['total_connections_received']
        with pytest.raises(redis.AuthenticationError):
            CALLS[call](alt)
        tries = client.info('stats')['total_connections_received'] - before
        assert tries == 1


@pytest.mark.faults
@pytest.mark.parametrize('call', CALLS)
def test_a_frozen_server_is_given_up_after_the_time_limit(song, new_server, call):
    """On a connection that is open, and while one is made."""
    server = new_server()
    patient = song.connectAlt(server.params)
    patient(title='before').save()
    alt = song.connectAlt({**server.params, 'socket_timeout': 0.2, 'socket_connect_timeout': 0.2})
    with contextlib.suppress(redis.TimeoutError):  # on a busy machine
        alt.objects.all()
    server.freeze()
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(redis.TimeoutError):
            CALLS[call](alt)
    assert time.monotonic() - began < 12
    server.resume()
    assert patient(title='after').save()[0] > 1  # what was sent when it was frozen may have worked
    assert 'after' in [obj.title for obj in patient.objects.all()]


def test_a_frozen_server_is_given_up_by_default_too(song, new_server, monkeypatch):
    assert threads.SOCKET_SECONDS == {'socket_timeout': 5, 'socket_connect_timeout': 5}
    for name in threads.SOCKET_SECONDS:
        monkeypatch.setitem(threads.SOCKET_SECONDS, name, 0.5)
    server = new_server()
    alt = song.connectAlt(server.params)
    assert alt.objects.all() == []
    server.freeze()
    began = time.monotonic()
    with pytest.raises(redis.TimeoutError):
        alt.objects.all()
    assert time.monotonic() - began < 5


def test_a_reset_on_a_frozen_server_does_not_wait_again_and_again(song, new_server, monkeypatch):
    server = new_server()
    alt = song.connectAlt({**server.params, 'socket_timeout': 0.2, 'socket_connect_timeout': 0.2})
    opened, open_line = [], sync.Line.open
    monkeypatch.setattr(sync.Line, 'open', lambda line: (opened.append(1), open_line(line))[1])
    server.freeze()
    with pytest.raises(redis.TimeoutError):
        alt.reset([alt(title='x')])
    assert len(opened) <= 2


def test_threads_do_not_wait_for_ever_for_a_connection(song, redis_params, monkeypatch):
    monkeypatch.setattr('IndexedRedis.connections.POOL_TIMEOUT', 0.2)
    alt = song.connectAlt({'max_connections': 1, 'client_name': 'only'})
    pool = getRedisPool(alt.REDIS_CONNECTION_PARAMS)
    taken = connection_of(pool)
    with pytest.raises(redis.ConnectionError, match='No connection available'):
        alt.objects.all()
    pool.release(taken)
    assert alt.objects.all() == []


def test_clients_that_decode_responses_are_refused(song, redis_params, raw):
    told = 'decode_responses=True cannot be used.*Leave it out'
    with contextlib.closing(redis.Redis(**redis_params, decode_responses=True)) as client:
        for params in ({'decode_responses': True}, {'connection_pool': client.connection_pool}):
            alt = song.connectAlt(params)
            for call in CALLS.values():
                with pytest.raises(ConnectionSetupError, match=told):
                    call(alt)
        song._connection = client
        with pytest.raises(ConnectionSetupError, match=told) as caught:
            song(title='x').save()
        assert isinstance(caught.value, ValueError)
        song._connection = None
        with pytest.raises(ConnectionSetupError, match=told):
            song(title='x').saveToExternal(client)
    assert dump(raw) == {}


def test_clients_of_asyncio_are_refused(song, redis_params, raw):
    told = r'redis\.asyncio\. Give a redis\.Redis'
    client = redis.asyncio.Redis(**redis_params)
    song._connection = client
    with pytest.raises(ConnectionSetupError, match=told):
        song(title='x').save()
    song._connection = None
    with pytest.raises(ConnectionSetupError, match=told):
        song(title='x').saveToExternal(client)
    with pytest.raises(ConnectionSetupError, match=told):
        song.connectAlt({'connection_pool': client.connection_pool}).objects.all()
    assert dump(raw) == {}


@pytest.mark.parametrize('what', ['redis://localhost', 5, object()])
def test_what_is_no_client_is_refused(song, what):
    song._connection = what
    with pytest.raises(ConnectionSetupError, match=r'no redis-py client.*redis\.Redis'):
        song.objects.all()
    song._connection = None
    with pytest.raises(ConnectionSetupError):
        song(title='x').saveToExternal(what)
    with pytest.raises(ConnectionSetupError):
        song.connectAlt(what)
    with pytest.raises(ConnectionSetupError, match='no connection pool'):
        song.connectAlt({'connection_pool': what}).objects.all()
