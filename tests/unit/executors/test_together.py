"""Flows side by side. The rule: what they ask at the same time goes out in one write, and each gets
the replies to its own commands."""

from __future__ import annotations

import pytest

from IndexedRedis._core.flows import Batch, Stream, ask
from IndexedRedis._core.overlap import together
from IndexedRedis.executors.recording import RecordingExecutor


def one_by_one(*keys):
    """Asks for each key in a trip of its own."""
    found = []
    for key in keys:
        found.append((yield from ask('GET', key)))
    return found


def at_once(*keys):
    return (yield Batch([('GET', key) for key in keys]))


def streaming(*keys):
    found = []
    yield Stream([Batch([('GET', key)]) for key in keys], found.extend)
    return found


def silent():
    return ['nothing asked']
    yield


def run(flows, *replies):
    executor = RecordingExecutor(replies)
    return executor.run(together(flows)), executor.trips


def test_trips_are_shared_and_replies_are_not():
    flows = [one_by_one('a', 'b', 'c'), at_once('x', 'y'), silent(), one_by_one('p', 'q')]
    found, trips = run(flows, [1, 8, 9, 5], [2, 6], [3])
    assert found == [[1, 2, 3], [8, 9], ['nothing asked'], [5, 6]]
    assert trips == [
        [('GET', 'a'), ('GET', 'x'), ('GET', 'y'), ('GET', 'p')],
        [('GET', 'b'), ('GET', 'q')],
        [('GET', 'c')],
    ]


@pytest.mark.parametrize('others', [False, True])
def test_what_may_share_a_connection_does_together(others):
    def asking(key, shared):
        return (yield Batch([('GET', key)], shared=shared))

    both = together([asking('a', True), asking('b', others)])
    assert next(both) == Batch([('GET', 'a'), ('GET', 'b')], shared=others)


def test_large_results_come_one_after_the_other():
    found, trips = run([streaming('a', 'b'), at_once('x'), streaming('p')], [9], [1], [2], [5])
    assert found == [[1, 2], [9], [5]]
    assert trips == [[('GET', key)] for key in 'xabp']


def test_no_flows_take_no_trip():
    assert run([]) == ([], [])
    assert run([silent()]) == ([['nothing asked']], [])
