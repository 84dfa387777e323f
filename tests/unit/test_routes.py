"""The way to the right node, driven by hand: the test is all nodes of a cluster."""

from __future__ import annotations

import warnings

import pytest
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,
    MovedError,
    ResponseError,
    TimeoutError,
)

from IndexedRedis._core.flows import AnswerLost, Batch, Stream, ask
from IndexedRedis.errors import ConnectionSetupError, FailoverWarning
from IndexedRedis.executors import exchange
from IndexedRedis.executors.topology.cluster import ClusterMap
from IndexedRedis.executors.topology.nodes import Node, Role
from IndexedRedis.executors.topology.route import Place
from IndexedRedis.executors.topology.single import Single, place_of

from .played import Line

A, B = Node('a', 1), Node('b', 2)
ALL_ON_A = [[[0, 16383, [b'a', 1, b'id']]]]
ALL_ON_B = [[[0, 16383, [b'b', 2, b'id'], [b'a', 1, b'id']]]]
QUICK = [{b'cluster-node-timeout': b'2000'}]
MOVED = [MovedError('7 b:2')]
BROKEN = ConnectionError('broken')
DOWN = [ClusterDownError('The cluster is down')]


class Nodes(Line):
    """Answers with what comes next, whichever node is asked, and notes which one it was."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.at = None
        self.visited = []

    def _perform(self, name, *args):
        if name == 'at':
            self.at = args
            return None
        if name == 'keep':
            self.kept = args[0]
            return None
        if name == 'send':
            self.visited.append((self.at[0], self.at[1] is Role.GUIDE))
        return super()._perform(name, *args)


def place(known=ALL_ON_A, seconds=8.0, seeds=(A,)):
    cluster = ClusterMap(seeds)
    if known:
        cluster.learn(known, A)
    return Place(cluster, 7, seconds)


def run(nodes, flow, where):
    return nodes.run(flow, where.way(False))


def test_a_known_node_is_asked_at_once():
    nodes = Nodes([b'PONG'])
    assert run(nodes, ask('PING'), place()) == b'PONG'
    assert nodes.visited == [(A, False)]


@pytest.mark.parametrize('gone', [BROKEN, DOWN, TimeoutError('connecting to a')])
def test_an_unknown_node_is_asked_for_first(gone):
    nodes = Nodes(gone, ALL_ON_B, QUICK, [b'PONG'])
    assert run(nodes, ask('PING'), place(None, seeds=(A, B))) == b'PONG'
    assert nodes.visited == [(A, True), (B, True), (B, True), (B, False)]
    assert nodes.kept == [B]


def test_a_slot_that_nobody_serves_is_waited_for():
    nodes = Nodes([[]], QUICK, ALL_ON_A, QUICK, [b'PONG'])
    assert run(nodes, ask('PING'), place(None)) == b'PONG'
    assert nodes.log.count('sleep') == 1


def test_an_unreachable_cluster_is_an_error_when_the_budget_is_spent(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr(exchange.time, 'monotonic', lambda: next(now))
    nodes = Nodes(*[BROKEN] * 50)
    with pytest.raises(ConnectionError, match='broken'):
        run(nodes, ask('PING'), place(None, seconds=5.0))
    assert 3 < len(nodes.visited) < 7


def test_a_moved_slot_is_followed_even_if_the_nodes_do_not_know_it_yet():
    nodes = Nodes(MOVED, ALL_ON_A, [b'PONG'])
    where = place()
    assert run(nodes, ask('PING'), where) == b'PONG'
    assert nodes.visited == [(A, False), (A, True), (B, False)]
    assert where.known.primary(7) == B


@pytest.mark.parametrize('failure', [DOWN, BROKEN, [ResponseError('NOREPLICAS Not enough')]])
def test_what_passes_is_asked_again_where_the_slot_is_then(failure):
    nodes = Nodes(failure, ALL_ON_A, failure, BROKEN, ALL_ON_B, [b'PONG'])
    assert run(nodes, ask('PING'), place(seeds=(A, B))) == b'PONG'
    assert [node for node, guide in nodes.visited if not guide] == [A, A, B]
    assert nodes.log.count('sleep') == 2


def test_what_does_not_pass_within_the_budget_is_the_error(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr(exchange.time, 'monotonic', lambda: next(now))
    nodes = Nodes(*[DOWN, ALL_ON_A] * 50)
    with pytest.raises(ClusterDownError):
        run(nodes, ask('PING'), place(seconds=3.0))


def test_a_stream_goes_on_at_the_other_node_with_what_is_unanswered():
    got = []
    nodes = Nodes([b'0'], MOVED, MOVED, MOVED, ALL_ON_B, [b'1'], [b'2'], [b'3'])
    batches = (Batch([('ECHO', b'%d' % number)]) for number in range(4))

    def flow():
        yield Stream(batches, lambda replies: got.append(replies[0]))

    run(nodes, flow(), place())
    assert got == [b'0', b'1', b'2', b'3']


def test_a_failing_source_is_not_taken_for_a_failing_node():
    def source():
        yield Batch([('PING',)])
        raise ClusterDownError('of the cluster that the source reads')

    def flow():
        yield Stream(source(), lambda replies: None)

    nodes = Nodes([b'PONG'])
    with pytest.raises(ClusterDownError, match='that the source reads'):
        run(nodes, flow(), place())


def batch(*commands):
    return (yield Batch(commands, once=True))


def test_a_refused_command_that_may_be_sent_once_was_not_carried_out():
    nodes = Nodes(MOVED, ALL_ON_B, [b'PONG'])
    assert run(nodes, batch(('PING',)), place()) == [b'PONG']


@pytest.mark.parametrize('answer', [[b'1', *MOVED], BROKEN])
def test_several_of_which_some_may_have_been_are_not_repeated(answer):
    nodes = Nodes(answer)
    with pytest.raises(AnswerLost):
        run(nodes, batch(('INCR', 'a'), ('INCR', 'b')), place())
    assert len(nodes.visited) == 1


def test_a_silent_node_is_asked_again_only_if_another_took_its_place():
    nodes = Nodes(TimeoutError('silent'), ALL_ON_B, [b'PONG'])
    assert run(nodes, ask('PING'), place()) == b'PONG'
    nodes = Nodes(TimeoutError('silent'), ALL_ON_A)
    with pytest.raises(TimeoutError):
        run(nodes, ask('PING'), place())


@pytest.mark.parametrize(('milliseconds', 'warned'), [(5000, 0), (15000, 1)])
def test_a_cluster_that_notices_late_is_warned_about_once(milliseconds, warned):
    where = place(None)
    slow = [{b'cluster-node-timeout': b'%d' % milliseconds}]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        run(Nodes(ALL_ON_A, slow, [b'PONG']), ask('PING'), where)
        run(Nodes([b'PONG']), ask('PING'), where)
    assert [each.category for each in caught] == [FailoverWarning] * warned
    for each in caught:
        assert 'up to 17 s' in str(each.message)


class Pool:
    """Stands for the pool of a plain server."""


def model(name):
    return type('Song', (), {'KEY_NAME': name})


@pytest.mark.parametrize(
    ('reply', 'refused'),
    [
        (b'# Cluster\r\ncluster_enabled:1\r\n', True),
        (b'# Cluster\r\ncluster_enabled:0\r\n', False),
        (ResponseError('NOPERM no right to run INFO'), False),
    ],
)
def test_a_server_is_asked_once_whether_it_is_a_node_of_a_cluster(reply, refused):
    pool = Pool()
    line = Line([reply], [b'PONG'])
    flow = ask('PING')
    if refused:
        with pytest.raises(ConnectionSetupError, match='Nothing was sent'):
            line.run(flow, place_of(pool, model('Songs')).way(False))
        with pytest.raises(ConnectionSetupError, match='Nothing was sent'):
            place_of(pool, model('Songs'))
    else:
        assert place_of(pool, model('Songs')).way(True) is None  # a read changes nothing
        assert line.run(flow, place_of(pool, model('Songs')).way(False)) == b'PONG'
        assert place_of(pool, model('Songs')) is None
    assert place_of(pool, model('{shop}Songs')) is None


def test_a_server_that_does_not_answer_yet_is_asked_again_later():
    pool = Pool()
    assert Line(BROKEN, [b'PONG']).run(ask('PING'), place_of(pool, model('Songs'))) == b'PONG'
    assert isinstance(place_of(pool, model('Songs')), Single)
