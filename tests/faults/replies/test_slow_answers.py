"""Answers that trickle in. The rule: the time-out is that of an answer as a whole, however often a
part of it comes, and it holds for what a connection is greeted with as well."""

from __future__ import annotations

import asyncio

import pytest
import redis

import IndexedRedis as IR
from faults.item import edition, over

# Seconds: each byte comes in time, an answer of some dozen bytes does not.
BETWEEN_BYTES, TIME_OUT = 0.02, 0.3


@pytest.fixture(params=['threads', 'tasks'])
def call(request):
    """`await call(owner, name, ...)`: call a method, or await its twin."""

    async def call(owner, name, *args):
        if request.param == 'tasks':
            return await getattr(owner, f'a{name}')(*args)
        return getattr(owner, name)(*args)

    return call


def run(item, proxy, call, protocol, **late):
    """Ask while answers trickle in, then again; connected before, or with `late` not."""
    item.saver.save(edition(item, 1, 20))
    slow = over({**proxy.params, 'socket_timeout': TIME_OUT, 'protocol': protocol})

    async def main():
        if not late:
            assert await call(slow.objects, 'count') == 20
        proxy.trickle = BETWEEN_BYTES
        with pytest.raises(redis.TimeoutError):
            await call(slow.objects, late.get('first', 'all'))
        proxy.trickle = 0.0
        assert await call(slow.objects, 'count') == 20
        assert len(await call(slow.objects, 'all')) == 20
        await IR.aclose()

    asyncio.run(main())


@pytest.mark.parametrize('protocol', [2, 3])
def test_an_answer_that_takes_too_long(item, proxy, call, protocol):
    run(item, proxy, call, protocol)


def test_a_greeting_that_takes_too_long(item, proxy, call):
    """That to HELLO; the answer to the question itself is short."""
    run(item, proxy, call, 3, first='count')


def test_many_answers_that_take_long_together_are_no_time_out(item, proxy, call):
    """Each of them comes in time."""
    item.saver.save(edition(item, 1, 20))
    slow = over({**proxy.params, 'socket_timeout': 2.0, 'protocol': 2})

    async def main():
        proxy.trickle = 0.002
        found = await call(slow.objects, 'getMultiple', [*range(1, 21)] * 3)
        assert [obj.n for obj in found] == [n % 7 for n in range(20)] * 3
        await IR.aclose()

    asyncio.run(main())
