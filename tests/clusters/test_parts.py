"""Batches for several nodes of a cluster at the same time. The rule: each has the outcome that it
would have by itself, whatever happens to its node, and no connection is lost or left unread."""

from __future__ import annotations

import asyncio
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from aio.cut import cut
from faults.interrupts import Interrupt, Interrupts, marked
from redis.crc import key_slot
from redis.exceptions import ResponseError
from support.asking_parts import get, key_of, parts, put, running

import IndexedRedis as IR
from IndexedRedis._core.flows import Batch, ask
from IndexedRedis.executors import base, conversation, sync
from IndexedRedis.executors.recording import recordTrips
from IndexedRedis.executors.topology import parts as topology_parts
from IndexedRedis.managers.manager import async_executor_of, executor_of
from IndexedRedis.testing.group import until

HOME = 'home'


@pytest.fixture(params=['threads', 'asyncio'])
def run(request):
    with running(request.param) as run:
        yield run


@pytest.fixture
def model(cluster):
    """A model on the cluster, over a single connection to each node."""

    class Song(IR.IndexedRedisModel):
        FIELDS = [IR.IRField('title')]
        KEY_NAME = f'{{{HOME}}}Song'
        REDIS_CONNECTION_PARAMS = {**cluster.params, 'max_connections': 1}

    yield Song
    IR.clearRedisPools()


@pytest.fixture
def tags(cluster):
    """Three tags for each node, those of the home node first."""
    found = {node: [] for node in sorted(cluster.primaries, key=_not_home(cluster))}
    for number in itertools.count():
        some = found[cluster.primary_of(f'{{t{number}}}')]
        some += [f't{number}'] * (len(some) < 3)
        if all(len(each) == 3 for each in found.values()):
            return list(found.values())


def _not_home(cluster):
    home = cluster.primary_of(f'{{{HOME}}}')
    return lambda node: node is not home


def putting(tags, times=1):
    """One part for each tag, which stores another number at each."""
    every = enumerate(itertools.chain(*tags), 1)
    return parts(*(put(tag, number * times) for number, tag in every))


def values(times=1):
    return [[b'%d' % (number * times)] for number in range(1, 10)]


def test_all_nodes_answer_in_one_trip(model, run, tags):
    with recordTrips() as trips:
        assert run(model, putting(tags)) == values()
    assert [len(trip) for trip in trips] == [9]
    found = run(model, parts(*(get(tag) for tag in itertools.chain(*tags))))
    assert found == [[b'%d' % number, 1] for number in range(1, 10)]


def test_a_node_that_does_not_answer_yet_keeps_no_other_from_its_work(model, cluster, tags):
    executor = executor_of(model)
    assert executor.run(putting(tags)) == values()
    home, other = (cluster.primary_of(f'{{{some[0]}}}') for some in tags[:2])
    with ThreadPoolExecutor() as pool, other.client() as client:
        cluster.pause(home)
        try:
            asked = pool.submit(executor.run, putting(tags, 2))
            until('written', 5, lambda: client.get(key_of(tags[1][0])) == b'8')
            assert not asked.done()
        finally:
            cluster.resume(home)
        assert asked.result() == values(2)


def test_each_node_has_one_write(model, tags, monkeypatch):
    executor = executor_of(model)
    executor.run(putting(tags))
    log = []
    for name in ('send', 'read'):
        monkeypatch.setattr(sync.Line, name, _logged(getattr(sync.Line, name), name, log))
    executor.run(putting(tags))
    assert log == ['send'] * 3 + ['read'] * 3


def _logged(method, name, log):
    def logged(self, *args):
        log.append(name)
        return method(self, *args)

    return logged


@pytest.mark.parametrize('event', ['kill', 'takeover'])
@pytest.mark.parametrize('which', [0, 1], ids=['the home node', 'another node'])
def test_a_node_is_replaced_while_the_others_answer(model, cluster, run, tags, event, which):
    assert run(model, putting(tags)) == values()
    primary = cluster.primary_of(f'{{{tags[which][0]}}}')
    with primary.client() as client:
        client.set(f'{{{tags[which][0]}}}mark', 1)
        assert client.wait(1, 5000) == 1
    if event == 'kill':
        cluster.kill(primary)
    else:
        cluster.takeover(cluster.replicas_of(primary)[0])
    assert run(model, putting(tags, 2)) == values(2)
    assert run(model, putting(tags, 3)) == values(3)


def test_a_slot_that_moved_is_followed(model, cluster, run, tags):
    assert run(model, putting(tags)) == values()
    slot, source = key_slot(tags[1][1].encode()), cluster.primary_of(f'{{{tags[1][1]}}}')
    cluster.migrate(slot, next(node for node in cluster.primaries if node is not source))
    try:
        assert run(model, putting(tags, 2)) == values(2)
        with recordTrips() as trips:
            assert run(model, putting(tags, 3)) == values(3)
        assert len(trips) == 1
    finally:
        cluster.migrate(slot, source)


def test_a_slot_that_is_moving_is_waited_for(model, cluster, run, tags):
    """Its key is at the new node already, and the old one answers ASK."""
    tag = tags[1][1]
    slot, source = key_slot(tag.encode()), cluster.primary_of(f'{{{tag}}}')
    assert run(model, putting(tags)) == values()
    answers = []

    def step(name):
        if name == 'moved':
            pool.submit(lambda: answers.append(run(model, putting(tags, 2))))
            until('the others answered', 5, _is_added(cluster, tags[2][2], b'18'))

    with ThreadPoolExecutor(1) as pool:
        cluster.migrate(slot, next(each for each in cluster.primaries if each is not source), step)
    cluster.migrate(slot, source)
    assert answers == [values(2)]


def _is_added(cluster, tag, value):
    with cluster.primary_of(f'{{{tag}}}').client() as client:
        return lambda: client.get(key_of(tag)) == value


def test_a_node_without_the_script_gets_its_text(model, cluster, run, tags):
    assert run(model, putting(tags)) == values()
    cluster.primary_of(f'{{{tags[1][0]}}}').call('SCRIPT', 'FLUSH')
    assert run(model, putting(tags, 2)) == values(2)


def test_an_error_is_the_outcome_of_its_own_part(model, run, tags):
    (home, near), (other, *_) = tags[0][:2], tags[1]
    run(model, parts(put(home, 1), put(other, 2)))
    wrong = Batch([('LPUSH', key_of(other), 1), ('GET', key_of(other))])
    found = run(model, parts(get(home), (other, wrong), get(other), put(near, 3)))
    assert [found[0], *found[2:]] == [[b'1', 1], [b'2', 1], [b'3']]
    assert isinstance(found[1], ResponseError)
    assert run(model, ask('ECHO', 'x')) == b'x'


@pytest.mark.parametrize('times', [1, 2])
def test_a_cancelled_task_leaves_clean_connections(model, tags, times):
    async def main():
        cuts = 0
        executor = async_executor_of(model)
        every = [*itertools.chain(*tags)]
        for first in range(1, 40):
            if first % 3 == 0:
                await IR.aclose()  # so that it has to connect, too
                executor = async_executor_of(model)
            echo = [(tag, Batch([('ECHO', tag)])) for tag in every]
            _, outcome = await cut(executor.run(parts(*echo)), first, times)
            cuts += isinstance(outcome, asyncio.CancelledError)
            other = [(tag, Batch([('ECHO', f'{tag} {first}')])) for tag in every]
            expected = [[f'{tag} {first}'.encode()] for tag in every]
            assert await executor.run(parts(*other)) == expected
            assert all(pool.turns.idle for pool in executor.pool._pools.values())
        await IR.aclose()
        return cuts

    assert asyncio.run(main()) > 0


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # of `__del__`
def test_an_interrupt_at_any_statement_leaves_clean_connections(model, tags):
    executor, interrupts = executor_of(model), Interrupts()
    every, raised = [*itertools.chain(*tags)], 0

    def echo(number):
        asked = [(tag, Batch([('ECHO', f'{tag} {number}')])) for tag in every]
        return executor.run(parts(*asked)) == [[f'{tag} {number}'.encode()] for tag in every]

    assert echo('first')
    with marked([base, conversation, sync, topology_parts], interrupts.tick):
        with interrupts.counting():
            assert echo('counted')
        for number, place in enumerate(interrupts.places()):
            try:
                with interrupts.counting(place):
                    echo(number)
            except Interrupt:
                raised += 1
            assert echo(f'after {number}'), place
            pools = [pool.pool for pool in executor.pool._pools.values()]
            assert all(pool.qsize() == pool.maxsize for pool in pools), place
    assert raised > 50


def test_threads_do_not_wait_for_each_other(model, tags):
    """Each needs the only connection to each node, and names the nodes in another order."""
    executor, done = executor_of(model), threading.Barrier(6)

    def work(order):
        done.wait()
        found = [
            executor.run(parts(*((t, Batch([('ECHO', t)])) for t in order))) for _ in range(30)
        ]
        return all(each == [[t.encode()] for t in order] for each in found)

    orders = [*itertools.permutations(some[0] for some in tags)]
    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, orders))


def test_tasks_do_not_wait_for_each_other(model, tags):
    async def work(order):
        executor = async_executor_of(model)
        for _ in range(30):
            found = await executor.run(parts(*((t, Batch([('ECHO', t)])) for t in order)))
            assert found == [[t.encode()] for t in order]

    async def main():
        orders = itertools.permutations(some[0] for some in tags)
        await asyncio.gather(*map(work, orders))
        await IR.aclose()

    asyncio.run(main())


def test_a_service_of_sentinels_gets_one_write(sentinels, run):
    """Its primary serves all slots, before a failover and after it."""

    class Song(IR.IndexedRedisModel):
        FIELDS = [IR.IRField('title')]
        KEY_NAME = 'Song'
        REDIS_CONNECTION_PARAMS = {**sentinels.params, 'max_connections': 1}

    tags = [['a', 'b', 'c'], ['d', 'e', 'f'], ['g', 'h', 'i']]
    assert run(Song, putting(tags)) == values()
    sentinels.failover()
    assert run(Song, putting(tags, 2)) == values(2)
    with recordTrips() as trips:
        assert run(Song, putting(tags, 3)) == values(3)
    assert len(trips) == 1
    IR.clearRedisPools()
