"""How long batches wait that go out together. The rule: no longer than each would by itself. The
clock of the loop is moved by hand, so nobody waits in fact."""

from __future__ import annotations

import asyncio
import contextlib

from redis.exceptions import TimeoutError

from IndexedRedis._core.flows import Batch
from IndexedRedis.executors.errors import PoolExhaustedError
from IndexedRedis.executors.pools.coalescing import BATCHES_IN_WRITE, ROUNDS, Coalescing
from IndexedRedis.executors.pools.turns import ConnectionTurns

PATIENCE, TIME_OUT = 20, 5
# As many batches as need three rounds one after the other.
MANY = BATCHES_IN_WRITE * ROUNDS * 3


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next alarm when nothing is ready."""

    def __init__(self):
        super().__init__()
        self.now, self._wait = 0.0, self._selector.select
        self._selector.select = self._jump

    def time(self):
        return self.now

    def _jump(self, timeout=None):
        events = self._wait(0)
        if not events and timeout:
            self.now += timeout
        return events


class Server:
    """Connections to a server that answers each batch after some seconds; None: never."""

    def __init__(self, turns, seconds):
        self.turns, self.seconds, self.writes = turns, seconds, 0

    def line(self):
        return ServerLine(self)


class ServerLine:
    def __init__(self, server):
        self.server = server

    async def open(self, patience=None):
        await self.server.turns.take(id(self), patience)

    async def send(self, data):
        self.server.writes += 1

    async def read(self, count):
        if self.server.seconds is None:
            await asyncio.sleep(TIME_OUT)
            raise TimeoutError('Timeout reading')
        await asyncio.sleep(self.server.seconds)
        return [b'answer'] * count

    async def close(self, broken):
        await self.end()

    async def end(self):
        self.server.turns.leave(id(self))


def run(work, size=1, seconds=0.0):
    """Run ``work(coalescing, server, ask)``. A task is ``ask()``, and returns what it got, with
    the moment of it."""
    loop = JumpingLoop()

    async def main():
        turns = ConnectionTurns(size, PATIENCE)
        server = Server(turns, seconds)
        coalescing = Coalescing(turns, server.line)

        async def ask(delay=0.0):
            await asyncio.sleep(delay)
            begun = loop.time()
            got = 'sent by itself'
            try:
                replies = await coalescing.exchange(Batch([('PING',)], shared=True))
                got = replies and replies[0]
            except (TimeoutError, PoolExhaustedError) as error:
                got = type(error)
            return got, round(loop.time() - begun, 6)

        return await work(turns, ask, server)

    with contextlib.closing(loop):
        return loop.run_until_complete(main())


def test_all_give_up_together_where_no_connection_comes():
    async def work(turns, ask, server):
        await turns.take('somebody')
        return await asyncio.gather(*(ask() for _ in range(MANY)))

    assert {*run(work)} == {(PoolExhaustedError, PATIENCE)}


def test_each_waits_as_long_as_it_would_by_itself():
    async def work(turns, ask, server):
        await turns.take('somebody')
        return await asyncio.gather(*(ask(delay=number / 16) for number in range(MANY)))

    assert {*run(work)} == {(PoolExhaustedError, PATIENCE)}


def test_those_that_came_late_get_the_connection_that_comes():
    async def work(turns, ask, server):
        await turns.take('somebody')
        asking = [asyncio.create_task(ask(delay)) for delay in (0, 0, 10, 15)]
        await asyncio.sleep(25)
        turns.leave('somebody')
        return await asyncio.gather(*asking)

    early, late = (PoolExhaustedError, PATIENCE), b'answer'
    assert run(work) == [early, early, (late, 15), (late, 10)]


def test_waiting_behind_other_rounds_counts():
    """Two rounds are in the hands of a slow server; the pool has no third connection."""

    async def work(turns, ask, server):
        await turns.take('somebody')
        first = [asyncio.create_task(ask()) for _ in range(2)]
        await asyncio.sleep(1)
        turns.leave('somebody')
        late = [asyncio.create_task(ask()) for _ in range(MANY)]
        return await asyncio.gather(*first, *late)

    found = run(work, size=1, seconds=0.01)
    assert {got for got, _ in found} == {b'answer'}
    assert max(seconds for _, seconds in found) < PATIENCE


def test_a_server_that_says_nothing_is_waited_for_once():
    async def work(turns, ask, server):
        await turns.take('somebody')
        return await asyncio.gather(*(ask() for _ in range(MANY))), server.writes

    found, writes = run(work, size=ROUNDS + 1, seconds=None)
    assert {*found} == {(TimeoutError, TIME_OUT)}
    assert writes == ROUNDS


def test_who_comes_during_a_time_out_asks_the_server_anew():
    async def work(turns, ask, server):
        await turns.take('somebody')
        first, second = asyncio.create_task(ask()), asyncio.create_task(ask(delay=3))
        await asyncio.sleep(1)
        turns.leave('somebody')
        return await first, await second

    until_the_first_gives_up = 1 + TIME_OUT - 3
    assert run(work, seconds=None) == (
        (TimeoutError, 1 + TIME_OUT),
        (TimeoutError, until_the_first_gives_up + TIME_OUT),
    )
