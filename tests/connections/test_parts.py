"""Batches for several places on one server. The rule: they are one write, and each has an outcome
of its own; the connection is clean afterwards, whatever happened."""

from __future__ import annotations

import asyncio

import pytest
from aio.cut import cut
from faults.proxy import Proxy
from redis.exceptions import ConnectionError, ResponseError
from support.asking_parts import get, key_of, parts, put, running

import IndexedRedis as IR
from IndexedRedis._core.flows import AnswerLost, Batch, Fenced, ask
from IndexedRedis.executors import exchange
from IndexedRedis.executors.recording import recordTrips
from IndexedRedis.managers.manager import async_executor_of


@pytest.fixture(params=['threads', 'asyncio'])
def run(request):
    with running(request.param) as run:
        yield run


@pytest.fixture
def one(make_model, redis_params):
    """A model over a single connection, in which whatever was left behind would show."""
    return make_model(['name'], REDIS_CONNECTION_PARAMS={**redis_params, 'max_connections': 1})


def test_each_place_has_its_replies(one, run, raw):
    with recordTrips() as trips:
        found = run(one, parts(put('a', 1), put('b', 2), get('c')))
    assert found == [[b'1'], [b'2'], [None, 0]]
    assert [len(trip) for trip in trips] == [4]
    raw.script_flush()
    assert run(one, parts(put('a', 3), get('c'), put('b', 4))) == [[b'3'], [None, 0], [b'4']]


def test_errors_are_outcomes_of_their_own(one, run):
    run(one, parts(put('a', 1)))
    fence = Batch([('EVAL', "return redis.error_reply('FENCED 3 48')", 0)])
    wrong = Batch([('GET', key_of('a')), ('LPUSH', key_of('a'), 1)])
    found = run(one, parts(get('a'), ('b', wrong), ('c', fence), put('d', 2)))
    assert (found[0], found[3]) == ([b'1', 1], [b'2'])
    assert isinstance(found[1], ResponseError)
    assert isinstance(found[2], Fenced)
    assert isinstance(found[2], ResponseError)
    assert str(found[2]) == 'FENCED 3 48'
    assert run(one, ask('ECHO', 'x')) == b'x'


def test_a_fence_is_known_within_a_script_that_raises(one, run):
    raised = Batch([('EVAL', "return error(redis.error_reply('FENCED 3 48'))", 0)])
    (found,) = run(one, parts(('a', raised)))
    assert isinstance(found, Fenced)


def test_a_lost_reply_is_asked_for_again_but_for_batches_to_be_sent_once(
    one, run, redis_params, monkeypatch
):
    with Proxy(redis_params) as proxy, monkeypatch.context() as patch:
        params = {**one.REDIS_CONNECTION_PARAMS, **proxy.params}
        patch.setattr(one, 'REDIS_CONNECTION_PARAMS', params)
        run(one, parts(put('b', 1)))  # the script is known from now on
        proxy.fault(1, 'lost')
        lost, found = run(one, parts(put('a', 1, once=True), get('b')))
        assert isinstance(lost, AnswerLost)
        assert found == [b'1', 1]
        assert proxy.happened == 1
        assert run(one, parts(get('a'))) == [[b'1', 1]]
    IR.clearRedisPools()


def test_a_server_that_is_gone_is_the_outcome_of_all(make_model, new_server, run, monkeypatch):
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', 0.1)
    server = new_server()
    model = make_model(['name'], REDIS_CONNECTION_PARAMS=server.params)
    run(model, ask('PING'))
    server.kill()
    for each in run(model, parts(get('a'), get('b'))):
        assert isinstance(each, ConnectionError)
    server.start()


def test_a_large_answer_is_read_while_much_is_written(one, run):
    """Of replies that fill all buffers before everything is written."""
    echo = Batch([('ECHO', b'x' * 100_000)] * 50)
    found = run(one, parts(*[(tag, echo) for tag in 'abc']))
    assert found == [[b'x' * 100_000] * 50] * 3


@pytest.mark.parametrize('times', [1, 2])
def test_a_cancelled_task_leaves_a_clean_connection(one, times):
    async def main():
        cuts = 0
        for first in range(1, 20):
            executor = async_executor_of(one)
            _, outcome = await cut(executor.run(parts(get('a'), get('b'))), first, times)
            cuts += isinstance(outcome, asyncio.CancelledError)
            assert await executor.run(ask('ECHO', b'%d' % first)) == b'%d' % first
            assert executor.pool.turns.idle
        await IR.aclose()
        return cuts

    assert asyncio.run(main()) > 0
