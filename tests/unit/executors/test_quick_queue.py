"""The idle connections of a pool. The rule: each is in the queue or on one loan; nothing is lost or
lent twice, and nobody waits while there is something."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from queue import Full

import pytest

from IndexedRedis.executors.pools.threads import QuickQueue


def filled(*things, size=9):
    queue = QuickQueue(size)
    for thing in things:
        queue.put_nowait(thing)
    return queue


def lent(queue, how='lend', *args):
    loan = []
    return loan[0] if getattr(queue, how)(loan, *args) else None


def test_the_latest_comes_first_and_no_more_go_in_than_there_is_room():
    queue = filled('a', 'b', size=2)
    with pytest.raises(Full):
        queue.put_nowait('c')
    assert (lent(queue), lent(queue, 'wait', 0), lent(queue), queue.qsize()) == ('b', 'a', None, 0)


def test_one_that_suits_is_lent():
    queue = filled('a', None, 'b', 'c', None)
    assert lent(queue, 'lend_that', lambda thing: thing < 'c') == 'b'
    assert lent(queue, 'lend_that', lambda thing: thing > 'c') is None
    assert queue.queue == ['a', None, 'c', None]


def test_one_that_another_thread_took_meanwhile_is_not_lent():
    queue = filled('a', 'b')

    def suits(thing):
        if queue.queue == ['a', 'b']:
            queue.queue[:] = ['b', 'a']
        return thing == 'b'

    assert lent(queue, 'lend_that', suits) == 'b'
    assert queue.queue == ['a']


def test_a_loan_goes_back_as_a_whole():
    queue = filled('a')
    loan = []
    queue.lend(loan)
    assert (loan, queue.queue) == (['a'], [])
    queue.take_back(loan)
    assert (loan, queue.queue) == ([], ['a'])


def test_who_waits_gives_up_in_the_end():
    began = time.monotonic()
    assert lent(QuickQueue(1), 'wait', 0.1) is None
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
    queue, threads, rounds = filled('a', 'b', 'c', size=3), 16, 400
    in_use = dict.fromkeys('abc', 0)

    def work(number):
        loan = []
        for _ in range(rounds):
            if not (number % 4 == 0 and queue.lend_that(loan, lambda thing: thing != 'a')):
                assert queue.wait(loan, patience)
            (thing,) = loan
            in_use[thing] += 1
            assert in_use[thing] == 1
            time.sleep(0)
            in_use[thing] -= 1
            queue.take_back(loan)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    assert sorted(queue.queue) == [*'abc']
    assert not queue._waiting
