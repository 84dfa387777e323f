"""Small questions of many tasks over few connections. The rule: each task gets the answer, or the
error, to its own question, whatever becomes of the others."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ResponseError, TimeoutError

from IndexedRedis.executors.aio import Line
from IndexedRedis.executors.pools import coalescing

TASKS = 200


@pytest.fixture
def stored(song):
    song.saver.save([song(title=str(n), artist=f'a{n % 20}', year=n) for n in range(1, TASKS + 1)])
    return song


@pytest.fixture
def writes(monkeypatch):
    """The size of each write of this process."""
    sizes, send = [], Line.send

    async def noting(self, data):
        sizes.append(len(data))
        await send(self, data)

    monkeypatch.setattr(Line, 'send', noting)
    return sizes


async def ask(song, number):
    """One of four small questions; whether the answer is right."""
    kind = number % 4
    if kind == 0:
        return (await song.objects.aget(number)).title == str(number)
    if kind == 1:
        found = await song.objects.filter(artist=f'a{number % 20}').aall()
        return sorted(obj.year % 20 for obj in found) == [number % 20] * 10
    if kind == 2:
        return await song.objects.filter(artist=f'a{number % 20}').acount() == 10
    return (await song.objects.filter(artist=f'a{number % 20}').afirst()).year == (
        number % 20 or 20
    )


async def ask_all(song):
    return await asyncio.gather(*(ask(song, number) for number in range(1, TASKS + 1)))


def test_questions_of_one_moment_go_out_together(stored, run, writes):
    assert all(run(ask_all(stored)))  # from now on the server knows the scripts
    writes.clear()
    assert all(run(ask_all(stored)))
    assert len(writes) < TASKS / 10
    writes.clear()
    assert run(ask(stored, 1))
    assert len(writes) == 1  # nobody to share with


def test_an_error_is_only_for_the_task_that_asked(stored, run, raw):
    raw.set(f'_ir_|{stored.KEY_NAME}:idx:artist:odd', 'no set')

    async def main():
        odd = (stored.objects.filter(artist='odd').acount() for _ in range(5))
        return await asyncio.gather(ask_all(stored), *odd, return_exceptions=True)

    answers, *errors = run(main())
    assert all(answers)
    assert [type(error) for error in errors] == [ResponseError] * 5
    raw.delete(f'_ir_|{stored.KEY_NAME}:idx:artist:odd')


def test_tasks_that_are_cancelled_disturb_nobody(stored, run):
    async def main():
        tasks = [asyncio.create_task(ask(stored, number)) for number in range(1, TASKS + 1)]
        for rounds in range(4):
            await asyncio.sleep(0)
            for task in tasks[rounds::8]:
                task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = run(main())
    cancelled = [each for each in found if isinstance(each, asyncio.CancelledError)]
    assert len(cancelled) >= TASKS / 8
    assert all(found)
    assert {type(each) for each in found} == {bool, asyncio.CancelledError}


@pytest.mark.faults
def test_connections_that_break_and_scripts_that_are_forgotten(stored, run, raw):
    async def main():
        asking = [asyncio.create_task(ask_all(stored)) for _ in range(20)]
        killed = 0
        while not all(task.done() for task in asking):
            await asyncio.sleep(0)
            for client in raw.client_list():
                if client['name'] == 'test-aio' and killed < 30:
                    raw.client_kill_filter(_id=client['id'])
                    killed += 1
            raw.script_flush()
        return killed, await asyncio.gather(*asking)

    killed, answers = run(main())
    assert killed == 30
    assert all(all(each) for each in answers)


def test_a_server_that_says_nothing_lets_all_of_them_fail(song, run, new_server):
    server = new_server()
    slow = song.connectAlt({**server.params, 'socket_timeout': 0.3})
    slow(title='x').save()

    async def main():
        await slow.objects.acount()
        server.freeze()
        return await asyncio.gather(
            *(slow.objects.aget(1) for _ in range(50)), return_exceptions=True
        )

    try:
        found = run(main())
    finally:
        server.resume()
    assert {type(each) for each in found} == {TimeoutError}


def test_a_round_that_is_cancelled_leaves_nobody_waiting(stored, run, monkeypatch):
    monkeypatch.setattr(coalescing, 'BATCHES_IN_WRITE', 3)

    async def main():
        asking = [asyncio.create_task(ask(stored, number)) for number in range(1, 51)]
        await asyncio.sleep(0)
        for task in asyncio.all_tasks():
            if '_work' in repr(task.get_coro()):
                task.cancel()
        return await asyncio.gather(*asking)

    assert all(run(main()))
