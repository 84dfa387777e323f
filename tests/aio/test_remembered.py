"""Remembered answers on asyncio. The rule: however busy the loop was, what has arrived is looked at
before an answer is given again; and to ask for what is to be remembered is a question like any."""

from __future__ import annotations

import asyncio
import time

import pytest

from IndexedRedis.testing import recordTrips

TASKS = 60


@pytest.fixture
def remembering(telling_server, song, monkeypatch):
    """Songs 1 to 60, by six artists; answers to queries are remembered."""
    song.saver.save([song(title=str(n), artist=f'a{n % 6}', year=n) for n in range(1, TASKS + 1)])
    monkeypatch.setattr(song, 'CLIENT_SIDE_CACHE', 100)
    return song


def rename(song, raw, pk, title):
    raw.hset(f'_ir_|{song.KEY_NAME}:data:{pk}', 'title', title)


@pytest.mark.parametrize('busy', [0.05, 0.3])
def test_a_loop_that_was_busy_gives_nothing_old(remembering, raw, run, full, busy):
    async def main():
        for number in range(10 if full else 3):
            assert (await remembering.objects.aget(1)).title is not None
            rename(remembering, raw, 1, f'new {number}')
            time.sleep(busy)  # the server tells meanwhile
            assert (await remembering.objects.aget(1)).title == f'new {number}'

    run(main())


def test_who_does_nothing_but_read_sees_what_others_write(remembering, raw, run):
    async def main():
        await remembering.objects.aget(1)
        await remembering.objects.aget(1)
        rename(remembering, raw, 1, 'new')
        ends = time.monotonic() + 10
        while (await remembering.objects.aget(1)).title != 'new':
            assert time.monotonic() < ends

    run(main())


def test_many_tasks_ask_after_a_write_and_remember(remembering, run):
    async def ask(n):
        found = await remembering.objects.filter(artist=f'a{n % 6}').aall()
        return sorted(each.year % 6 for each in found) == [n % 6] * 10

    async def main():
        for _ in range(5):
            await remembering(title='other', artist='none').asave()
            assert all(await asyncio.gather(*map(ask, range(TASKS))))
        for n in range(6):
            await ask(n)
        with recordTrips() as trips:
            assert all(await asyncio.gather(*map(ask, range(TASKS))))
        assert trips == []

    run(main())


def test_one_who_is_cancelled_while_asking_leaves_nothing_behind(remembering, run):
    async def main():
        for pause in range(40):
            task = asyncio.ensure_future(remembering.objects.filter(artist='a1').aall())
            for _ in range(pause % 8):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert len(await remembering.objects.filter(artist='a2').aall()) == 10

    run(main())
