"""Walks over large sets. The rule: every page is dealt with once, in steps that keep their order,
and what is on the wire at a time is little, however large the set is."""

from __future__ import annotations

from collections import deque

import pytest

from IndexedRedis._core.flows import Batch, Stream
from IndexedRedis._core.overlap import PAGE_MEMBERS, WALK_COUNT, side_by_side, walk
from IndexedRedis.executors.recording import RecordingExecutor

MEMBERS = [b'%d' % number for number in range(1000)]


class Server:
    """Answers up to so many batches late, as a server far away does.

    :param at_once: members that a look gives
    """

    def __init__(self, in_flight, at_once=PAGE_MEMBERS):
        self.in_flight, self.at_once = in_flight, at_once
        self.sent = []

    def answer(self, batch):
        replies = []
        for name, *args in batch.commands:
            self.sent.append((name, *args))
            if name == 'SSCAN':
                start = int(args[1])
                stop = start + self.at_once
                cursor = b'0' if stop >= len(MEMBERS) else b'%d' % stop
                replies.append([cursor, MEMBERS[start:stop]])
            else:
                replies.append(name)
        return replies

    def run(self, flow):
        stream = next(flow)
        assert isinstance(stream, Stream)
        batches, waiting = iter(stream.batches), deque()
        while True:
            while len(waiting) < self.in_flight and (batch := next(batches, None)):
                waiting.append(self.answer(batch))
            if not waiting:
                break
            stream.consume(waiting.popleft())
        with pytest.raises(StopIteration) as end:
            flow.send(None)
        return end.value.value


@pytest.fixture(params=[1, 2, 3, 8])
def in_flight(request):
    return request.param


@pytest.mark.parametrize('at_once', [1, 7, PAGE_MEMBERS, 10_000])
def test_each_member_is_dealt_with_once(in_flight, at_once):
    seen, server = [], Server(in_flight, at_once)

    def act(page):
        assert len(page) <= PAGE_MEMBERS
        assert (yield Batch([('FIRST', *page)])) == ['FIRST']
        assert (yield Batch([('SECOND', *page)])) == ['SECOND']
        seen.extend(page)

    server.run(walk(b'key', act))
    assert seen == MEMBERS
    for page in (rest for name, *rest in server.sent if name == 'FIRST'):
        assert server.sent.index(('FIRST', *page)) < server.sent.index(('SECOND', *page))


def test_pages_are_side_by_side_but_no_more_than_fit_on_the_wire(in_flight):
    under_way, most = 0, 0

    def act(page):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(3):
            yield Batch([('STEP', *page)])
        under_way -= 1

    Server(in_flight).run(walk(b'key', act))
    assert under_way == 0
    assert most == in_flight if in_flight < 3 else 2 <= most <= in_flight


def test_pages_with_nothing_to_send_and_an_empty_set(monkeypatch):
    seen = []

    def act(page):
        seen.extend(page)
        return
        yield

    Server(3).run(walk(b'key', act))
    assert seen == MEMBERS
    executor = RecordingExecutor([[[b'0', []], 'held']])
    executor.run(walk(b'key', act, (('HOLD',),)))
    assert executor.trips == [[('SSCAN', b'key', b'0', 'COUNT', WALK_COUNT), ('HOLD',)]]
    assert seen == MEMBERS


def test_what_a_page_raises_ends_the_walk():
    def act(page):
        yield Batch([('STEP', *page)])
        raise ValueError('no')

    server = Server(3)
    with pytest.raises(ValueError, match='no'):
        server.run(walk(b'key', act))
    assert len(server.sent) <= 6


def test_flows_side_by_side_give_their_results(in_flight):
    def double(number, steps):
        for _ in range(steps):
            assert (yield Batch([('STEP', number)])) == ['STEP']
        return 2 * number

    server = Server(in_flight)
    numbers = range(20)
    results = server.run(side_by_side(double(number, number % 3) for number in numbers))
    assert sorted(results) == [2 * number for number in numbers]
    assert len(server.sent) == sum(number % 3 for number in numbers)


def test_one_flow_asks_while_another_waits():
    def act(name):
        yield Batch([('ASK', name)])
        yield Batch([('TELL', name)])

    server = Server(in_flight=2)
    server.run(side_by_side(map(act, 'abc')))
    assert server.sent[:3] == [('ASK', 'a'), ('ASK', 'b'), ('TELL', 'a')]
    assert len(server.sent) == 6


def test_no_flows_take_no_trip():
    assert Server(3).run(side_by_side([])) == []


def test_a_single_flow_needs_no_company():
    def act():
        assert (yield Batch([('ASK',)])) == ['FIRST']
        return (yield Batch([('TELL',)]))

    executor = RecordingExecutor([['FIRST'], ['SECOND']])
    assert executor.run(side_by_side([act()])) == [['SECOND']]
    assert executor.trips == [[('ASK',)], [('TELL',)]]
