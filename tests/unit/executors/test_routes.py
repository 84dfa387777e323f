"""The way to the right node, driven by hand: the test is all nodes of a cluster."""

from __future__ import annotations

import warnings
from itertools import count

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
from IndexedRedis.executors import conversation, exchange
from IndexedRedis.executors.topology import turn
from IndexedRedis.executors.topology.cluster import ClusterMap
from IndexedRedis.executors.topology.nodes import Node, Role
from IndexedRedis.executors.topology.route import Place
from IndexedRedis.executors.topology.single import Single, place_of
from unit.played import Line

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


SILENT = TimeoutError('silent')


def test_a_node_that_answers_late_is_sent_the_batch_once_more():
    in_place = SILENT, ALL_ON_A, [b'PONG']
    nodes = Nodes(*in_place, SILENT, ALL_ON_B, [b'PONG'])
    assert run(nodes, ask('PING'), place()) == b'PONG'
    nodes = Nodes(*in_place, *in_place)
    with pytest.raises(TimeoutError):
        run(nodes, ask('PING'), place())
    assert [node for node, guide in nodes.visited if not guide] == [A, A]


@pytest.mark.parametrize(
    ('then', 'visited'),
    [((ALL_ON_B,), B), ((ALL_ON_A, [ResponseError('NOAUTH')]), A)],
    ids=['another takes its place', 'it answers again'],
)
def test_a_node_that_is_silent_is_waited_for(then, visited):
    nodes = Nodes(SILENT, BROKEN, SILENT, ALL_ON_A, SILENT, *then, [b'PONG'])
    assert run(nodes, ask('PING'), place()) == b'PONG'
    assert [node for node, guide in nodes.visited if not guide] == [A, visited]


@pytest.mark.parametrize('then', [ALL_ON_A, ALL_ON_B])
def test_a_batch_that_may_be_sent_once_is_not_sent_again_after_a_time_out(then):
    """Its flow finds out whether it was carried out, where the slot is then."""
    nodes = Nodes(SILENT, then, [b'PONG'])
    with pytest.raises(AnswerLost):
        run(nodes, batch(('INCR', 'a')), place())
    assert [node for node, guide in nodes.visited if not guide] == [A]


class Unreachable(Nodes):
    """Its first connection is not made in time."""

    def _perform(self, name, *args):
        outcome = super()._perform(name, *args)
        if name == 'open' and self.log.count('open') == 1:
            raise TimeoutError('Timeout connecting to server')
        return outcome


def test_a_batch_that_was_not_sent_goes_to_the_node_that_is_there():
    nodes = Unreachable(ALL_ON_B, [b'PONG'])
    assert run(nodes, batch(('INCR', 'a')), place()) == [b'PONG']
    assert nodes.visited == [(A, True), (B, False)]


@pytest.fixture
def slowly(monkeypatch):
    """Each batch takes a second."""
    now = count()
    monkeypatch.setattr(conversation, 'monotonic', lambda: next(now))


def test_a_late_answer_counts_only_if_its_node_is_still_in_its_place(slowly):
    nodes = Nodes([b'late'], ALL_ON_B, [b'PONG'], ALL_ON_B)
    assert run(nodes, ask('PING'), place()) == b'PONG'
    assert nodes.visited == [(A, False), (A, True), (B, False), (A, True)]
    nodes = Nodes([b'late'], ALL_ON_A)
    assert run(nodes, ask('PING'), place()) == b'late'


def test_a_late_answer_of_a_replaced_node_is_lost_if_it_cannot_be_asked_for_again(slowly):
    nodes = Nodes([b'1'], ALL_ON_B)
    with pytest.raises(AnswerLost):
        run(nodes, batch(('INCR', 'a')), place())
    nodes = Nodes([b'1'], ALL_ON_A)
    assert run(nodes, batch(('INCR', 'a')), place()) == [b'1']


def test_without_a_route_late_answers_count(slowly):
    assert Line([b'late']).run(ask('PING')) == b'late'


class Waiting(Nodes):
    """Calls `then` at the third sleep."""

    def _perform(self, name, *args):
        if name == 'sleep' and self.log.count('sleep') == 2:
            self.then()
        return super()._perform(name, *args)


def test_one_conversation_asks_and_the_others_wait_for_what_it_learns():
    where = place(None)
    where.known.turn.take()
    nodes = Waiting([b'PONG'])

    def then():
        where.known.learn(ALL_ON_A, A)
        where.known.turn.give_back()

    nodes.then = then
    assert run(nodes, ask('PING'), where) == b'PONG'
    assert nodes.visited == [(A, False)]


def test_a_conversation_that_never_ends_does_not_keep_the_others_waiting(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(turn, 'monotonic', lambda: now[0])
    where = place()
    where.known.turn.take()  # by a thread that is not in this process, after a fork
    nodes = Waiting(MOVED, [b'PONG'])
    nodes.then = lambda: now.append(now.pop() + 5)
    assert run(nodes, ask('PING'), where) == b'PONG'
    assert nodes.visited == [(A, False), (B, False)]
    assert not where.known.turn.is_taken()


class Stale(ClusterMap):
    """Is to be asked about before each conversation."""

    asked = 0

    def is_due(self, within):
        return True

    def put_off(self):
        self.asked += 1


def test_what_is_due_is_asked_for_first():
    known = Stale([A])
    known.learn(ALL_ON_A, A)
    where = Place(known, 7, 8.0)
    nodes = Nodes(ALL_ON_B, [b'PONG'])
    assert run(nodes, ask('PING'), where) == b'PONG'
    assert nodes.visited == [(A, True), (B, False)]
    assert nodes.kept == [B]
    where.known.turn.take()  # by another conversation: but this one may not go on without
    nodes = Waiting([b'PONG'])
    nodes.then = where.known.turn.give_back
    assert run(nodes, ask('PING'), where) == b'PONG'
    nodes = Nodes(BROKEN, BROKEN, [b'PONG'])  # nobody answers: what was known has to do
    assert run(nodes, ask('PING'), where) == b'PONG'
    assert (nodes.visited[-1], known.asked) == ((B, False), 1)


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


def test_a_first_write_waits_for_the_question_of_another():
    pool = Pool()
    first = place_of(pool, model('Songs')).begin()
    operation = next(first)  # it goes to ask, and is not served yet

    def then():
        nonlocal operation
        answers = {'read': [b'# Cluster\r\ncluster_enabled:0\r\n']}
        with pytest.raises(StopIteration):
            while True:
                operation = first.send(answers.get(operation[0]))

    nodes = Waiting([b'PONG'])
    nodes.at, nodes.then = (A, Role.PRIMARY), then
    assert nodes.run(ask('PING'), place_of(pool, model('Songs'))) == b'PONG'
    assert nodes.log.count('sleep') == 3
    assert len(nodes.visited) == 1
