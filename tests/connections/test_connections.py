"""Connections. The rule: equal parameters share a pool, different ones never do; what a user
brought is used, never written to and never closed."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from support.keyspace import but_counters, key_names
from support.processes import run_python

import IndexedRedis as IR
from IndexedRedis import ConnectionSetupError, IndexedRedisModel, IRField
from IndexedRedis.connections.params import without_url
from IndexedRedis.executors.topology.nodes import Node, Role

START = {'host': '127.0.0.1', 'port': 6379, 'db': 0}


@pytest.fixture
def song(make_model):
    return make_model(['title', 'artist'], indexed=['artist'])


def test_the_defaults_at_start_are_those_of_a_local_server_and_importing_connects_to_nothing():
    assert run_python(
        """
        import sys
        import IndexedRedis as IR
        print(IR.getDefaultRedisConnectionParams(), IR.RedisPools, IR.REDIS_DEFAULT_POOL_MAX_SIZE)
        class Song(IR.IndexedRedisModel):
            FIELDS = [IR.IRField('title')]
            KEY_NAME = 'Song'
        Song(title='x').asDict()
        Song.objects.filter()
        print(IR.RedisPools, 'redis' in sys.modules)
        """
    ).splitlines() == [f'{START} {{}} 32', '{} False']


def test_defaults_are_copied_in_and_out(redis_params):
    given = dict(redis_params)
    IR.setDefaultRedisConnectionParams(given)
    given['db'] = 5
    got = IR.getDefaultRedisConnectionParams()
    assert got == redis_params
    got['db'] = 6
    assert IR.getDefaultRedisConnectionParams() == redis_params


def test_dicts_of_users_are_never_written_to(song, redis_params):
    given, own, asked = dict(redis_params), {'db': 1}, {'db': 2}
    IR.setDefaultRedisConnectionParams(given)
    song.REDIS_CONNECTION_PARAMS = own
    song(title='x').save()
    assert song.objects.count() == 1
    song.connectAlt(asked).objects.all()
    song.objects.get(1).saveToExternal(asked)
    IR.getRedisPool(asked)
    assert (given, own, asked) == (redis_params, {'db': 1}, {'db': 2})
    assert IR.getDefaultRedisConnectionParams() == redis_params


def test_a_model_inherits_each_parameter_that_it_does_not_set(song, redis_params):
    IR.setDefaultRedisConnectionParams({**redis_params, 'db': 3, 'client_name': 'mine'})
    song.REDIS_CONNECTION_PARAMS = {'db': 1}
    song(title='x').save()
    kwargs = IR.getRedisPool(song.REDIS_CONNECTION_PARAMS).connection_kwargs
    assert (kwargs['db'], kwargs['port'], kwargs['client_name']) == (
        1,
        redis_params['port'],
        'mine',
    )
    with contextlib.closing(redis.Redis(**{**redis_params, 'db': 1})) as client:
        assert client.scard(f'_ir_|{song.KEY_NAME}:keys') == 1
        assert {c['name'] for c in client.client_list()} >= {'mine'}


def test_a_change_of_the_defaults_takes_effect_at_once(song, redis_params, raw):
    song(title='in 0').save()
    query = song.objects
    IR.setDefaultRedisConnectionParams({**redis_params, 'db': 1})
    assert query.count() == 0
    assert song(title='in 1').save() == [1]
    IR.setDefaultRedisConnectionParams(redis_params)
    assert [obj.title for obj in query.all()] == ['in 0']
    assert raw.scard(f'_ir_|{song.KEY_NAME}:keys') == 1


def test_a_model_that_names_all_parameters_follows_its_own(song, redis_params):
    song.REDIS_CONNECTION_PARAMS = {**redis_params, 'db': 1}
    song(title='x').save()
    IR.setDefaultRedisConnectionParams({**redis_params, 'db': 2})
    assert song.objects.count() == 1


class Callback:
    """Equal to others of its kind, says the same of itself, and has no hash."""

    def __call__(self, connection):
        connection.on_connect()

    def __repr__(self):
        return 'Callback()'

    def __eq__(self, other):
        return isinstance(other, Callback)


CALLBACK = Callback()
SAME = [
    ({'db': 1}, {'db': 1}),
    ({'redis_connect_func': CALLBACK}, {'redis_connect_func': CALLBACK}),
    ({'socket_keepalive_options': {1: 2}}, {'socket_keepalive_options': {1: 2}}),
    ({}, None),
    ({'db': 1, 'socket_timeout': 2}, {'socket_timeout': 2, 'db': 1}),
]
DIFFERENT = [
    ({'db': 1}, {'db': 2}),
    ({'socket_timeout': 5}, {'socket_connect_timeout': 5}),
    ({'db': 1}, {'db': 1, 'max_connections': 1}),
    ({'username': 'a'}, {'password': 'a'}),
    ({}, {'client_name': 'x'}),
    ({'redis_connect_func': CALLBACK}, {'redis_connect_func': Callback()}),
    ({'socket_keepalive_options': {1: 2}}, {'socket_keepalive_options': {1: 3}}),
]


@pytest.mark.parametrize(('one', 'other'), SAME, ids=repr)
def test_equal_parameters_share_a_pool(redis_params, one, other):
    assert IR.getRedisPool(one) is IR.getRedisPool(other)
    assert len(IR.RedisPools) == 1


@pytest.mark.parametrize(('one', 'other'), DIFFERENT, ids=repr)
def test_different_parameters_never_share_a_pool(redis_params, one, other):
    assert IR.getRedisPool(one) is not IR.getRedisPool(other)
    assert len(IR.RedisPools) == 2


def test_new_pools_are_made_of_all_parameters_once_RedisPools_is_cleared(redis_params, song):
    own = redis.ConnectionPool(**redis_params)
    brought = [{'connection_pool': own}] * 2
    asked = [None, {'db': 1}, {'db': 1, 'socket_timeout': 2}]
    before = [IR.getRedisPool(params) for params in (*asked, *asked, *brought)]
    IR.RedisPools.clear()
    after = [IR.getRedisPool(params) for params in (*asked, *asked, *brought)]
    assert [pool in before for pool in after] == [False] * 6 + [True] * 2
    assert len(set(map(id, after))) == 4
    assert set(map(id, IR.RedisPools.values())) == set(map(id, after[:3]))
    for pool in before:
        pool.disconnect()


def test_a_pool_is_made_once_by_any_number_of_threads(redis_params):
    barrier = threading.Barrier(50)

    def ask(_):
        barrier.wait()
        return IR.getRedisPool({'db': 1})

    with ThreadPoolExecutor(50) as threads:
        assert len(set(map(id, threads.map(ask, range(50))))) == 1


def test_a_pool_is_limited_and_patient_unless_told_otherwise(redis_params):
    pool = IR.getRedisPool()
    assert isinstance(pool, redis.BlockingConnectionPool)
    assert pool.max_connections == IR.REDIS_DEFAULT_POOL_MAX_SIZE == 32
    assert pool.connection_kwargs['socket_timeout'] == 5
    assert pool.connection_kwargs['socket_connect_timeout'] == 5
    assert IR.getRedisPool({'max_connections': 3}).max_connections == 3
    assert IR.getRedisPool({'socket_timeout': 9}).connection_kwargs['socket_timeout'] == 9


def test_clearRedisPools_closes_what_was_made_here_and_nothing_else(song, redis_params, raw):
    own = redis.ConnectionPool(**redis_params, client_name='own')
    alt = song.connectAlt({'connection_pool': own})
    song.REDIS_CONNECTION_PARAMS = {'client_name': 'made'}
    song(title='x').save()
    alt.objects.count()
    assert sum(client['name'] in ('own', 'made') for client in raw.client_list()) == 2
    IR.clearRedisPools()
    assert IR.RedisPools == {}
    left = ['made']
    while 'made' in left:  # the server notices in its own time
        left = [client['name'] for client in raw.client_list()]
    assert 'own' in left
    assert song.objects.count() == alt.objects.count() == 1
    own.disconnect()


def test_clearRedisPools_leaves_a_connection_to_whoever_uses_it(song, raw):
    """Its socket may not be closed under a thread that reads: another one may get its number."""
    song.REDIS_CONNECTION_PARAMS = {'client_name': 'made'}
    pool = IR.getRedisPool(song.REDIS_CONNECTION_PARAMS)
    lent = pool.get_connection()
    song(title='x').save()
    IR.clearRedisPools()
    lent.send_command('PING')
    assert lent.read_response() == b'PONG'
    pool.release(lent)
    assert lent._sock is None
    pool.release(again := pool.get_connection())
    assert again._sock is None, 'a pool that was ended keeps none'


def test_clearRedisPools_closes_a_pool_of_redis_py_that_a_user_put_into_RedisPools(redis_params):
    own = redis.ConnectionPool(**redis_params)
    redis.Redis(connection_pool=own).ping()
    [connection] = own._available_connections
    IR.RedisPools['own'] = own
    made = IR.getRedisPool()
    idle = made.get_connection()
    made.release(idle)
    IR.clearRedisPools()
    assert (connection._sock, idle._sock, IR.RedisPools) == (None, None, {})


def test_the_pools_of_nodes_disconnect_as_those_of_redis_py_do(redis_params):
    replicas = [(redis_params['host'], redis_params['port'])]
    pools = IR.getRedisPool({**redis_params, 'replicas': replicas})
    used = pools.pool(Node(*replicas[0]), Role.PRIMARY).get_connection()
    pools.disconnect()
    assert used._sock is None


def test_a_forked_child_waits_for_no_thread_of_its_parent(redis_params):
    script = f"""
        import os, threading, warnings
        import IndexedRedis as IR
        from IndexedRedis.connections import threads
        warnings.simplefilter('ignore')  # Python 3.12 warns of what this tests
        held, ended = threading.Event(), threading.Event()

        def hold():
            with threads._lock:
                held.set()
                ended.wait()

        threading.Thread(target=hold).start()
        held.wait()
        child = os.fork()
        if not child:
            IR.getRedisPool({redis_params})
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        ended.set()
        print('done')
    """
    assert run_python(script) == 'done'


def test_a_pool_of_the_user_is_used_as_it_is(song, redis_params, raw):
    own = redis.ConnectionPool(**{**redis_params, 'db': 1}, client_name='own')
    song.REDIS_CONNECTION_PARAMS = {'connection_pool': own, 'db': 7}
    assert IR.getRedisPool(song.REDIS_CONNECTION_PARAMS) is own
    song(title='x').save()
    assert [c['db'] for c in raw.client_list() if c['name'] == 'own'] == ['1']
    assert IR.RedisPools == {}
    IR.setDefaultRedisConnectionParams(redis_params)
    assert song.objects.count() == 1
    own.disconnect()


URLS = ['redis://{host}:{port}/1', 'redis://{host}:{port}?db=1', 'redis://{host}:{port}']


@pytest.mark.parametrize('url', URLS)
def test_a_url_will_do(song, redis_params, raw, url):
    params = {'url': url.format(**redis_params)}
    expected = 1 if '1' in url else 0
    alt = song.connectAlt(params)
    alt(title='x').save()
    assert IR.getRedisPool(params).connection_kwargs['db'] == expected
    with contextlib.closing(redis.Redis(**{**redis_params, 'db': expected})) as client:
        assert client.scard(f'_ir_|{song.KEY_NAME}:keys') == 1
    IR.setDefaultRedisConnectionParams({'url': url.format(**redis_params)})
    assert song.objects.count() == 1


def test_single_parameters_lie_over_those_of_a_url(song, redis_params):
    IR.setDefaultRedisConnectionParams({'url': 'redis://{host}:{port}/1'.format(**redis_params)})
    assert IR.getRedisPool({'db': 2}).connection_kwargs['db'] == 2
    both = {'url': 'redis://{host}:{port}/3'.format(**redis_params), 'db': 4}
    assert IR.getRedisPool(both).connection_kwargs['db'] == 4


NO_URLS = [
    *('http://localhost', 'localhost:6379', 'redis://localhost:port'),
    *(f'redis://localhost/{db}' for db in ('O', '0x', '3.0', '1/2', '-1', '?db=x')),
    *('sentinel://localhost/name/x', 'redis+cluster://localhost?failover_seconds=x'),
]


@pytest.mark.parametrize('url', NO_URLS)
def test_a_url_that_is_none_is_refused(song, url):
    with pytest.raises(ConnectionSetupError, match=r'URL'):
        song.connectAlt({'url': url}).objects.all()


@pytest.mark.parametrize('form', ['parameter', 'url'])
def test_a_unix_socket_will_do(song, new_server, form):
    server = new_server(unixsocket='redis.sock')
    path = str(Path(server.dir, 'redis.sock'))
    alt = song.connectAlt(
        {'parameter': {'unix_socket_path': path}, 'url': {'url': f'unix://{path}'}}[form]
    )
    assert alt(title='x').save() == [1]
    assert alt.objects.get(1).title == 'x'
    with contextlib.closing(server.client()) as client:
        assert client.scard(f'_ir_|{song.KEY_NAME}:keys') == 1
    IR.setDefaultRedisConnectionParams({'unix_socket_path': path})
    assert song.objects.count() == 1
    elsewhere = song.connectAlt({'host': server.host, 'port': server.port, 'db': 1})
    assert elsewhere.objects.count() == 0
    assert 'path' not in IR.getRedisPool(elsewhere.REDIS_CONNECTION_PARAMS).connection_kwargs


def test_parameters_that_redis_does_not_know_are_refused(song):
    with pytest.raises(ConnectionSetupError, match='hosst'):
        song.connectAlt({'hosst': 'localhost'}).objects.all()
    with pytest.raises(ConnectionSetupError, match='dict'):
        IR.setDefaultRedisConnectionParams('localhost')


@pytest.mark.parametrize(
    'params',
    [
        {'max_connections': 0},
        {'max_connections': -1},
        {'max_connections': '5'},
        {'url': 'redis://localhost?max_connections=0'},
        {'cluster': True, 'failover_seconds': '3'},
        {'cluster': True, 'failover_seconds': -1},
        {'url': 'redis://localhost?replicas=a'},
    ],
    ids=str,
)
def test_values_that_cannot_be_meant_are_refused(song, params):
    name = str(params).partition('=')[0].rpartition('?')[2] if 'url' in params else [*params][-1]
    with pytest.raises(ConnectionSetupError, match=name):
        song.connectAlt(params).objects.all()


def test_a_url_gives_the_failover_budget_as_a_number():
    url = 'redis+cluster://localhost?failover_seconds=2.5'
    assert without_url({'url': url})['failover_seconds'] == 2.5


def test_a_connection_on_the_class_is_used_for_everything(song, redis_params, raw):
    with contextlib.closing(redis.Redis(**{**redis_params, 'db': 1})) as client:
        song._connection = client
        assert song(title='x', artist='a').save() == [1]
        assert song.objects.filter(artist='a').count() == client.scard(f'_ir_|{song.KEY_NAME}:keys')
        assert song.reset([song(title='y')]) == [2]
        obj = song.objects.get(2)
        obj.title = 'z'
        obj.save()
        assert obj.reload() == {}
        assert obj.delete() == 1
        song.deleter.destroyModel()
        assert but_counters(client) == raw.keys() == []
        alt = song.connectAlt({'db': 0})
        alt(title='there').save()
        assert (song.objects.count(), alt.objects.count()) == (0, 1)
        song._connection = None
        assert song.objects.count() == 1


def test_a_connection_set_in_init_is_that_of_the_object(redis_params, raw, watch_models):
    with contextlib.closing(redis.Redis(**{**redis_params, 'db': 1})) as client:

        class Placed(IndexedRedisModel):
            FIELDS = [IRField('title')]
            KEY_NAME = 'Placed'

            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self._connection = client

        watch_models(Placed)
        obj = Placed(title='x')
        assert obj.save() == [1]
        obj.title = 'y'
        obj.save()
        assert client.hget('_ir_|Placed:data:1', 'title') == b'y'
        assert raw.keys() == []
        assert obj.objects.count() == 1
        assert obj.reload() == {}
        found = obj.objects.get(1)
        assert (found.title, found._connection) == ('y', client)
        assert found.delete() == 1
        assert key_names(client) == [b'_ir_|Placed:next']
        assert Placed.objects.count() == 0


def test_connectAlt_gives_one_class_for_equal_parameters(song, redis_params):
    one = song.connectAlt({'db': 1, 'socket_timeout': 3})
    assert song.connectAlt({'socket_timeout': 3, 'db': 1}) is one
    assert issubclass(one, song)
    assert one.__name__.startswith(f'AltConnect{song.__name__}')
    assert song.connectAlt({'db': 2}) is not one
    assert one.connectAlt({'db': 2}) is not one
    assert song.REDIS_CONNECTION_PARAMS == {}
    for wrong in (None, 'redis://localhost', [('db', 1)], 5):
        with pytest.raises(ConnectionSetupError, match='dict'):
            song.connectAlt(wrong)


def test_connectAlt_never_gives_the_class_of_other_parameters(song, redis_params):
    """What an object says of itself need not tell it from others."""
    one, other = (redis.ConnectionPool(**redis_params, password=word) for word in 'ab')
    classes = [song.connectAlt({'connection_pool': pool}) for pool in (one, other, one)]
    assert classes[0] is classes[2] is not classes[1]
    alike = [song.connectAlt({'redis_connect_func': each}) for each in (CALLBACK, Callback())]
    assert alike[0] is not alike[1]
    assert alike[0] is song.connectAlt({'redis_connect_func': CALLBACK})
    options = [song.connectAlt({'socket_keepalive_options': {1: 2}}) for _ in range(2)]
    assert options[0] is options[1]
