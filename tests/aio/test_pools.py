"""The connections of event loops. The rule: one pool for each loop and set of parameters, limited,
and gone when it was closed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import IndexedRedis as IR
from aio.conftest import clients_of, closing, left_over
from aio.cut import cut
from IndexedRedis import UsageError
from IndexedRedis.connections import tasks
from IndexedRedis.executors.pools.turns import ConnectionTurns
from IndexedRedis.managers.manager import async_executor_of


def pool_of(model):
    return async_executor_of(model).pool


def test_tasks_of_a_loop_share_a_pool_that_is_limited_and_patient(songs, run):
    async def main():
        pools = await asyncio.gather(*(asyncio.to_thread(id, pool_of(songs)) for _ in range(5)))
        assert len(set(pools)) == 1
        pool = pool_of(songs)
        assert type(pool.turns) is ConnectionTurns
        assert pool.max_connections == IR.REDIS_DEFAULT_POOL_MAX_SIZE
        assert pool.connection_kwargs['socket_timeout'] == 5
        assert pool.connection_kwargs['socket_connect_timeout'] == 5
        assert pool_of(songs.connectAlt({'db': 0})) is pool
        assert pool_of(songs.connectAlt({'socket_timeout': 9})) is not pool

    run(main())


def test_200_tasks_wait_for_4_connections(song, raw, run):
    song.REDIS_CONNECTION_PARAMS = {'max_connections': 4}
    seen = set()

    async def work(number):
        obj = song(title='x', artist=str(number))
        await obj.asave()
        obj.artist = 'changed'
        await obj.asave()
        assert obj._id in await song.objects.filter(artist='changed').agetPrimaryKeys()
        seen.add(len(clients_of(raw)))

    async def main():
        await asyncio.gather(*(work(number) for number in range(200)))
        assert await song.objects.filter(artist='changed').acount() == 200

    run(main())
    assert max(seen) == 4


def test_aclose_closes_all_connections_and_the_next_use_opens_new_ones(songs, raw, run):
    others = songs.connectAlt({'max_connections': 5})

    async def main():
        for _ in range(2):
            await asyncio.gather(*(songs.objects.acount() for _ in range(6)))
            await others.objects.acount()
            before = clients_of(raw)
            assert len(before) >= 2
            await IR.aclose()
            assert await asyncio.to_thread(left_over, raw) == []
            await IR.aclose()  # twice is no error
        assert await songs.objects.acount() == 6
        assert len(clients_of(raw)) == 1
        assert not set(clients_of(raw)) & set(before)

    run(main())


def test_a_cancelled_aclose_can_be_called_again(songs, raw, run):
    others = [songs.connectAlt({'max_connections': number}) for number in (3, 4, 5)]

    async def main():
        for first in range(1, 8):
            for model in others:
                await asyncio.gather(*(model.objects.acount() for _ in range(3)))
            assert len(clients_of(raw)) > 3
            await cut(IR.aclose(), first)
            await IR.aclose()
            assert await asyncio.to_thread(left_over, raw) == []

    run(main())


def test_aclose_is_for_the_running_loop_only(songs, raw, run):
    """A loop in another thread keeps its connections."""
    opened, closed = threading.Event(), threading.Event()

    async def other():
        assert await songs.objects.acount() == 6
        opened.set()
        await asyncio.to_thread(closed.wait)
        pool = pool_of(songs)
        (mine,) = clients_of(raw)
        assert await songs.objects.acount() == 6
        assert clients_of(raw) == [mine]
        assert pool_of(songs) is pool

    async def main():
        assert await songs.objects.acount() == 6
        assert len(clients_of(raw)) == 2
        await IR.aclose()
        while len(clients_of(raw)) > 1:
            await asyncio.sleep(0)

    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(asyncio.run, closing(other()))
        opened.wait()
        try:
            run(main())
        finally:
            closed.set()
            future.result()


def test_loops_in_threads_do_not_get_in_each_others_way(song):
    barrier = threading.Barrier(6)

    async def work(number):
        obj = song(title='x', artist=str(number))
        await obj.asave()
        assert await song.objects.filter(artist=str(number)).acount() >= 1

    async def main(number):
        barrier.wait()
        await asyncio.gather(*(work(number) for _ in range(20)))

    def one_after_the_other(number):
        for _ in range(5):
            asyncio.run(closing(main(number)))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(one_after_the_other, range(6)))
    assert song.objects.count() == 6 * 5 * 20


def test_many_loops_that_begin_and_end_at_once(songs):
    """Whoever needs a pool first removes those of ended loops, whatever other threads do."""

    async def main():
        pool_of(songs)  # never closed, and never connected

    def begin_and_end(_):
        for _ in range(100):
            asyncio.run(main())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(begin_and_end, range(8)))
    asyncio.run(closing(main()))
    assert tasks._pools == {}


def test_run_twice_with_aclose(songs, raw):
    async def main():
        assert await songs.objects.acount() == 6
        assert len(clients_of(raw)) == 1
        return pool_of(songs)

    first = asyncio.run(closing(main()))
    assert tasks._pools == {}
    second = asyncio.run(closing(main()))
    assert tasks._pools == {}
    assert first is not second


@pytest.mark.filterwarnings('ignore:unclosed:ResourceWarning')
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
def test_run_twice_without_aclose_leaks_no_pool(songs, raw):
    """Python says that something is unclosed, as with redis.asyncio; the next loop clears up."""

    async def main():
        assert await songs.objects.acount() == 6
        return id(asyncio.get_running_loop())

    for _ in range(3):
        asyncio.run(main())
        gc.collect()
        assert len(tasks._pools) == 1
    asyncio.run(closing(main()))
    assert tasks._pools == {}
    gc.collect()
    assert left_over(raw) == []


def test_without_a_running_loop_there_is_nothing_to_use(songs):
    with pytest.raises(UsageError, match=r'No event loop is running.*without'):
        async_executor_of(songs)
    coroutine = IR.aclose()
    with pytest.raises(RuntimeError, match='no running event loop'):
        coroutine.send(None)
    coroutine = songs.objects.acount()
    with pytest.raises(UsageError, match='No event loop is running'):
        coroutine.send(None)


def test_a_coroutine_that_nobody_awaits_sends_nothing(song, raw):
    with contextlib.closing(song(title='x').asave()), contextlib.closing(song.areset([song()])):
        pass
    assert raw.keys() == []


def test_changed_defaults_take_effect_at_once(songs, redis_params, run):
    async def main():
        assert await songs.objects.acount() == 6
        query = songs.objects
        defaults = IR.getDefaultRedisConnectionParams()
        IR.setDefaultRedisConnectionParams({**defaults, 'db': 1})
        assert await query.acount() == 0
        IR.setDefaultRedisConnectionParams(defaults)
        assert await query.acount() == 6

    run(main())
