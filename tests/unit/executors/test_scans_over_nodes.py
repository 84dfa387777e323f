"""Scans while another node takes over, and flows for all primaries, driven by hand."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError, TryAgainError

from IndexedRedis._core.flows import Everywhere, ScanLost, ask, scan, whole
from IndexedRedis._core.overlap import walk
from IndexedRedis.executors import exchange
from unit.executors.test_routes import ALL_ON_A, ALL_ON_B, A, B, Nodes, place, run

BROKEN = ConnectionError('broken')
HALF_EACH = [[[0, 8000, [b'a', 1, b'id']], [8001, 16383, [b'b', 2, b'id']]]]
SOME_TO_NOBODY = [[[0, 8000, [b'a', 1, b'id']]]]
# The first page, a node that is lost, another one that knows nothing of the cursor.
LOST = [[[b'7', [b'1', b'2']]], BROKEN, ALL_ON_B, [[b'0', [b'9']]]]
ANEW = [[[b'5', [b'2', b'3']]], [[b'0', [b'1']]]]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(exchange, '_FIRST_PAUSE_SECONDS', 0.0)


def cursors(nodes):
    """The cursors that were sent, with their nodes."""
    texts = [
        (node, data.split(b'\r\n')[6])
        for (node, guide), data in zip(nodes.visited, nodes.sent, strict=True)
        if not guide
    ]
    return [(node, int(text)) for node, text in texts]


def test_it_begins_anew_on_the_next_node():
    pages, nodes = [], Nodes(*LOST, *ANEW)
    run(nodes, scan(lambda page: pages.append(page) or (), b'set'), place())
    assert pages == [[b'1', b'2'], [b'2', b'3'], [b'1']]
    assert cursors(nodes) == [(A, 0), (A, 7), (B, 7), (B, 0), (B, 5)]


def test_beside_other_flows_too():
    members, nodes = [], Nodes(*LOST, *ANEW)

    def act(page):
        members.extend(page)
        yield from ()

    run(nodes, walk(b'set', act), place())
    assert members == [b'1', b'2', b'2', b'3', b'1']


def test_a_node_that_only_refused_once_counts_as_another():
    pages, nodes = [], Nodes(LOST[0], [TryAgainError('x')], ALL_ON_A, LOST[3], *ANEW)
    run(nodes, scan(lambda page: pages.append(page) or (), b'set'), place())
    assert pages == [[b'1', b'2'], [b'2', b'3'], [b'1']]


def test_a_first_page_that_is_asked_for_again_is_as_good_as_any():
    pages, nodes = [], Nodes(BROKEN, ALL_ON_B, *ANEW)
    run(nodes, scan(lambda page: pages.append(page) or (), b'set'), place())
    assert pages == [[b'2', b'3'], [b'1']]


def test_a_report_begins_anew_as_a_whole():
    tries = []

    def count():
        total = 0
        tries.append(1)

        def act(page):
            nonlocal total
            total += len(page)
            return ()

        yield from scan(act, b'set', strict=True)
        return total

    assert run(Nodes(*LOST, *ANEW), whole(count), place()) == 3
    assert len(tries) == 2
    with pytest.raises(ScanLost):
        run(Nodes(*LOST), scan(lambda page: (), b'set', strict=True), place())


def test_one_server_knows_its_cursors():
    pages, nodes = [], Nodes(LOST[0], BROKEN, LOST[3])
    nodes.at = (A, None)
    nodes.run(scan(lambda page: pages.append(page) or (), b'set'))
    assert pages == [[b'1', b'2'], [b'9']]


def everywhere(flow):
    def run_it():
        return (yield Everywhere(flow))

    return run_it()


def test_a_flow_runs_on_each_primary():
    nodes = Nodes(HALF_EACH, [b'one'], [b'two'], [b'back'])

    def flow():
        results = yield Everywhere(lambda: ask('NAME'))
        return [*results, (yield from ask('NAME'))]

    assert run(nodes, flow(), place()) == [b'one', b'two', b'back']
    assert nodes.visited[1:] == [(A, False), (B, False), (A, False)]


def test_a_primary_that_is_unknown_makes_it_fail():
    with pytest.raises(ConnectionError, match='Some slots'):
        run(Nodes(SOME_TO_NOBODY), everywhere(lambda: ask('NAME')), place())


def test_one_server_is_everywhere():
    nodes = Nodes([b'one'])
    nodes.at = (A, None)
    assert nodes.run(everywhere(lambda: ask('NAME'))) == [b'one']
