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
                await turns.take()
                log.append(name)
                await asyncio.sleep(0)
                turns.leave()

        await asyncio.gather(*(worker(name) for name in 'abc'))
        return log

    assert asyncio.run(main()) == [*'abcabcabc']


def test_no_more_have_their_turn_than_there_are_connections():
    async def main():
        turns, now, most = ConnectionTurns(3, 9), 0, 0

        async def worker():
            nonlocal now, most
            await turns.take()
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            turns.leave()

        await asyncio.gather(*(worker() for _ in range(50)))
        return most

    assert asyncio.run(main()) == 3


@pytest.mark.parametrize('with_turn', [False, True], ids=['while waiting', 'with the turn given'])
def test_a_cancelled_task_passes_its_turn_on(with_turn):
    async def main():
        turns, log = ConnectionTurns(1, 9), []

        async def worker(name):
            await turns.take()
            log.append(name)
            turns.leave()

        await turns.take()
        tasks = [asyncio.create_task(worker(name)) for name in 'abc']
        await asyncio.sleep(0)
        if with_turn:
            turns.leave()
            tasks[0].cancel()
        else:
            tasks[0].cancel()
            await asyncio.sleep(0)
            turns.leave()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        await asyncio.wait_for(turns.take(), 1)
        return log

    assert asyncio.run(main()) == ['b', 'c']


def test_patience_ends():
    async def main():
        turns = ConnectionTurns(1, 0.01)
        await turns.take()
        with pytest.raises(ConnectionError, match='No connection available'):
            await turns.take()
        turns.leave()
        await turns.take()

    asyncio.run(main())
