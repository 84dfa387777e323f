"""The queue of idle connections. The rule: it is redis-py's, without its lock: nothing in it is
lost or given twice, and nobody waits while there is something."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Full

import pytest

from IndexedRedis.executors.pools.threads import QuickQueue


def test_the_latest_comes_first_and_no_more_go_in_than_there_is_room():
    queue = QuickQueue(2)
    queue.put_nowait('a')
    queue.put_nowait('b')
    with pytest.raises(Full):
        queue.put_nowait('c')
    assert (queue.get(), queue.get_nowait()) == ('b', 'a')
    with pytest.raises(Empty):
        queue.get_nowait()
    with pytest.raises(Empty):
        queue.get(block=False)


def test_who_waits_gives_up_in_the_end():
    began = time.monotonic()
    with pytest.raises(Empty):
        QuickQueue(1).get(timeout=0.1)
    assert time.monotonic() - began >= 0.1


@pytest.fixture
def switching():
    """Threads are switched at nearly every step."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures('switching')
@pytest.mark.parametrize('patience', [None, 60])
def test_many_threads_pass_a_few_things_on(patience):
    queue, threads, rounds = QuickQueue(3), 16, 400
    things = ['a', 'b', 'c']
    in_use = dict.fromkeys(things, 0)
    for thing in things:
        queue.put_nowait(thing)

    def work(_):
        for _ in range(rounds):
            thing = queue.get(timeout=patience)
            in_use[thing] += 1
            assert in_use[thing] == 1
            time.sleep(0)
            in_use[thing] -= 1
            queue.put_nowait(thing)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    assert sorted(queue.queue) == things
