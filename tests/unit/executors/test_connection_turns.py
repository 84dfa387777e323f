"""Turns for connections. The rule: first come, first served, and no turn is ever lost."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError

from IndexedRedis.executors.pools.turns import ConnectionTurns


def test_those_that_wait_come_before_those_that_come_back():
    async def main():
        turns, log = ConnectionTurns(1, 9), []

        async def worker(name):
            for _ in range(3):
                await turns.take(name)
                log.append(name)
                await asyncio.sleep(0)
                turns.leave(name)

        await asyncio.gather(*(worker(name) for name in 'abc'))
        return log

    assert asyncio.run(main()) == [*'abcabcabc']


def test_no_more_have_their_turn_than_there_are_connections():
    async def main():
        turns, now, most = ConnectionTurns(3, 9), 0, 0

        async def worker(name):
            nonlocal now, most
            await turns.take(name)
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            for _ in range(2):  # more than once changes nothing
                turns.leave(name)

        await asyncio.gather(*map(worker, range(50)))
        assert turns.idle
        return most

    assert asyncio.run(main()) == 3


@pytest.mark.parametrize('with_turn', [False, True], ids=['while waiting', 'with the turn given'])
def test_a_cancelled_task_passes_its_turn_on(with_turn):
    async def main():
        turns, log = ConnectionTurns(1, 9), []

        async def worker(name):
            try:
                await turns.take(name)
                log.append(name)
            finally:
                turns.leave(name)

        await turns.take(1)
        tasks = [asyncio.create_task(worker(name)) for name in 'abc']
        await asyncio.sleep(0)
        if with_turn:
            turns.leave(1)
            tasks[0].cancel()
        else:
            tasks[0].cancel()
            await asyncio.sleep(0)
            turns.leave(1)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        await asyncio.wait_for(turns.take(2), 1)
        return log

    assert asyncio.run(main()) == ['b', 'c']


def test_patience_ends():
    async def main():
        turns = ConnectionTurns(1, 0.01)
        await turns.take(1)
        with pytest.raises(ConnectionError, match='No connection available'):
            await turns.take(2)
        turns.leave(2)  # has none
        assert not turns.idle
        turns.leave(1)
        await turns.take(3)

    asyncio.run(main())
