"""How far servers have got, and which replica is fresh enough; by a clock that the test sets."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError, TimeoutError

from IndexedRedis import (
    ConnectionSetupError,
    InvalidModelException,
    NoFreshReplicaError,
    UsageError,
)
from IndexedRedis._core.flows import ask
from IndexedRedis._core.replication import Freshness, Position, Token, parse_token, position_of
from IndexedRedis.connections.params import check_params
from IndexedRedis.executors import exchange
from IndexedRedis.executors.topology import replica_route, replicas, route
from IndexedRedis.executors.topology.fixed import FixedMap
from IndexedRedis.executors.topology.nodes import Node, Role
from IndexedRedis.executors.topology.replicas import ANYWHERE, Copies, Replicas
from IndexedRedis.executors.topology.route import Place
from IndexedRedis.executors.topology.single import way_to
from unit.played import Line

P, A, B = Node('p', 1), Node('a', 2), Node('b', 3)
ID, OLD, ZERO = 'a' * 40, 'b' * 40, '0' * 40
FIVE = Freshness(5.0)


def info(role, offset, id=ID, link='up', syncs=0, earlier=ZERO, until=-1):
    """What a server says of its replication."""
    of_replica = (
        f'master_link_status:{link}\r\nmaster_sync_in_progress:{syncs}\r\n'
        f'slave_repl_offset:{offset}\r\n'
    )
    text = (
        f'# Replication\r\nrole:{role}\r\n{of_replica if role == "slave" else ""}'
        f'master_replid:{id}\r\nmaster_replid2:{earlier}\r\nmaster_repl_offset:{offset}\r\n'
        f'second_repl_offset:{until}\r\n'
    )
    return text.encode()


def at(offset, **more):
    return position_of(info('slave', offset, **more))


def of_primary(offset, **more):
    return position_of(info('master', offset, **more))


@pytest.fixture
def clock(monkeypatch):
    """The time, as a list of one number."""
    now = [1000.0]
    for module in (replicas, route, replica_route, exchange):
        monkeypatch.setattr(module.time, 'monotonic', lambda: now[0])
    return now


def test_what_servers_say():
    none = Token(ZERO, -2)
    assert of_primary(7) == Position(True, False, ID, 7, none)
    assert at(7) == Position(False, True, ID, 7, none)
    assert not at(7, link='down').is_linked
    assert not at(7, syncs=1).is_linked
    assert of_primary(7, earlier=OLD, until=6).earlier == Token(OLD, 5)
    assert position_of(b'') == Position(False, False, '', -1, Token('', -2))


def test_a_server_has_what_a_token_stands_for():
    promoted = of_primary(20, earlier=OLD, until=11)
    assert promoted.has(Token(ID, 20)) and not promoted.has(Token(ID, 21))
    assert promoted.has(Token(OLD, 10)) and not promoted.has(Token(OLD, 11))
    assert not promoted.has(Token('c' * 40, 1))


def test_tokens_as_text():
    token = Token(ID, 12)
    assert parse_token('Song', str(token)) == token
    for wrong in ('', 'x', f'{ID}-', f'{ID}-1 ', f'{ID}-{"1" * 20}', str(token).encode(), 7, None):
        with pytest.raises(UsageError, match=r'Song: after=.* is no token'):
            parse_token('Song', wrong)


def test_the_moment_of_a_replica_is_the_latest_one_whose_offset_it_has(clock):
    copies = Copies()
    for when, offset in ((991.0, 10), (993.0, 20), (995.0, 20), (997.0, 30)):
        copies.note_primary(when, of_primary(offset))
    for offset, moment in ((9, None), (10, 991), (19, 991), (20, 995), (29, 995), (31, 997)):
        copies.note_replica(A, at(offset))
        for lag in (1.0, 3.5, 5.5, 9.5, 500.0):
            fresh = copies.choose((A,), Freshness(lag), {}) == A
            assert fresh == (moment is not None and moment >= clock[0] - lag)


def test_a_replica_is_used_once_it_has_what_was_seen_elsewhere(clock):
    copies = Copies()
    copies.note_primary(998.0, of_primary(10))
    copies.note_replica(A, at(10))
    assert copies.choose((A,), FIVE, {P: 997.9, ANYWHERE: 998.0, A: 999.0}) == A
    for node in (P, B, ANYWHERE):
        assert copies.choose((A,), FIVE, {node: 998.1}) is None
    assert copies.choose((A,), FIVE._replace(after=Token(ID, 10)), {}) == A
    assert copies.choose((A,), FIVE._replace(after=Token(ID, 11)), {}) is None
    assert copies.choose((A,), FIVE._replace(after=Token(OLD, 1)), {}) is None


@pytest.mark.parametrize(
    'told', [at(10, link='down'), at(10, syncs=1), at(10, id=OLD), of_primary(10)]
)
def test_what_cannot_be_compared_is_not_used(clock, told):
    copies = Copies()
    copies.note_primary(999.0, of_primary(10))
    copies.note_replica(A, at(10))
    copies.note_replica(A, told)
    assert copies.choose((A,), FIVE, {}) is None


def test_another_stream_of_the_primary_begins_anew(clock):
    copies = Copies()
    copies.note_primary(998.0, of_primary(10, id=OLD))
    copies.note_replica(A, at(10, id=OLD))
    copies.note_primary(999.0, of_primary(8))
    assert copies.choose((A,), FIVE, {}) is None
    copies.note_replica(A, at(9))
    assert copies.choose((A,), FIVE, {A: 999.5, ANYWHERE: 999.0}) == A


def test_what_threads_say_late_is_left_out(clock):
    copies = Copies()
    copies.note_primary(999.0, of_primary(20))
    copies.note_primary(998.0, of_primary(10))
    copies.note_replica(A, at(15))
    assert copies.choose((A,), Freshness(500.0), {}) is None


def test_the_replica_that_was_used_last_stays(clock):
    copies = Copies()
    copies.note_primary(999.0, of_primary(10))
    copies.note_replica(B, at(10))
    assert copies.choose((A, B), FIVE, {}) == B
    copies.note_replica(A, at(10))
    assert copies.choose((A, B), FIVE, {}) == B
    assert copies.to_ask((A, B)) == [B, A]
    assert copies.choose((A,), FIVE, {}) == A


def test_a_silent_replica_is_left_alone_for_a_time(clock):
    copies = Copies()
    copies.expect(A)
    assert copies.to_ask((A, B)) == [B]
    clock[0] += 6
    assert {*copies.to_ask((A, B))} == {A, B}


@pytest.mark.parametrize('told', [at(9), at(20, link='down'), at(20, id=OLD)])
def test_a_replica_that_started_anew_is_refused(clock, told):
    known = Replicas()
    copies = known.of(P)
    copies.note_primary(999.0, of_primary(10))
    copies.note_replica(A, at(10))
    other = known.of(B)
    other.note_primary(999.0, of_primary(30, id=OLD))
    other.note_replica(A, at(30, id=OLD))
    known.check(A, at(10))
    with pytest.raises(ConnectionError, match='p:1 started anew'):
        known.check(P, at(10))
    with pytest.raises(ConnectionError, match='a:2 started anew'):
        known.check(A, told)
    assert copies.choose((A,), FIVE, {}) is None


class Nodes(Line):
    """Answers for each node from a list of its own."""

    def __init__(self, clock, **answers):
        super().__init__()
        self._clock, self._by_host, self.visited = clock, answers, []

    def _perform(self, name, *args):
        if name == 'at':
            self._at = args
            return None
        if name == 'sleep':
            self._clock[0] += args[0]
        if name == 'send':
            self._clock[0] += 0.001
            self.visited.append((self._at[0].host, self._at[1]))
            self.answers = self._by_host[self._at[0].host]
        return super()._perform(name, *args)


@pytest.fixture
def place():
    return Place(FixedMap(P, [A]), None, 1.0)


def test_a_query_asks_how_far_all_are_and_goes_to_a_replica(clock, place):
    nodes = Nodes(clock, p=[[info('master', 10)]], a=[[info('slave', 10)], [b'1'], [b'2']])
    assert nodes.run(ask('X'), way_to(place, True, FIVE)) == b'1'
    assert nodes.run(ask('X'), way_to(place, True, FIVE)) == b'2'
    gauge, replica = Role.GAUGE, Role.REPLICA
    assert nodes.visited == [('p', gauge), ('a', gauge), ('a', replica), ('a', replica)]


def test_the_primary_answers_after_a_write_until_it_is_time_to_ask_again(clock, place):
    nodes = Nodes(
        clock,
        p=[[info('master', 10)], [b'written'], [b'1'], [info('master', 20)]],
        a=[[info('slave', 10)], [b'0'], [info('slave', 20)], [b'2']],
    )
    assert nodes.run(ask('X'), way_to(place, True, FIVE)) == b'0'
    assert nodes.run(ask('X'), place.way(False)) == b'written'
    assert nodes.run(ask('X'), way_to(place, True, FIVE)) == b'1'
    clock[0] += 0.1
    assert nodes.run(ask('X'), way_to(place, True, FIVE)) == b'2'


@pytest.mark.parametrize('failure', [ConnectionError('gone'), TimeoutError('silent')])
def test_a_replica_that_fails_leaves_its_batch_to_the_primary(clock, place, failure):
    nodes = Nodes(
        clock, p=[[info('master', 10)], [b'PONG'], [b'1']], a=[[info('slave', 10)], failure]
    )
    assert nodes.run(ask('X'), way_to(place, True, FIVE)) == b'1'
    assert nodes.visited[-1] == ('p', Role.PRIMARY)


def test_what_a_replaced_primary_says_proves_nothing(clock, place):
    nodes = Nodes(clock, p=[[info('slave', 10)], [b'PONG'], [b'1']], a=[[info('slave', 10)]])
    assert nodes.run(ask('X'), way_to(place, True, FIVE)) == b'1'
    assert nodes.visited[-1] == ('p', Role.PRIMARY)
    assert 'a' not in [host for host, _ in nodes.visited]


def test_without_replicas_only_the_list_of_them_is_asked_for_now_and_then(clock):
    nodes = Nodes(clock, p=[[b'PONG'], [b'1'], [b'2'], [b'3'], [b'PONG'], [b'4']])
    where = Place(FixedMap(P, []), None, 1.0)
    for pause, answer in ((0, b'1'), (0, b'2'), (0.2, b'3'), (1.0, b'4')):
        clock[0] += pause
        assert nodes.run(ask('X'), way_to(where, True, FIVE)) == answer


def test_replicas_that_are_required_are_waited_for(clock, place):
    required = Freshness(5.0, required=True)
    nodes = Nodes(
        clock,
        p=[[info('master', 10)], [b'PONG'], [info('master', 12)]],
        a=[[info('slave', 9)], [info('slave', 12)], [b'1']],
    )
    assert nodes.run(ask('X'), way_to(place, True, required)) == b'1'
    late = Nodes(clock, p=[[info('master', 99)]] * 50, a=[[info('slave', 9)]] * 50)
    clock[0] += 10
    with pytest.raises(NoFreshReplicaError, match=r'None of the 1 replicas of p:1 .* within 1 s'):
        late.run(ask('X'), way_to(place, True, required))
    assert Role.PRIMARY not in {role for _, role in late.visited}


def test_nothing_is_noted_before_a_query_may_go_to_a_replica(clock, place):
    nodes = Nodes(clock, p=[[b'1']])
    assert nodes.run(ask('X'), place.way(False)) == b'1'
    assert place.seen is None


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        *(('REPLICA_READS', value) for value in ('always', None, ['never'])),
        *(('ACKNOWLEDGED_BY', value) for value in (-1, True, '1', None, 1.0)),
    ],
)
def test_a_model_says_so_if_an_attribute_is_wrong(make_bare_model, name, value):
    with pytest.raises(InvalidModelException, match=f'{name} is '):
        make_bare_model(**{name: value}).validateModel()


@pytest.fixture
def make_bare_model():
    from IndexedRedis import IndexedRedisModel, IRField

    def make(**attrs):
        body = {'FIELDS': [IRField('name')], 'KEY_NAME': 'Bare', **attrs}
        return type(IndexedRedisModel)('Bare', (IndexedRedisModel,), body)

    return make


def test_a_query_says_so_if_a_lag_or_a_token_is_wrong(make_bare_model):
    objects = make_bare_model().objects
    assert repr(objects.replica()) == 'Bare.objects.replica(2)'
    assert repr(objects.replica(0.5, f'{ID}-7')) == f"Bare.objects.replica(0.5, after='{ID}-7')"
    for wrong in (0, -1, True, 'x', None, float('nan')):
        with pytest.raises(UsageError, match='maxLag='):
            objects.replica(maxLag=wrong)
    with pytest.raises(UsageError, match='is no token'):
        objects.replica(after='')


@pytest.mark.parametrize(
    'params',
    [
        {'cluster': True, 'replicas': [('a', 1)]},
        {'sentinels': [('a', 1)], 'service_name': 's', 'replicas': [('a', 1)]},
        {'unix_socket_path': '/tmp/x', 'replicas': [('a', 1)]},
    ],
)
def test_replicas_are_named_with_host_and_port_only(params):
    with pytest.raises(ConnectionSetupError, match="'replicas'"):
        check_params(params)
