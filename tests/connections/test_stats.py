"""The figures of pools and caches. The rule: what a test did is what is counted."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from support.linked import Author

import IndexedRedis as IR
from IndexedRedis import IRField


def only(figures):
    """The figures of the one pool."""
    (one,) = figures
    return one


def part(figures, *names):
    return tuple(figures[name] for name in names)


STATE = ('open', 'idle', 'lent', 'waiting', 'waits', 'connects')


@pytest.fixture
def song(make_model, redis_params):
    IR.setDefaultRedisConnectionParams({**redis_params, 'max_connections': 2})
    return make_model(['title'])


def test_no_pool_no_figures(redis_params):
    assert IR.stats() == []


def test_a_pool_of_threads(song, redis_params):
    song(title='x').save()
    assert part(only(IR.stats()), *STATE) == (1, 1, 0, 0, 0, 1)
    figures = only(IR.stats())
    assert json.loads(json.dumps(figures)) == figures
    expected = ('127.0.0.1:{port}'.format(**redis_params), redis_params['db'], 'primary', 'threads')
    assert part(figures, 'server', 'database', 'role', 'kind') == expected
    assert figures['size'] == 2
    pool = IR.getRedisPool()
    borrowed = [pool.get_connection(), pool.get_connection()]
    assert part(only(IR.stats()), *STATE) == (2, 0, 2, 0, 0, 2)
    waiting = threading.Thread(target=song.objects.count)
    waiting.start()
    while not only(IR.stats())['waiting']:
        pass
    assert part(only(IR.stats()), *STATE) == (2, 0, 2, 1, 1, 2)
    for connection in borrowed:
        pool.release(connection)
    waiting.join()
    assert part(only(IR.stats()), *STATE) == (2, 2, 0, 0, 1, 2)
    IR.clearRedisPools()
    assert IR.stats() == []


def test_a_connection_that_is_opened_again_counts(song, raw):
    song(title='x').save()
    raw.client_kill_filter(_type='normal', skipme=True)
    assert song.objects.count() == 1
    assert part(only(IR.stats()), 'open', 'connects') == (1, 2)


def test_a_pool_of_an_event_loop(song):
    async def main():
        await song(title='x').asave()
        before = part(only(IR.stats()), 'kind', *STATE)
        pool = only([*IR.connections.tasks._pools[asyncio.get_running_loop()].values()])
        loans = [[], []]
        for loan in loans:
            await pool.lend(loan)
        waiting = asyncio.create_task(pool.lend(late := []))
        while not only(IR.stats())['waiting']:
            await asyncio.sleep(0)
        busy = part(only(IR.stats()), *STATE)
        await pool.take_back(loans[0])
        await waiting
        for loan in (loans[1], late):
            await pool.take_back(loan)
        after = part(only(IR.stats()), *STATE)
        await IR.aclose()
        return before, busy, after, IR.stats()

    before, busy, after, closed = asyncio.run(main())
    assert before == ('asyncio', 1, 1, 0, 0, 0, 1)
    assert busy == (2, 0, 2, 1, 1, 2)
    assert after == (2, 2, 0, 0, 1, 2)
    assert closed == []


@pytest.mark.telling
def test_caches(telling_server, make_model, raw):
    Song = make_model([IRField('title')], indexed=['title'], CLIENT_SIDE_CACHE=20)
    Song(title='x').save()
    names = ('cacheEntries', 'cacheHits', 'cacheMisses')
    assert part(only(IR.stats()), *names) == (0, 0, 0)
    for _ in range(3):
        assert Song.objects.filter(title='x').count() == 1
    assert part(only(IR.stats()), *names) == (1, 2, 1)
    raw.client_kill_filter(_type='normal', skipme=True)
    assert Song.objects.filter(title='x').count() == 1
    # The cache ended with its connection, the counts go on.
    entries, hits, misses = part(only(IR.stats()), *names)
    assert (entries, hits + misses) == (1, 4) and hits >= 2

    async def main():
        for _ in range(3):
            await Song.objects.filter(title='x').acount()
        figures = next(each for each in IR.stats() if each['kind'] == 'asyncio')
        await IR.aclose()
        return part(figures, *names)

    assert asyncio.run(main()) == (1, 2, 1)


@pytest.mark.clusters
def test_each_node_of_a_service(sentinels):
    IR.setDefaultRedisConnectionParams(sentinels.params)
    Author(name='x').save()
    found = {figures['role']: figures for figures in IR.stats()}
    assert set(found) == {'primary', 'guide'}
    assert part(found['primary'], 'open', 'idle') == (1, 1)
    assert found['primary']['server'] != found['guide']['server']
