"""A task is cancelled at each place where an operation waits. The rule: afterwards the only
connection of the pool answers right, and what was cut off can be done again."""

from __future__ import annotations

import asyncio
import itertools

import pytest

import IndexedRedis as IR
from aio.cut import cut
from IndexedRedis.executors.pools.threads import connection_of
from IndexedRedis.managers.manager import async_executor_of

pytestmark = pytest.mark.faults
ROWS = 300
MISSES = 3  # as many places in a row that were not reached: there are no more


@pytest.fixture
def one(song):
    """A model over a pool of a single connection, in which whatever was left behind would show."""
    song.REDIS_CONNECTION_PARAMS = {'max_connections': 1}
    return song


def rows(model, count, artist='new'):
    return [model(title=f't{n}', artist=artist, year=n % 7) for n in range(count)]


async def cut_everywhere(begin, look, connected=True):
    """Begin anew for each place, cancel there, look; returns how often it was cut short.

    Whether a read has to wait is up to the server, so the number of places varies a little. Some
    hit what is done because of the first cancellation, too.
    """
    cuts = missed = 0
    numbers = itertools.count(1)
    for times in (1, 2, 3):
        for first in itertools.count(1):
            number = next(numbers)
            work = await begin(number)
            if not connected:
                await IR.aclose()
            reached, outcome = await cut(work, first, times)
            cancelled = isinstance(outcome, asyncio.CancelledError)
            if isinstance(outcome, BaseException) and not cancelled:
                raise outcome
            cuts += cancelled
            assert cancelled or not reached or not connected
            await look(number, outcome)
            missed = 0 if reached else missed + 1
            if missed == MISSES:
                break
    return cuts


@pytest.mark.parametrize('connected', [True, False])
def test_reads(one, run, connected):
    """Of one row, of one trip and of several."""
    one.saver.save(rows(one, ROWS))
    IR.clearRedisPools()
    reads = {
        'get': lambda: one.objects.aget(1),
        'filter': lambda: one.objects.filter(year=3).aall(),
        'all': lambda: one.objects.aall(),
    }

    async def main(read):
        async def begin(_):
            return read()

        async def look(_, outcome):
            assert await one.objects.filter(year=3).acount() == 43
            assert (await one.objects.aget(7)).year == 6
            if isinstance(outcome, list):
                assert len(outcome) in (43, ROWS)

        return await cut_everywhere(begin, look, connected)

    for name, read in reads.items():
        assert run(main(read)) >= 1, name


@pytest.mark.parametrize('count', [1, 5])
@pytest.mark.parametrize('connected', [True, False])
def test_a_cancelled_save_is_done_again_under_the_same_pk(one, run, check, count, connected):
    async def main():
        await one(title='first').asave()
        objs = []

        async def begin(_):
            objs[:] = rows(one, count)
            return one.saver.asave(objs)

        async def look(number, outcome):
            stored = sorted(await one.objects.filter(artist='new').agetPrimaryKeys())
            assert len(stored) in (0, count)
            pks = await one.saver.asave(objs)
            assert pks == [obj._id for obj in objs]
            if stored:
                assert pks == stored
            if not isinstance(outcome, asyncio.CancelledError):
                assert pks == outcome
            assert not any(obj.hasUnsavedChanges() for obj in objs)
            found = await one.objects.filter(artist='new').aallByAge()
            assert [obj._id for obj in found] == pks
            assert found == objs
            assert await one.objects.filter(artist='new').adelete() == count
            await asyncio.to_thread(check)

        return await cut_everywhere(begin, look, connected)

    assert run(main()) >= 2


def test_a_cancelled_update(one, run, check):
    async def main():
        obj = one(title='x', artist='a', year=0)
        await obj.asave()

        async def begin(number):
            obj.artist, obj.year = f'artist {number}', number
            return obj.asave()

        async def look(number, outcome):
            unsure = isinstance(outcome, asyncio.CancelledError)
            assert obj.hasUnsavedChanges() is unsure
            assert await obj.asave() == [1]
            assert not obj.hasUnsavedChanges()
            found = await one.objects.filter(artist=f'artist {number}', year=number).aall()
            assert found == [obj]
            await asyncio.to_thread(check)

        return await cut_everywhere(begin, look)

    assert run(main()) >= 1


def test_a_cancelled_save_of_linked_objects(album, artist, run, check):
    for model in (album, artist):
        model.REDIS_CONNECTION_PARAMS = {'max_connections': 1}

    async def main():
        made = []

        async def begin(number):
            name = f'name {number}'
            guests = [artist(name=name), artist(name=name)]
            made[:] = [album(title=name, artist=artist(name=name), guests=guests)]
            return made[0].asave()

        async def look(number, outcome):
            (obj,) = made
            (pk,) = await obj.asave()
            assert await album.objects.filter(title=f'name {number}').agetPrimaryKeys() == [pk]
            assert await artist.objects.filter(name=f'name {number}').acount() == 3
            (found,) = await album.objects.filter(artist=obj.artist).aall(cascadeFetch=True)
            assert found == obj
            assert not obj.hasUnsavedChanges(cascadeObjects=True)
            await asyncio.to_thread(check)

        return await cut_everywhere(begin, look)

    assert run(main()) >= 2


def test_a_cancelled_delete_is_done_again(one, run, check):
    async def main(delete):
        objs = []

        async def begin(_):
            objs[:] = rows(one, 5)
            await one.saver.asave(objs)
            return delete(objs)

        async def look(_, outcome):
            left = await one.objects.acount()
            assert left in (0, 5)
            if isinstance(outcome, asyncio.CancelledError):
                await delete(objs)
            assert await one.objects.acount() == 0
            await asyncio.to_thread(check)

        return await cut_everywhere(begin, look)

    assert run(main(lambda objs: one.deleter.adeleteMultiple(objs))) >= 1
    assert run(main(lambda objs: one.objects.filter(artist='new').adelete())) >= 2
    assert run(main(lambda objs: asyncio.wait_for(objs[0].objects.adelete(), 60))) >= 1


def test_a_cancelled_reset_leaves_the_old_or_the_new(one, run, check, raw):
    async def main():
        await one.areset(rows(one, 3, 'old'))

        async def begin(number):
            return one.areset(rows(one, 60, f'artist {number}'))

        async def look(number, outcome):
            found = await one.objects.aall()
            assert len({obj.artist for obj in found}) == 1
            assert len(found) == (60 if found[0].artist == f'artist {number}' else 3)
            if isinstance(outcome, asyncio.CancelledError):
                await asyncio.to_thread(check, pending=True)
            raw.delete(f'_ir_|{one.KEY_NAME}:tmp:lock')  # where it could not be given back
            await one.areset(rows(one, 3, 'old'))

        return await cut_everywhere(begin, look)

    assert run(main()) >= 2


def test_an_object_that_was_cut_off_can_be_saved_by_a_thread(one, run):
    """Outcome unknown is a state of the object, whichever way it is saved next."""

    async def main(obj, number):
        _, outcome = await cut(obj.asave(), number, 3)
        return isinstance(outcome, asyncio.CancelledError)

    cuts = 0
    for number in range(1, 20):
        obj = one(title=f'title {number}', artist='x')
        cuts += run(main(obj, number))
        obj.save()
        assert one.objects.filter(artist='x').count() == one.objects.count() == number
        assert one.objects.get(obj._id) == obj
    assert cuts >= 2


def test_those_who_wait_for_a_connection_get_it_although_others_are_cancelled(one, run):
    """A connection that was lost to the pool would show when the patience of 20 seconds is over."""
    one.saver.save(rows(one, 50))
    IR.clearRedisPools()

    async def main():
        for first, times in itertools.product(range(1, 12), (1, 2, 3)):
            work = [cut(one.objects.aall(), first, times) for _ in range(4)]
            work.insert(2, one.objects.aall())
            outcomes = await asyncio.wait_for(asyncio.gather(*work), 15)
            assert len(outcomes[2]) == 50

    run(main())


def test_a_connection_is_not_lost_with_the_task_that_was_to_get_it(one, run):
    """The first in the queue is told that there is one, and cancelled in the same moment."""

    async def main():
        await one(title='x').asave()
        pool = async_executor_of(one).pool
        connection = await connection_of(pool)
        first, second = (asyncio.create_task(one.objects.acount()) for _ in range(2))
        for _ in range(5):  # both are waiting
            await asyncio.sleep(0)
        await pool.release(connection)
        first.cancel()
        assert await asyncio.wait_for(second, 10) == 1
        assert await asyncio.gather(first, return_exceptions=True) != [1]

    run(main())
