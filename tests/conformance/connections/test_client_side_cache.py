"""Answers that are remembered. The rule: a question that was asked before takes no trip, and what
comes back is what the server would have said."""

from __future__ import annotations

import contextlib
import time

import pytest
import redis
from support import servers
from support.linked import Author, Book

from IndexedRedis import ConnectionSetupError, IRField, Q, getRedisPool
from IndexedRedis.executors.cache import reply_cache
from IndexedRedis.executors.cache.invalidation import read_invalidations
from IndexedRedis.executors.cache.reply_cache import keys_read
from IndexedRedis.executors.cache.tracking import note_write
from IndexedRedis.executors.pools.threads import connection_of
from IndexedRedis.testing import recordTrips

pytestmark = pytest.mark.plain_model  # with partitions nothing is remembered


@pytest.fixture
def tune(telling_server, make_model):
    """A model whose answers are remembered; six tunes, with pks 1 to 6."""
    model = make_model(
        ['title', 'artist', IRField('year', valueType=int), IRField('tags', valueType=list)],
        indexed=['artist', 'year'],
        CLIENT_SIDE_CACHE=20,
    )
    rows = [('a', 'Abba', 1974), ('b', 'Abba', 1976), ('c', 'AC/DC', 1980)] * 2
    model.saver.save([model(title=t, artist=a, year=y, tags=[t]) for t, a, y in rows])
    return model


@pytest.fixture
def trips_of():
    """`trips_of(call)`: how many trips a call takes once its answer is known."""

    def measured(call):
        for _ in range(3):  # a new connection; scripts that the server does not know
            call()
        with recordTrips() as trips:
            call()
        return len(trips)

    return measured


CALLS = {
    'get': lambda tune: tune.objects.get(1),
    'get of nothing': lambda tune: tune.objects.get(77),
    'getMultiple': lambda tune: tune.objects.getMultiple([1, 2, 77]),
    'exists': lambda tune: tune.objects.exists(1),
    'filter': lambda tune: tune.objects.filter(artist='Abba').all(),
    'two filters': lambda tune: tune.objects.filter(artist='Abba', year__ne=1974).all(),
    'nothing': lambda tune: tune.objects.filter(artist='nobody').all(),
    'all': lambda tune: tune.objects.all(),
    'partial': lambda tune: tune.objects.filter(artist='Abba').allOnlyFields(['title']),
    'values': lambda tune: tune.objects.filter(artist='Abba').values('title'),
    'any': lambda tune: tune.objects.filter(artist='Abba', year=1974).exists(),
    'the one': lambda tune: tune.objects.get(artist='nobody'),
    'in bulk': lambda tune: tune.objects.inBulk([1, 2, 77]),
    'counts by value': lambda tune: tune.objects.filter(artist='Abba').countBy('year'),
    'count': lambda tune: tune.objects.count(),
    'count of one': lambda tune: tune.objects.filter(artist='Abba').count(),
    'count of two': lambda tune: tune.objects.filter(artist='Abba', year__ne=1974).count(),
    'in': lambda tune: tune.objects.filter(artist__in=['Abba', 'AC/DC']).all(),
    'or': lambda tune: tune.objects.filter(Q(artist='Abba') | ~Q(year=1980)).all(),
    'any of an or': lambda tune: tune.objects.filter(Q(artist='x') | Q(year=1980)).exists(),
    'count of an or': lambda tune: tune.objects.filter(Q(artist='Abba') | Q(year=1980)).count(),
}


@pytest.mark.parametrize('name', CALLS)
def test_the_second_time_takes_no_trip(tune, trips_of, name):
    assert trips_of(lambda: CALLS[name](tune)) == 0


def test_an_or_sees_what_others_write(tune):
    query = tune.objects.filter(Q(artist='Abba') | Q(year=1980))
    assert query.count() == len(query.all()) == 6
    tune(title='new', artist='Queen', year=1980).save()
    tune.deleter.deleteByPk(1)
    assert sorted(obj._id for obj in query.all()) == [2, 3, 4, 5, 6, 7]
    tune.objects.filter(pk__in=[2, 3]).update(artist='x', year=1)
    assert query.count() == len(query.all()) == 4


@pytest.mark.parametrize('name', ['first', 'last', 'random', 'getPrimaryKeys'])
def test_these_are_always_asked(tune, trips_of, name):
    assert trips_of(getattr(tune.objects.filter(artist='Abba'), name)) == 1


@pytest.mark.names_keys
def test_any_idle_connection_may_have_the_answer(tune, trips_of):
    """The one that was used last need not be the one that was asked."""
    pool = getRedisPool(tune.REDIS_CONNECTION_PARAMS)
    one, other = connection_of(pool), connection_of(pool)
    pool.release(one)
    assert trips_of(lambda: tune.objects.get(1)) == 0
    pool.release(other)
    with recordTrips() as trips:
        tune.objects.get(1)
    assert trips == []


@pytest.mark.parametrize(('count', 'trips'), [(250, 0), (251, 1)])
def test_pages_of_more_rows_than_others_fetch_in_one_trip(tune, trips_of, count, trips):
    tune.saver.save([tune(artist='many', year=1) for _ in range(count)])
    many = tune.objects.filter(artist='many')
    assert trips_of(many.all) == trips
    assert len(many.all()) == count


def test_models_that_do_not_want_it(tune, trips_of):
    tune.CLIENT_SIDE_CACHE = 0
    assert trips_of(lambda: tune.objects.get(1)) == 1


def test_links_of_models_that_want_it(telling_server, books, shelf, trips_of, monkeypatch):
    def fetched():
        return books.objects.filter(title='three').all(cascadeFetch=True)

    # The book; its author and the similar books, together if both are asked; their authors.
    for of_books, of_authors, trips in [(9, 9, 0), (9, 0, 2), (0, 9, 2), (0, 0, 3)]:
        monkeypatch.setattr(Book, 'CLIENT_SIDE_CACHE', of_books)
        monkeypatch.setattr(Author, 'CLIENT_SIDE_CACHE', of_authors)
        assert trips_of(fetched) == trips
        (found,) = fetched()
        assert (found.author.name, len(found.similar)) == ('Bob', 2)


def state(model):
    """All that the calls above say."""
    return [CALLS[name](model) for name in CALLS]


def write_row(tune, raw):
    raw.hset(f'_ir_|{tune.KEY_NAME}:data:1', 'title', 'new')


CHANGES = {
    'a row': (write_row, None),
    'a row expires': (lambda tune, raw: raw.pexpire(f'_ir_|{tune.KEY_NAME}:data:1', 1), None),
    'everything goes': (lambda tune, raw: raw.flushall(), None),
    'save': (None, lambda other: other(title='new', artist='Abba', year=1976).save()),
    'update': (None, lambda other: set_year(other.objects.get(2), 1974)),
    'delete': (None, lambda other: other.objects.filter(year=1974).delete()),
    'reset': (None, lambda other: other.reset([other(title='new', artist='Abba', year=1976)])),
    'destroyModel': (None, lambda other: other.deleter.destroyModel()),
}


def set_year(obj, year):
    obj.year = year
    obj.save()


@pytest.mark.damaged
@pytest.mark.parametrize('name', CHANGES)
def test_what_others_write_is_seen(tune, raw, name):
    """By another client, in the end; by this process over other connections, at once."""
    uncached = tune.connectAlt({})
    uncached.CLIENT_SIDE_CACHE = 0
    before = [rows(state(tune)), rows(state(tune))][1]
    by_client, by_model = CHANGES[name]
    if by_model:
        by_model(tune.connectAlt({'client_name': 'another'}))
    else:
        by_client(tune, raw)
        ends = time.monotonic() + 10
        while rows(state(tune)) == before:
            assert time.monotonic() < ends
    after = rows(state(tune))
    assert after != before
    assert after == rows(state(uncached))


def rows(found):
    """Objects of several classes as plain values."""
    if isinstance(found, list):
        return [rows(each) for each in found]
    if isinstance(found, dict):
        return {key: rows(each) for key, each in found.items()}
    return found.asDict(True, strKeys=True) if hasattr(found, 'asDict') else found


def test_what_is_done_to_an_object_stays_with_it(tune):
    for _ in range(3):
        obj = tune.objects.get(1)
        assert (obj.title, obj.tags, obj.hasUnsavedChanges()) == ('a', ['a'], False)
        obj.title = 'mine'
        obj.tags.append('mine')


def test_reload_always_asks(tune, trips_of):
    obj = tune.objects.get(1)
    assert trips_of(obj.reload) == 1


def test_a_lost_connection_is_no_longer_believed(tune, raw):
    tune.objects.get(1), tune.objects.get(1)
    raw.client_kill_filter(_type='normal', skipme=True)
    write_row(tune, raw)
    assert tune.objects.get(1).title == 'new'
    assert tune.objects.get(1).title == 'new'


def test_connections_survive_what_they_are_told(tune, raw):
    """A message in front of a write, which makes sure of its connection, breaks nothing."""
    tune.REDIS_CONNECTION_PARAMS = {'client_name': 'told'}
    for number in range(5):
        tune.objects.get(1), tune.objects.get(1)
        ids = told_clients(raw)
        raw.hset(f'_ir_|{tune.KEY_NAME}:data:1', 'title', f'{number}')
        time.sleep(0.01)
        tune(title='x').save()
        tune.objects.delete() if number == 4 else tune.objects.all()
        assert told_clients(raw) == ids


def told_clients(raw):
    return {each['id'] for each in raw.client_list() if each['name'] == 'told'}


def test_a_reply_that_nobody_waits_for_is_an_error(telling_server, redis_params):
    with contextlib.closing(redis.Redis(**redis_params, protocol=3)) as client:
        connection = client.connection_pool.get_connection()
        connection.send_command('ECHO', 'x')
        connection.can_read(timeout=1)
        with pytest.raises(redis.ConnectionError, match='nobody waits for'):
            read_invalidations(connection)


def test_version_2_of_the_protocol_cannot_be_told(tune):
    alt = tune.connectAlt({'protocol': 2})
    with pytest.raises(ConnectionSetupError, match=r'CLIENT_SIDE_CACHE.*RESP3'):
        alt.objects.get(1)


@pytest.mark.parametrize('command', ['tracking', 'caching'])
def test_a_user_who_may_not_be_told(tune, new_server, command):
    server = new_server()
    with contextlib.closing(server.client()) as client:
        client.execute_command(
            f'ACL SETUSER reader on >secret ~* +@read +@connection -client|{command}'
        )
    alt = tune.connectAlt({**server.params, 'username': 'reader', 'password': 'secret'})
    with pytest.raises(ConnectionSetupError, match='refuses CLIENT TRACKING'):
        alt.objects.get(1)


def test_a_server_that_is_too_old(server, make_model):
    if servers.tells(server.kind):
        pytest.skip(f'{servers.version(server.kind)} is new enough')
    model = make_model(['a'], CLIENT_SIDE_CACHE=5)
    with pytest.raises(ConnectionSetupError, match=r'CLIENT_SIDE_CACHE.*(version|RESP3)'):
        model.objects.get(1)


@pytest.mark.parametrize('name', CALLS)
def test_an_answer_hangs_on_every_key_that_was_read_for_it(tune, raw, monkeypatch, name):
    """The server tells what it looked at, in scripts too."""
    known = []

    def noting(question, replies):
        keys = keys_read(question, replies)
        known.extend(keys)
        return keys

    monkeypatch.setattr(reply_cache, 'keys_read', noting)
    CALLS[name](tune), CALLS[name](tune)  # the server knows the script, and is asked to tell
    note_write()
    known.clear()
    with raw.monitor() as monitor:
        CALLS[name](tune)
        raw.echo('end')
        read = keys_until(monitor, 'end')
    assert read
    assert read <= {key.decode() for key in known}


OF_KEYS = ('exists', 'sinter', 'sdiff')
OF_NONE = ('client', 'evalsha', 'eval', 'hello')


def keys_until(monitor, end):
    """The keys that commands named, up to an ``ECHO``."""
    found = set()
    for each in monitor.listen():
        name, *args = each['command'].split(' ')
        name = name.lower()
        if name == 'echo' and args == [end]:
            return found
        if name == 'sintercard':
            found.update(args[1 : 1 + int(args[0])])
        elif name not in OF_NONE:
            found.update(args if name in OF_KEYS else args[:1])
