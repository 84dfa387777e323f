"""Tasks beside each other. The rule: the stored data stays whole whatever the order, and each task
gets the answers to its own questions."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis.asyncio

import IndexedRedis as IR
from aio.conftest import closing
from IndexedRedis import ObjectGoneError, ResetInProgressError
from IndexedRedis.connections import tasks

TASKS = 100
GONE = (ObjectGoneError, ResetInProgressError)  # what a task beside resets has to expect


async def save_read_delete(song, number):
    """What a task of a service does; only errors of resets may come."""
    name = f'task {number}'
    obj = song(title=name, artist=name, year=number % 5)
    try:
        await obj.asave()
        obj.year = number % 5 + 1
        await obj.asave()
        found = await song.objects.filter(artist=name).aall()
        assert [(each.title, each.year) for each in found] in ([], [(name, obj.year)])
        one = await song.objects.aget(obj._id)
        assert one is None or one == obj
        if number % 2:
            await obj.adelete()
            assert await song.objects.filter(artist=name).acount() == 0
        elif number % 3 == 0:
            await song.objects.filter(artist=name).adelete()
    except GONE:
        assert await song.objects.filter(artist=name).acount() == 0


def test_100_tasks_beside_resets(song, run, check):
    done = []

    async def resets():
        for edition in range(15):
            objs = [song(title='reset', artist=f'edition {edition}', year=9) for _ in range(200)]
            await song.areset(objs)
            done.append(edition)

    async def reads():
        while len(done) < 15:
            found = await song.objects.filter(year=9).aall()
            assert len({obj.artist for obj in found}) <= 1
            assert len(found) in (0, 200)

    async def main():
        tasks = [save_read_delete(song, number) for number in range(TASKS)]
        await asyncio.gather(resets(), reads(), *tasks)
        assert await song.objects.filter(artist='edition 14').acount() == 200
        await asyncio.to_thread(check, song)

    run(main())


def test_100_tasks_that_save_read_and_delete(song, run):
    async def main():
        await asyncio.gather(*(save_read_delete(song, number) for number in range(TASKS)))
        kept = [number for number in range(TASKS) if number % 2 == 0 and number % 3]
        titles = sorted(obj.title for obj in await song.objects.aall())
        assert titles == sorted(f'task {number}' for number in kept)

    run(main())


def test_loops_and_threads_beside_each_other(song):
    """Three loops and three threads on the same rows."""
    song.saver.save([song(title='shared', artist='a') for _ in range(20)])

    async def main(number):
        async def work(step):
            obj = await song.objects.aget(step % 20 + 1)
            obj.artist, obj.year = f'{number}-{step}', step
            await obj.asave()
            assert await song.objects.acount() == 20

        await asyncio.gather(*(work(step) for step in range(60)))

    def in_a_thread(number):
        for step in range(60):
            obj = song.objects.get(step % 20 + 1)
            obj.artist, obj.year = f'{number}-{step}', step
            obj.save()

    with ThreadPoolExecutor(6) as threads:
        work = [threads.submit(asyncio.run, closing(main(number))) for number in range(3)]
        work += [threads.submit(in_a_thread, number) for number in range(3, 6)]
        for each in work:
            each.result()
    assert song.objects.count() == 20


def test_tasks_on_one_stored_object(songs, run):
    """The object ends up as it is stored, whoever came last."""

    async def main():
        obj = await songs.objects.aget(1)

        async def change(number):
            obj.year = number
            await asyncio.sleep(random.random() / 100)
            await obj.asave()

        await asyncio.gather(*(change(number) for number in range(20)))
        await obj.asave()
        assert not obj.hasUnsavedChanges()
        assert await songs.objects.aget(1) == obj
        assert await songs.objects.filter(year=obj.year).agetPrimaryKeys() == [1]

    run(main())


def test_a_change_while_the_object_is_being_saved_is_not_forgotten(songs, run):
    async def main():
        obj = await songs.objects.aget(1)
        obj.year = 1
        saving = asyncio.create_task(obj.asave())
        await asyncio.sleep(0)
        obj.year, obj.artist = 2, 'later'
        await saving
        assert (await songs.objects.aget(1)).year == 1
        assert obj.getUpdatedFields() == {'year': (1, 2), 'artist': ('a', 'later')}
        await obj.asave()
        found = await songs.objects.aget(1)
        assert (found.year, found.artist) == (2, 'later')

    run(main())


def test_two_tasks_save_one_new_object(song, run):
    """As with two threads, nobody knows of the other; what is stored is whole."""

    async def main():
        obj = song(title='x', artist='a')
        pks = await asyncio.gather(obj.asave(), obj.asave())
        assert sorted(pks) == [[1], [2]]  # twice: an object is for one task at a time
        assert await song.objects.agetPrimaryKeys(sortByAge=True) == [1, 2]
        assert obj._id in (1, 2)
        assert not obj.hasUnsavedChanges()

    run(main())


def test_a_save_beside_a_delete_of_one_object(songs, run):
    async def main():
        for pk in range(1, 7):
            obj = await songs.objects.aget(pk)
            obj.artist = 'changed'
            outcomes = await asyncio.gather(obj.asave(), obj.adelete(), return_exceptions=True)
            errors = [each for each in outcomes if isinstance(each, BaseException)]
            assert all(isinstance(error, ObjectGoneError) for error in errors)
            assert not await songs.objects.aexists(pk)

    run(main())


def test_reads_of_one_list_beside_each_other(songs, run):
    async def main():
        found = await songs.objects.aall()
        await asyncio.gather(found.areload(), found.asave(), found.arefetch(), found.areload())
        assert await found.adelete() == 6
        assert await songs.objects.acount() == 0

    run(main())


@pytest.mark.parametrize('beside', ['saves', 'resets'])
def test_closing_beside_what_goes_on(song, run, beside):
    """aclose() cuts connections; what is under way goes on or fails, and damages nothing."""

    async def main():
        async def work(number):
            if beside == 'saves':
                return await song(title=str(number), artist='a').asave()
            return await song.areset([song(title=str(number), artist='a') for _ in range(50)])

        for _ in range(5):
            working = [asyncio.create_task(work(number)) for number in range(4)]
            await asyncio.sleep(0.001)
            pools = [*_pools()]
            await IR.aclose()
            for outcome in await asyncio.gather(*working, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    assert isinstance(outcome, (redis.ConnectionError, *GONE, OSError))
            for pool in pools:  # of tasks that went on after they had been cut off
                await pool.disconnect()

    def _pools():
        return tasks._pools[asyncio.get_running_loop()].values()

    run(main())


def test_a_transport_without_methods_is_a_closed_connection(song, run):
    """Python 3.12 calls None in ``writelines`` of a transport that ``aclose`` closed."""

    async def main():
        await song.objects.acount()
        (pool,) = {*tasks._pools[asyncio.get_running_loop()].values()}
        await IR.aclose()
        (connection,) = pool.idle()
        connection.connect = calls_none
        await pool.lend([])

    async def calls_none():
        raise TypeError("'NoneType' object is not callable")

    with pytest.raises(redis.ConnectionError, match='was closed'):
        run(main())
