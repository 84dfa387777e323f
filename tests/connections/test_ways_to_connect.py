"""Connections as people have them: old proxies, passwords, tokens that are renewed, full pools.
The rule: it works, or the error says what to pass."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import warnings

import pytest
import redis
import redis.asyncio
from support.processes import run_python
from support.servers import free_port

import IndexedRedis as IR
from IndexedRedis import ConnectionSetupError
from IndexedRedis.executors import exchange
from IndexedRedis.executors.pools.threads import QuickQueue
from IndexedRedis.executors.pools.turns import ConnectionTurns

OF_ASYNCIO = pytest.mark.parametrize('of_asyncio', [False, True], ids=['threads', 'tasks'])


@pytest.fixture
def song(make_model):
    return make_model(['title'], indexed=['title'])


def counted(model, of_asyncio):
    """The number of objects, by either executor."""

    async def ask():
        try:
            return await model.objects.acount()
        finally:
            await IR.aclose()

    return asyncio.run(ask()) if of_asyncio else model.objects.count()


# -- servers that do not know HELLO -------------------------------------------------------------


@pytest.fixture
def old_proxy(new_server):
    return new_server(rename_command='HELLO ""')


@OF_ASYNCIO
def test_without_HELLO_it_is_RESP2(song, old_proxy, of_asyncio):
    alt = song.connectAlt(old_proxy.params)
    assert alt(title='x').save() == [1]
    assert counted(alt, of_asyncio) == 1
    kwargs = IR.getRedisPool(old_proxy.params).connection_kwargs
    # so that later connections need no second try
    assert kwargs.get('protocol') == 2 or redis.VERSION < (8,)


def test_without_HELLO_other_connections_of_the_pool_connect_at_once(song, old_proxy):
    alt = song.connectAlt(old_proxy.params)
    assert alt.objects.count() == 0
    pool = IR.getRedisPool(old_proxy.params)
    with contextlib.closing(old_proxy.client(protocol=2)) as client:
        before = client.info('stats')['total_connections_received']
        taken = [pool.get_connection() for _ in range(3)]
        for connection in taken:
            pool.release(connection)
        # one of them was idle
        assert client.info('stats')['total_connections_received'] - before == 2


@OF_ASYNCIO
def test_without_HELLO_whoever_wants_RESP3_is_told(song, old_proxy, of_asyncio):
    alt = song.connectAlt({**old_proxy.params, 'protocol': 3})
    with pytest.raises(redis.ResponseError, match=r"RESP3\. Add 'protocol': 2"):
        counted(alt, of_asyncio)


def test_without_HELLO_whoever_brought_a_client_is_told(song, old_proxy):
    with contextlib.closing(old_proxy.client(protocol=3)) as client:
        song._connection = client
        with pytest.raises(redis.ResponseError, match=r"RESP3\. Add 'protocol': 2"):
            song.objects.count()
        song._connection = None


@OF_ASYNCIO
def test_a_user_who_may_not_say_HELLO(song, new_server, of_asyncio):
    server = new_server()
    with contextlib.closing(server.client()) as client:
        client.execute_command('ACL', 'SETUSER', 'default', '-hello')
        alt = song.connectAlt(server.params)
        assert counted(alt, of_asyncio) == 0


# -- what to pass ---------------------------------------------------------------------------------

TOLD = r"setDefaultRedisConnectionParams\(\{'url': .*INDEXEDREDIS_URL.*--url"


@OF_ASYNCIO
@pytest.mark.parametrize('protocol', [2, 3])
def test_a_missing_password(song, new_server, of_asyncio, protocol):
    server = new_server(requirepass='right')
    given = {'host': server.host, 'port': server.port, 'protocol': protocol}
    with pytest.raises(redis.AuthenticationError, match=f'wants a password, and none.*{TOLD}'):
        counted(song.connectAlt(given), of_asyncio)


@OF_ASYNCIO
def test_a_wrong_password(song, new_server, of_asyncio):
    server = new_server(requirepass='right')
    alt = song.connectAlt({**server.params, 'password': 'wrong'})
    with pytest.raises(redis.AuthenticationError, match=f'refused the user name or the.*{TOLD}'):
        counted(alt, of_asyncio)


def test_a_wrong_password_of_a_first_command_that_writes(song, new_server):
    server = new_server(requirepass='right')
    alt = song.connectAlt({**server.params, 'password': 'wrong'})
    with pytest.raises(redis.AuthenticationError, match=f'refused the user name or the.*{TOLD}'):
        alt(title='x').save()


@OF_ASYNCIO
def test_a_server_that_is_down(song, redis_params, of_asyncio, monkeypatch):
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', 0)
    alt = song.connectAlt({'port': free_port()})
    with pytest.raises(redis.ConnectionError, match=f'Start the server, or name another.*{TOLD}'):
        counted(alt, of_asyncio)


def test_others_who_use_our_pools_are_told_too(redis_params):
    """The mirror takes its locks by a client of redis-py over our pool."""
    pool = IR.getRedisPool({'port': free_port()})
    with contextlib.closing(redis.Redis(connection_pool=pool)) as client:
        with pytest.raises(redis.ConnectionError, match=f'Start the server.*{TOLD}') as caught:
            client.ping()
        assert str(caught.value).count('Start the server') == 1


# -- INDEXEDREDIS_URL ----------------------------------------------------------------------------

USE = """
    import sys
    import IndexedRedis as IR
    class Song(IR.IndexedRedisModel):
        FIELDS = [IR.IRField('title')]
        KEY_NAME = 'SongOfVariable'
"""


def test_the_variable_names_the_server(redis_params, raw, monkeypatch):
    monkeypatch.setenv('INDEXEDREDIS_URL', 'redis://{host}:{port}/3'.format(**redis_params))
    code = f'{USE}    print(Song(title="x").save(), IR.getDefaultRedisConnectionParams())'
    told = {'url': os.environ['INDEXEDREDIS_URL']}
    assert run_python(code) == f'[1] {told}'
    with contextlib.closing(redis.Redis(**{**redis_params, 'db': 3})) as client:
        assert client.scard('_ir_|SongOfVariable:keys') == 1


def test_what_a_program_sets_counts_more_than_the_variable(redis_params, raw, monkeypatch):
    monkeypatch.setenv('INDEXEDREDIS_URL', 'redis://127.0.0.1:1/0')
    code = f"""{USE}
    IR.setDefaultRedisConnectionParams({{'port': int(sys.argv[1])}})
    print(Song(title='x').save())
    """
    assert run_python(code, redis_params['port']) == '[1]'
    assert raw.scard('_ir_|SongOfVariable:keys') == 1


def test_a_model_of_its_own_server_is_not_changed_by_the_variable(redis_params, monkeypatch):
    url = 'redis://:secret@127.0.0.1:1/5'
    monkeypatch.setattr(IR.connections.threads, '_defaults', None)
    monkeypatch.setenv('INDEXEDREDIS_URL', url)
    own = IR.getRedisPool({**redis_params, 'password': None}).connection_kwargs
    assert (own['port'], own['db'], own['password']) == (redis_params['port'], 0, None)


def test_a_variable_that_is_no_url_is_named(redis_params, monkeypatch):
    monkeypatch.setattr(IR.connections.threads, '_defaults', None)
    monkeypatch.setenv('INDEXEDREDIS_URL', 'secret@host')
    with pytest.raises(ConnectionSetupError, match='INDEXEDREDIS_URL') as caught:
        IR.getRedisPool()
    assert 'secret' not in str(caught.value)


# -- tokens that are renewed ---------------------------------------------------------------------

try:
    from redis.auth.token import SimpleToken
    from redis.credentials import StreamingCredentialProvider
except ImportError:
    StreamingCredentialProvider = None

streaming = pytest.mark.skipif(
    StreamingCredentialProvider is None, reason='this redis-py has no streaming credentials'
)


@pytest.fixture
def tokens(new_server):
    """A provider, with the server that knows its user; `words` are the tokens that are valid."""

    class Tokens(StreamingCredentialProvider):
        word, server = 'one', new_server()

        def get_credentials(self):
            return 'web', self.word

        def on_next(self, callback):
            self.told = callback

        def on_error(self, callback):
            pass

        def is_streaming(self):
            return True

        def renewed(self, word):
            self.word = word
            return self.told(SimpleToken(word, 9e15, 0, {'oid': 'web'}))

    with contextlib.closing(Tokens.server.client()) as client:
        rules = ('on', '>one', '>two', '~*', '+@all')
        client.execute_command('ACL', 'SETUSER', 'web', *rules)
        Tokens.admin = client
        yield Tokens()


def auths(admin):
    """How many AUTH the server got, and how many of them it refused."""
    seen = admin.info('commandstats').get('cmdstat_auth', {})
    return seen.get('calls', 0), seen.get('failed_calls', 0)


def with_tokens(song, tokens, **more):
    return song.connectAlt({**tokens.server.params, 'credential_provider': tokens, **more})


@streaming
def test_a_renewed_token_is_sent_once(song, tokens):
    alt = with_tokens(song, tokens)
    alt.objects.count()
    tokens.admin.config_resetstat()
    tokens.renewed('two')
    for _ in range(3):
        alt.objects.count()
    assert auths(tokens.admin) == (1, 0)


@streaming
def test_a_renewed_token_is_sent_by_all_pools_of_a_provider(song, tokens):
    models = [with_tokens(song, tokens, db=db) for db in (0, 1)]
    for model in models:
        model.objects.count()
    tokens.admin.config_resetstat()
    tokens.renewed('two')
    for model in models:
        model.objects.count()
    assert auths(tokens.admin) == (2, 0)


@streaming
def test_a_renewed_token_is_sent_by_a_connection_that_was_in_use(song, tokens):
    alt = with_tokens(song, tokens)
    pool = IR.getRedisPool(alt.REDIS_CONNECTION_PARAMS)
    connection = pool.get_connection()
    tokens.admin.config_resetstat()
    tokens.renewed('two')
    pool.release(connection)
    assert auths(tokens.admin) == (0, 0)
    assert alt.objects.count() == 0
    assert auths(tokens.admin) == (1, 0)
    assert pool.pool.queue[-1] is connection


@streaming
def test_after_a_token_that_is_refused_it_connects_anew(song, tokens):
    alt = with_tokens(song, tokens)
    alt.objects.count()
    tokens.admin.config_resetstat()
    tokens.renewed('nonsense')
    tokens.word = 'two'
    assert alt.objects.count() == alt.objects.count() == 0
    assert auths(tokens.admin)[1] == 1


@streaming
def test_a_renewed_token_is_sent_by_tasks(song, tokens):
    alt = with_tokens(song, tokens)

    async def main():
        await alt.objects.acount()
        tokens.admin.config_resetstat()
        await tokens.renewed('two')
        await asyncio.gather(*[alt.objects.acount() for _ in range(3)])
        await IR.aclose()

    asyncio.run(main())
    assert auths(tokens.admin) == (1, 0)


# -- pools that are full -------------------------------------------------------------------------


@pytest.fixture
def waits(monkeypatch):
    """Counts the waits for a connection, of threads and of tasks, which are short here."""
    monkeypatch.setattr('IndexedRedis.connections.POOL_TIMEOUT', 0.05)
    seen = []
    wait, take = QuickQueue.wait, ConnectionTurns.take
    monkeypatch.setattr(QuickQueue, 'wait', lambda *args: (seen.append(1), wait(*args))[1])
    monkeypatch.setattr(ConnectionTurns, 'take', lambda *args: (seen.append(1), take(*args))[1])
    return seen


CALLS = {
    'count': lambda model: model.objects.count(),
    'save': lambda model: model(title='x').save(),
    'reset': lambda model: model.reset([model(title='x')]),
}


@pytest.mark.parametrize('cached', [0, pytest.param(10, marks=pytest.mark.telling)])
@pytest.mark.parametrize('call', CALLS)
def test_a_thread_waits_for_a_connection_once(song, redis_params, waits, call, cached):
    alt = song.connectAlt({'max_connections': 1, 'client_name': 'only'})
    alt.CLIENT_SIDE_CACHE = cached
    pool = IR.getRedisPool(alt.REDIS_CONNECTION_PARAMS)
    taken = pool.get_connection()
    waits.clear()
    with pytest.raises(redis.ConnectionError, match='No connection available'):
        CALLS[call](alt)
    assert waits == [1]
    pool.release(taken)
    assert alt.objects.count() == 0


@pytest.mark.parametrize('cached', [0, pytest.param(10, marks=pytest.mark.telling)])
def test_a_task_waits_for_a_connection_once(song, new_server, waits, cached):
    server = new_server()
    alt = song.connectAlt({**server.params, 'max_connections': 1})
    alt.CLIENT_SIDE_CACHE = cached

    async def main():
        await alt(title='x').asave()
        server.freeze()
        holder = asyncio.create_task(alt(title='y').asave())
        await asyncio.sleep(0)
        for work in (alt.objects.acount, alt(title='x').asave):
            waits.clear()
            with pytest.raises(redis.ConnectionError, match='No connection available'):
                await work()
            assert waits == [1]
        server.resume()
        await holder
        await IR.aclose()

    asyncio.run(main())


class Counting(redis.BlockingConnectionPool):
    asked = 0

    def get_connection(self, *args, **options):
        self.asked += 1
        return super().get_connection(*args, **options)


def test_a_pool_that_was_brought_is_waited_for_once(song, redis_params):
    pool = Counting(max_connections=1, timeout=0.05, **redis_params)
    taken = pool.get_connection('_') if redis.VERSION < (5, 3) else pool.get_connection()
    pool.asked = 0
    alt = song.connectAlt({'connection_pool': pool})
    with pytest.raises(redis.ConnectionError, match='No connection available'):
        alt.objects.count()
    assert pool.asked == 1
    pool.release(taken)
    assert alt.objects.count() == 0
    pool.disconnect()


# -- greenlets -----------------------------------------------------------------------------------

GREENLETS = """
    import sys
    {patch}
    import redis
    from IndexedRedis import IndexedRedisModel, IRField, setDefaultRedisConnectionParams

    params = {{'host': '127.0.0.1', 'port': int(sys.argv[1])}}
    brought = redis.BlockingConnectionPool(max_connections=3, timeout=20, **params)
    setDefaultRedisConnectionParams(params)
    class Page(IndexedRedisModel):
        FIELDS = [IRField('shelf', valueType=int)]
        INDEXED_FIELDS = ['shelf']
        KEY_NAME = 'Page'
    Page.reset([Page(shelf=number % 5) for number in range(100)])
    found = []
    def visit(model, number):
        found.append(len(model.objects.filter(shelf=number % 5).all()))
    def hurried(model, number):
        for again in range(10):
            try:
                with Timeout(0.0005 * (again + number % 5)):
                    model.objects.filter(shelf=number % 5).all()
            except Timeout:
                pass
    for params in ({{}}, {{'max_connections': 3}}, {{'connection_pool': brought}}):
        model = Page.connectAlt(params)
        for work in (visit, hurried, visit):
            wait([spawn(work, model, number) for number in range(60)])
    print(len(found), set(found))
"""
PATCHES = {
    'gevent': """from gevent import monkey
    monkey.patch_all()
    from gevent import Timeout, joinall, spawn
    def wait(jobs):
        joinall(jobs, timeout=40, raise_error=True)""",
    'eventlet': """import eventlet
    eventlet.monkey_patch()
    from eventlet import Timeout, spawn
    def wait(jobs):
        [job.wait() for job in jobs]""",
}


@pytest.mark.programs
@pytest.mark.parametrize('kind', PATCHES)
def test_greenlets_wait_for_a_connection(redis_params, kind, monkeypatch):
    """More of them than the pool has connections, also after some were interrupted."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that eventlet is not developed further
        pytest.importorskip(kind, exc_type=ImportError)
    assert kind in sys.modules
    code = GREENLETS.format(patch=PATCHES[kind])
    code = f"\n    import warnings; warnings.simplefilter('ignore'){code}"
    assert run_python(code, redis_params['port']) == f'{6 * 60} {{20}}'
