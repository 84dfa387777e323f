"""Batches for several places, sent at the same time. The rule: the test plays all nodes of a
cluster. It sees which connection each operation uses, and answers it or lets it fail."""

from __future__ import annotations

import itertools

import pytest
from redis.crc import key_slot
from redis.exceptions import (
    ConnectionError,
    MovedError,
    NoScriptError,
    ResponseError,
    TimeoutError,
)

from IndexedRedis._core.flows import AnswerLost, Batch, Fenced, Parts, Scan, ask
from IndexedRedis._core.overlap import together
from IndexedRedis._core.writes.inserts.pks import RESERVE
from IndexedRedis.executors import exchange
from IndexedRedis.executors.errors import PoolExhaustedError
from IndexedRedis.executors.measuring import measured
from IndexedRedis.executors.recording import RecordingExecutor, recordTrips
from IndexedRedis.executors.topology import parts as topology_parts
from IndexedRedis.executors.topology.cluster import ClusterMap
from IndexedRedis.executors.topology.nodes import Node, Role
from IndexedRedis.executors.topology.route import Place
from IndexedRedis.executors.topology.sentinel import SentinelMap
from IndexedRedis.executors.wire import pack
from unit.played import Line

A, B, C = Node('a', 1), Node('b', 2), Node('c', 3)
HALF = 8192
BROKEN, SILENT = ConnectionError('broken'), TimeoutError('silent')


def slots(lower, upper):
    """What nodes tell: who serves the lower half of the slots, and who the upper."""
    ranges = (0, HALF - 1, lower), (HALF, 16383, upper)
    return [[[first, last, [node.host.encode(), node.port, b'id']] for first, last, node in ranges]]


def key_of(low):
    """Keys of one half of the slots, each of another slot."""
    return (key for key in map(b'{%d}'.__mod__, itertools.count()) if (key_slot(key) < HALF) is low)


LOW, LOW2 = itertools.islice(key_of(True), 2)
HIGH, HIGH2 = itertools.islice(key_of(False), 2)


class Cluster(Line):
    """Plays the nodes: each answers with what comes next in its own list."""

    def __init__(self, known=None, **answers):
        self.answers = {
            Node(name, 'abc'.index(name) + 1): [*each] for name, each in answers.items()
        }
        self.told = []  # what is answered to the question where the nodes are
        self.log, self.sent, self.opened = [], [], []
        self.lane, self.places, self.borrowed = 0, {}, set()
        cluster = ClusterMap([A, B, C])
        cluster.learn(known or slots(A, B), A)
        self.place = Place(cluster, key_slot(LOW), 8.0)

    def run(self, flow):
        outcome = super().run(flow, self.place.way(False))
        assert not self.borrowed
        return outcome

    def _perform(self, name, *args):
        if name == 'send_now':
            return None
        if name == 'lane':
            self.lane = args[0]
            if not self.lane:
                self.borrowed -= {lane for lane in self.borrowed if lane}
            return None
        if name == 'at':
            assert self.lane not in self.borrowed
            self.places[self.lane] = args
            return None
        node, role = self.places.get(self.lane, (None, None))
        if name in ('sleep', 'keep'):
            return None
        return self._talk(name, node, role, *args)

    def _talk(self, name, node, role, *args):
        if role is Role.GUIDE:
            return self.told.pop(0) if name == 'read' else None
        self.log.append((name, node.host))
        if name == 'open':
            self.borrowed.add(self.lane)
        if name == 'close':
            self.borrowed.discard(self.lane)
        if name == 'send':
            self.sent.append((node.host, args[0]))
        answer = self.answers[node].pop(0) if name == 'read' else None
        if isinstance(answer, BaseException):
            raise answer
        assert answer is None or len(answer) == args[0]
        return answer


def get(*keys, **how):
    return Batch([('GET', key) for key in keys], **how)


def at_once(*parts):
    return (yield Parts(parts))


def kinds(outcomes):
    return [type(each) if isinstance(each, Exception) else each for each in outcomes]


def test_one_server_gets_one_write():
    line = Line([b'1', b'2', b'3'])
    assert line.run(at_once((LOW, get('a', 'b')), (HIGH, get('c')))) == [[b'1', b'2'], [b'3']]
    assert line.log == ['open', 'send', ('read', 3), ('close', False)]
    assert line.sent == [pack(get('a', 'b', 'c'))]


class AtHand(Line):
    """A server to which a connection is at hand."""

    def _perform(self, name, *args):
        if name == 'send_now':
            self.log.append((name, args[0].shared))
            answer = self.answers.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer
        return super()._perform(name, *args)


def test_a_connection_that_is_at_hand_takes_them_in_one_step():
    line = AtHand([b'1', b'2', b'3'])
    quick = at_once((LOW, get('a', 'b', shared=True)), (HIGH, get('c', shared=True)))
    assert line.run(quick) == [[b'1', b'2'], [b'3']]
    assert line.log == [('send_now', True)]  # others may use the connection meanwhile


def test_others_wait_for_many_parts_or_slow_ones():
    for count, how in ((5, {'shared': True}), (2, {})):
        line = AtHand([b'1'] * count)
        assert line.run(at_once(*[(LOW, get('a', **how))] * count)) == [[b'1']] * count
        assert line.log == [('send_now', False)]


@pytest.mark.parametrize('failure', [None, BROKEN, ['ok', ResponseError('x')]])
def test_what_fails_in_one_step_is_sent_again_part_by_part(failure):
    line = AtHand(failure, [b'1', ResponseError('wrong')])
    outcomes = line.run(at_once((LOW, get('a')), (HIGH, get('b'))))
    assert kinds(outcomes) == [[b'1'], ResponseError]
    assert line.log[1:] == ['open', 'send', ('read', 2), ('close', False)]


def test_a_time_out_in_one_step_is_the_outcome_of_all_parts():
    line = AtHand(SILENT)
    assert kinds(line.run(at_once((LOW, get('a')), (HIGH, get('b'))))) == [TimeoutError] * 2


def test_a_part_that_must_not_be_repeated_goes_the_ordinary_way():
    line = AtHand([b'1', b'2'])
    flow = at_once((LOW, get('a', once=True)), (HIGH, get('b')))
    assert line.run(flow) == [[b'1'], [b'2']]
    assert line.log[0] == 'open'


def test_no_parts_send_nothing():
    line = Line()
    assert line.run(at_once()) == []
    assert line.log == []


def test_all_nodes_get_their_write_before_the_first_read():
    nodes = Cluster(a=[[b'1', b'3', b'4']], b=[[b'2']])
    flow = at_once((LOW, get('a')), (HIGH, get('b')), (LOW2, get('c', 'd')))
    assert nodes.run(flow) == [[b'1'], [b'2'], [b'3', b'4']]
    both = [('open', 'a'), ('send', 'a'), ('open', 'b'), ('send', 'b')]
    assert nodes.log == [*both, ('read', 'a'), ('close', 'a'), ('read', 'b'), ('close', 'b')]
    assert nodes.sent == [('a', pack(get('a', 'c', 'd'))), ('b', pack(get('b')))]


def test_the_conversation_is_at_its_own_node_afterwards():
    nodes = Cluster(a=[[b'home']], b=[[b'1']])

    def flow():
        outcome = yield Parts([(HIGH, get('a'))])
        return outcome, (yield from ask('GET', 'x'))

    assert nodes.run(flow()) == ([[b'1']], b'home')


def test_a_service_has_one_primary_for_all_slots():
    known = SentinelMap([C], 'service')
    known._primary, known._next = A, float('inf')
    nodes = Cluster(a=[[b'1', b'2']])
    nodes.place = Place(known, None, 8.0)
    assert nodes.run(at_once((LOW, get('a')), (HIGH, get('b')))) == [[b'1'], [b'2']]
    assert nodes.log == [('open', 'a'), ('send', 'a'), ('read', 'a'), ('close', 'a')]


@pytest.mark.parametrize(
    ('reply', 'kind'),
    [
        (ResponseError('WRONGTYPE'), ResponseError),
        (ResponseError('FENCED 3 48'), Fenced),
        (ResponseError('ERR Error running script: -FENCED 3 48>4 6 x'), Fenced),
    ],
)
def test_an_error_is_the_outcome_of_its_own_part(reply, kind):
    first, error, last = Line([b'1', b'2', reply, b'3']).run(
        at_once((LOW, get('a')), (LOW, get('b', 'c')), (HIGH, get('d')))
    )
    assert (first, last) == ([b'1'], [b'3'])
    assert isinstance(error, kind)
    assert isinstance(error, ResponseError)


def test_what_cannot_be_packed_is_not_sent():
    line = Line([b'1'])
    bad, good = line.run(at_once((LOW, get(object())), (LOW, get('a'))))
    assert isinstance(bad, Exception)
    assert good == [b'1']
    assert line.sent == [pack(get('a'))]


def test_a_lost_connection_is_waited_for_once():
    line = Line(BROKEN, [b'1'], [b'2'], [b'3'])
    flow = at_once((LOW, get('a')), (LOW, get('b')), (HIGH, get('c')))
    assert line.run(flow) == [[b'1'], [b'2'], [b'3']]
    assert line.log.count('sleep') == 1


def test_a_batch_to_be_sent_once_is_not_repeated():
    line = Line(BROKEN, [b'2'])
    lost, found = line.run(at_once((LOW, get('a', once=True)), (LOW, get('b'))))
    assert isinstance(lost, AnswerLost)
    assert found == [b'2']


def test_one_node_is_replaced_while_the_other_answers():
    nodes = Cluster(a=[[b'1']], b=[BROKEN], c=[[b'2'], [b'3']])
    nodes.told = [slots(A, C)]
    flow = at_once((LOW, get('a')), (HIGH, get('b')), (HIGH2, get('c')))
    assert nodes.run(flow) == [[b'1'], [b'2'], [b'3']]
    assert [node for node, _ in nodes.sent] == ['a', 'b', 'c', 'c']
    assert nodes.told == []  # it was asked for once


@pytest.mark.parametrize('failure', [BROKEN, SILENT])
def test_a_batch_to_be_sent_once_is_not_sent_to_the_node_that_took_over(failure):
    nodes = Cluster(a=[], b=[failure], c=[[b'2']])
    nodes.told = [slots(A, C)] * 2
    flow = at_once(*((HIGH, get('x', once=once)) for once in (True, False, True)))
    assert kinds(nodes.run(flow)) == [AnswerLost, [b'2'], AnswerLost]


def test_the_parts_of_a_lost_node_share_one_budget(monkeypatch):
    now = itertools.count()
    monkeypatch.setattr(exchange.time, 'monotonic', lambda: next(now))
    nodes = Cluster(a=[[b'1']], b=[BROKEN] * 20)
    nodes.told = [slots(A, B)] * 20
    flow = at_once((LOW, get('a')), (HIGH, get('b')), (HIGH2, get('c')))
    assert kinds(nodes.run(flow)) == [[b'1'], ConnectionError, ConnectionError]
    assert next(now) < 20


def test_only_the_part_whose_slot_moved_is_sent_again():
    moved = MovedError(f'{key_slot(HIGH)} c:3')
    nodes = Cluster(a=[], b=[[moved, b'2']], c=[[b'1']])
    nodes.told = [slots(A, B)]
    assert nodes.run(at_once((HIGH, get('a')), (HIGH2, get('b')))) == [[b'1'], [b'2']]
    assert [node for node, _ in nodes.sent] == ['b', 'c']


def test_a_missing_script_is_sent_in_full_to_its_node():
    command = RESERVE([b'next', b'keys'], 1, 0)
    unknown, batch = NoScriptError('NOSCRIPT'), Batch([command])
    nodes = Cluster(a=[[b'1']], b=[[unknown, b'0', unknown], [b'2', b'3']])
    flow = at_once((HIGH, batch), (LOW, batch), (HIGH, get('x')), (HIGH2, batch))
    assert nodes.run(flow) == [[b'2'], [b'1'], [b'0'], [b'3']]
    text = 'EVAL', RESERVE.text, *command[2:]
    assert nodes.sent[2:] == [('b', pack(Batch([text, text])))]


def test_a_node_that_is_lost_before_it_gets_the_text_is_found_again():
    batch = Batch([RESERVE([b'next', b'keys'], 1, 0)])
    nodes = Cluster(a=[], b=[[NoScriptError('NOSCRIPT')], BROKEN], c=[[b'1']])
    nodes.told = [slots(A, C)]
    assert nodes.run(at_once((HIGH, batch))) == [[b'1']]


def test_a_slot_of_no_node_is_looked_for_and_does_not_keep_the_others():
    nodes = Cluster(known=[[[0, HALF - 1, [b'a', 1, b'id']]]], a=[[b'1']], b=[[b'2']])
    nodes.told = [slots(A, B), [{b'cluster-node-timeout': b'2000'}]]
    assert nodes.run(at_once((HIGH, get('b')), (LOW, get('a')))) == [[b'2'], [b'1']]
    assert [node for node, _ in nodes.sent] == ['a', 'b']


def test_a_pool_without_a_free_connection_is_the_outcome_of_its_node():
    nodes = Cluster(a=[[b'1']], b=[])
    talk = nodes._talk

    def refusing(name, node, *args):
        if (name, node) == ('open', B):
            raise PoolExhaustedError
        return talk(name, node, *args)

    nodes._talk = refusing
    assert kinds(nodes.run(at_once((LOW, get('a')), (HIGH, get('b'))))) == [
        [b'1'],
        PoolExhaustedError,
    ]


@pytest.mark.parametrize('node', 'ab')
@pytest.mark.parametrize('name', ['open', 'send', 'read'])
def test_an_interrupt_leaves_no_connection_behind(name, node):
    nodes = Cluster(a=[[b'1']], b=[[b'2']])
    talk, seen = nodes._talk, []

    def interrupted(operation, at, *args):
        outcome = talk(operation, at, *args)
        if (operation, at.host) == (name, node) and not seen:
            seen.append(at)
            raise KeyboardInterrupt
        return outcome

    nodes._talk = interrupted

    def flow():
        try:
            yield Parts([(LOW, get('a')), (HIGH, get('b'))])
        except KeyboardInterrupt:
            return {*nodes.borrowed}, nodes.lane

    assert nodes.run(flow()) == (set(), 0)


@pytest.fixture
def slowly(monkeypatch):
    """Each look at the clock of a group takes a second."""
    now = itertools.count()
    monkeypatch.setattr(topology_parts, 'monotonic', lambda: next(now))


def test_a_late_answer_counts_only_if_its_node_is_still_in_its_place(slowly):
    nodes = Cluster(a=[], b=[[b'late', b'late']], c=[[b'new']])
    nodes.told = [slots(A, C)]
    flow = at_once((HIGH, get('a')), (HIGH, get('b', once=True)))
    assert kinds(nodes.run(flow)) == [[b'new'], AnswerLost]
    nodes = Cluster(a=[], b=[[b'late']])
    nodes.told = [slots(A, B)]
    assert nodes.run(at_once((HIGH, get('a')))) == [[b'late']]


@pytest.mark.parametrize('same', [False, True], ids=['another node', 'the node again'])
def test_a_scan_begins_anew_where_its_cursor_means_nothing(same):
    one = Scan()
    page = Batch([('SSCAN', 'a', 0)], scan=one)
    lost, then = (B, 'b') if same else (C, 'c')
    answers = {'a': [], 'b': [[b'page'], [b'page'], BROKEN]}
    answers[then] = [*answers.get(then, []), [b'x'], [b'foreign']]
    nodes = Cluster(**answers)
    nodes.told = [slots(A, lost)] * 2

    def flow():
        found = []
        for parts in ([(HIGH, page)], [(HIGH, page)], [(HIGH2, get('x')), (HIGH, page)]):
            found.append((yield Parts(parts)))
        return found

    assert nodes.run(flow()) == [[[b'page']], [[b'page']], [[b'x'], None]]


def test_flows_side_by_side_share_their_parts():
    def parts(*keys):
        return (yield Parts([(LOW, get(key)) for key in keys]))

    def both():
        first = yield from ask('GET', 'h')
        return first, (yield from parts('z'))

    error = ResponseError('no')
    executor = RecordingExecutor([[b'h'], [b'1'], error, [b'2'], [b'3']])
    found = executor.run(together([parts('a', 'b'), both(), parts('c')]))
    assert found == [[[b'1'], error], (b'h', [[b'3']]), [[b'2']]]
    assert executor.trips == [[('GET', 'h')], [('GET', key) for key in 'abcz']]


def test_parts_are_one_trip():
    with recordTrips() as trips:
        Cluster(a=[[b'1']], b=[[b'2']]).run(at_once((LOW, get('a')), (HIGH, get('b'))))
    assert trips == [[('GET', 'a'), ('GET', 'b')]]

    counts = Line([b'1', ResponseError('no')]).run(
        measured(at_once((LOW, get('a')), (HIGH, get('b'))))
    )
    assert (counts.trips, counts.commands) == (1, 2)
