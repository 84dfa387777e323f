"""Users give up in the middle: the proxy keeps the n-th reply to itself. The rule: the next command
gets its own answer, and a save that was given up is done again in the same place."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from faults.proxy import Proxy

import IndexedRedis as IR

pytestmark = pytest.mark.faults
PATIENCE = 0.1  # what is waited for never comes, so the length only costs time


async def by_wait_for(work):
    await asyncio.wait_for(work, PATIENCE)


async def by_timeout(work):
    async with asyncio.timeout(PATIENCE):
        await work


async def by_cancelling(work):
    task = asyncio.ensure_future(work)
    await asyncio.sleep(PATIENCE)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        raise TimeoutError from None


LIMITS = {'max_connections': 1, 'socket_timeout': 4}


def giving_up(test):
    """Somebody gives up in one of three ways: one by default."""
    ways = pytest.mark.parametrize('give_up', [by_wait_for, by_cancelling, by_timeout])
    return pytest.mark.either('give_up')(ways(test))


@pytest.fixture
def proxy(redis_params):
    with Proxy(redis_params) as proxy:
        yield proxy


@pytest.fixture
def one(song, proxy):
    """The model over the proxy, in a pool of a single connection."""
    return song.connectAlt({**proxy.params, **LIMITS})


@pytest.fixture
def places(proxy, full):
    """`await places(begin, give_up, after)`: give up at each command (without `--full` at each
    fifth after the tenth), then look; ends when the work needs no more of them. Returns how often
    it was given up."""

    async def places(begin, give_up, after):
        number, faults = 1, 0
        for attempt in itertools.count(1):
            work = await begin(attempt)
            proxy.fault(number, 'silent')
            happened, given_up = proxy.happened, False
            try:
                await give_up(work)
            except TimeoutError:
                given_up = True
            proxy.watch()
            await after(attempt)
            if proxy.happened > happened:
                number += 1 if full or number < 10 else 5
                faults += 1
            elif not given_up:  # else it was given up before it got there: once more
                break
        return faults

    return places


@giving_up
@pytest.mark.parametrize('count', [1, 4])
def test_saves(one, song, places, run, check, give_up, count):
    async def main():
        await one(title='first').asave()
        objs = []

        async def begin(number):
            objs[:] = [one(title=f't{n}', artist=f'artist {number}') for n in range(count)]
            return objs[0].asave() if count == 1 else one.saver.asave(objs)

        async def after(number):
            query = one.objects.filter(artist=f'artist {number}')
            stored = await query.agetPrimaryKeys(sortByAge=True)
            pks = await one.saver.asave(objs)
            assert not stored or stored == pks
            assert await query.agetPrimaryKeys(sortByAge=True) == pks
            assert len(pks) == count
            await asyncio.to_thread(check)

        return await places(begin, give_up, after)

    assert run(main()) >= (1 if count == 1 else 2)


@giving_up
def test_saves_of_linked_objects(album, artist, proxy, places, run, check, give_up, monkeypatch):
    for model in (album, artist):
        monkeypatch.setattr(model, 'REDIS_CONNECTION_PARAMS', {**proxy.params, **LIMITS})

    async def main():
        made = []

        async def begin(number):
            name = f'name {number}'
            made[:] = [album(title=name, artist=artist(name=name), guests=[artist(name=name)])]
            return made[0].asave()

        async def after(number):
            (obj,) = made
            await obj.asave()
            assert await album.objects.filter(title=f'name {number}').acount() == 1
            assert await artist.objects.filter(name=f'name {number}').acount() == 2
            assert await album.objects.aget(obj._id, cascadeFetch=True) == obj
            await asyncio.to_thread(check)

        return await places(begin, give_up, after)

    assert run(main()) >= 2


DELETES = {
    'an object': lambda objs: objs[0].adelete(),
    'objects': lambda objs: objs[0].deleter.adeleteMultiple(objs),
    'those that match': lambda objs: objs[0].objects.filter(artist='a').adelete(),
}


@giving_up
@pytest.mark.parametrize('what', DELETES)
def test_deletes(one, places, run, check, give_up, what):
    async def main():
        objs = []

        async def begin(_):
            objs[:] = [one(title='x', artist='a') for _ in range(3)]
            await one.saver.asave(objs)
            return DELETES[what](objs)

        async def after(_):
            assert await one.objects.acount() in (0, 2, 3)
            await one.deleter.adeleteMultiple(objs)
            assert await one.objects.acount() == 0
            await asyncio.to_thread(check)

        return await places(begin, give_up, after)

    assert run(main()) >= 1


@giving_up
@pytest.mark.either('number')
@pytest.mark.parametrize('number', [1, 2, 4, 500, 5000])
def test_reads_of_5000_rows(one, song, proxy, run, give_up, number):
    song.saver.save([song(title=str(n), year=n % 5) for n in range(5000)])
    IR.clearRedisPools()

    async def main():
        await one.objects.acount()
        proxy.fault(number, 'silent')
        with pytest.raises(TimeoutError):
            await give_up(one.objects.aget(1) if number == 1 else one.objects.aall())
        proxy.watch()
        found = await one.objects.agetMultiple([7, 1, 9999])
        assert [obj and obj.title for obj in found] == ['6', '0', None]
        assert await one.objects.filter(year=3).acount() == 1000
        assert len(await one.objects.aall()) == 5000

    run(main())


@giving_up
def test_resets(one, song, places, run, check, raw, give_up):
    async def main():
        await one.areset([one(title='old')])

        async def begin(number):
            return one.areset([one(title=str(number), artist='new') for _ in range(30)])

        async def after(number):
            titles = [obj.title for obj in await one.objects.aall()]
            assert titles in (['old'], [str(number)] * 30)
            await asyncio.to_thread(check, pending=True)
            raw.delete(f'_ir_|{song.KEY_NAME}:tmp:lock')  # where it could not be given back
            await one.areset([one(title='old')])
            await asyncio.to_thread(check)

        return await places(begin, give_up, after)

    assert run(main()) >= 5
