"""Where the nodes are: what their answers mean, and what a model and connection parameters say."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from IndexedRedis import IndexedRedisModel
from IndexedRedis.connections.params import check_params, without_url
from IndexedRedis.connections.threads import merged, redirected
from IndexedRedis.connections.topologies import params_of_cluster_client
from IndexedRedis.errors import ConnectionSetupError
from IndexedRedis.executors.topology import sentinel
from IndexedRedis.executors.topology.cluster import ClusterMap
from IndexedRedis.executors.topology.nodes import Node
from IndexedRedis.executors.topology.redirects import is_passing, moved_to
from IndexedRedis.executors.topology.sentinel import SentinelMap
from IndexedRedis.executors.topology.slots import slot_of

SEED = Node('seed', 1)
A, B, C = Node('a', 7000), Node('b', 7001), Node('c', 7002)
SLOTS = [
    [8000, 16383, [b'b', 7001, b'id', []]],
    [0, 4999, [b'a', 7000, b'id', []], [b'c', 7002, b'id', []]],
]


def song(key_name):
    return SimpleNamespace(KEY_NAME=key_name)


@pytest.mark.parametrize('key_name', ['{shop}', '{shop}Songs', 'Songs{shop}', 'x{shop}{other}'])
def test_the_slot_of_a_model_is_that_of_its_first_tag(key_name):
    assert slot_of(song(key_name)) == 3808  # CLUSTER KEYSLOT shop


@pytest.mark.parametrize('key_name', ['Songs', '{}Songs', '{Songs', 'Songs}', '}{', '{}{shop}'])
def test_a_model_without_a_tag_is_refused_by_name(key_name):
    class Song(IndexedRedisModel):
        FIELDS, KEY_NAME = [], key_name

    with pytest.raises(ConnectionSetupError, match='Song: the server is a cluster'):
        slot_of(Song)


@pytest.mark.parametrize(
    'error',
    [
        MovedError('1 a:7000'),
        AskError('1 a:7000'),
        TryAgainError('Multiple keys request during rehashing of slot'),
        ClusterDownError('The cluster is down'),
        BusyLoadingError('Redis is loading the dataset in memory'),
        ReadOnlyError("You can't write against a read only replica."),
        ResponseError('MOVED 1 a:7000'),
        ResponseError('NOREPLICAS Not enough good replicas to write.'),
        ResponseError(
            'ERR Error running script (call to f_1): @user_script:6: -READONLY You cannot write'
        ),
    ],
)
def test_errors_that_pass(error):
    assert is_passing(error)


@pytest.mark.parametrize(
    'error',
    [
        ResponseError('WRONGTYPE Operation against a key'),
        ResponseError('ERR unknown command MOVED '),
        ConnectionError('broken'),
    ],
)
def test_errors_that_stay(error):
    assert not is_passing(error)


@pytest.mark.parametrize(
    ('error', 'address'),
    [
        (MovedError('1 a:7000'), ('a', 7000)),
        (ResponseError('MOVED 1 ::1:7000'), ('::1', 7000)),
        (ResponseError('MOVED 1 :7000'), ('', 7000)),
        (AskError('1 a:7000'), None),
        (ResponseError('ASK 1 a:7000'), None),
        (ClusterDownError('The cluster is down'), None),
    ],
)
def test_where_a_slot_has_moved_to(error, address):
    assert moved_to(error) == address


def test_a_cluster_is_known_by_its_ranges_of_slots():
    cluster = ClusterMap([SEED])
    assert cluster.primary(0) is None
    assert cluster.candidates() == [SEED]
    cluster.learn([SLOTS], SEED)
    assert [cluster.primary(slot) for slot in (0, 4999, 8000, 16383)] == [A, A, B, B]
    assert cluster.primary(5000) is None  # nobody serves it at the moment
    assert cluster.replicas(0) == (C,)
    assert cluster.replicas(8000) == ()
    assert set(cluster.primaries()) == {A, B}
    *known, last = cluster.candidates()  # in any order, the seeds last
    assert ({*known}, last) == ({A, B, C}, SEED)
    assert not cluster.is_due(1.0)  # a node that has become wrong says so


def test_a_slot_that_moved_is_elsewhere_until_the_nodes_are_asked_again():
    cluster = ClusterMap([SEED])
    cluster.learn([SLOTS], SEED)
    cluster.learn_moved(7, '', 7009, A)
    assert cluster.primary(7) == Node('a', 7009)
    assert cluster.primary(8) == A
    assert Node('a', 7009) in cluster.primaries()
    cluster.learn([SLOTS], SEED)
    assert cluster.primary(7) == A


def test_nodes_without_a_host_are_those_that_were_asked_and_addresses_are_translated():
    cluster = ClusterMap([SEED], lambda address: (f'{address[0]}.lan', address[1] + 1))
    cluster.learn([[[0, 16383, [b'', 7000, b'id'], [None, 7001, b'id']]]], SEED)
    assert cluster.primary(0) == Node('seed.lan', 7001)
    assert cluster.replicas(0) == (Node('seed.lan', 7002),)


@pytest.mark.parametrize('as_dict', [False, True])
def test_sentinels_tell_the_primary_and_the_replicas_they_reach(as_dict):
    def told(**fields):
        pairs = {name.encode(): value for name, value in fields.items()}
        return pairs if as_dict else [part for pair in pairs.items() for part in pair]

    replicas = [
        told(ip=b'b', port=b'7001', flags=b'slave'),
        told(ip=b'c', port=b'7002', flags=b's_down,slave,disconnected'),
    ]
    service = SentinelMap([SEED, C], 'mymaster')
    assert service.primary(None) is None
    state = told(**{'config-epoch': b'2', 'down-after-milliseconds': b'2500'})
    service.learn([[b'a', b'7000'], replicas, state], C)
    assert service.primary(None) == A
    assert service.replicas(None) == (B,)
    assert service.primaries() == [A]
    assert service.candidates() == [C, SEED]  # the one that answered comes first
    assert SentinelMap.seconds_to_notice([state]) == 2.5
    with pytest.raises(ConnectionError, match="knows no service 'mymaster'"):
        service.learn([None, [], state], C)


def sentinels_say(service, primary, epoch):
    state = [b'config-epoch', b'%d' % epoch]
    service.learn([[primary.host.encode(), b'%d' % primary.port], [], state], SEED)


def test_sentinels_are_asked_again_soon_and_seldom_while_none_answers(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(sentinel, 'monotonic', lambda: now[0])
    service = SentinelMap([SEED], 'mymaster')
    sentinels_say(service, A, 1)
    waits = []
    for answers in (True, False, False, False, True, False):
        began = now[0]
        while not service.is_due(0.0):
            now[0] += 0.05
        waits.append(round(now[0] - began, 1))
        if answers:
            sentinels_say(service, A, 1)
        else:
            service.put_off()
    assert waits == [0.2, 0.2, 0.2, 0.4, 0.8, 0.2]


def test_a_sentinel_that_has_not_heard_of_a_failover_is_not_believed_at_once():
    service = SentinelMap([SEED, C], 'mymaster')
    sentinels_say(service, B, 7)
    with pytest.raises(ConnectionError, match='latest failover'):
        sentinels_say(service, A, 6)
    assert service.primary(None) == B
    sentinels_say(service, A, 6)  # their memory was reset
    assert service.primary(None) == A


@pytest.mark.parametrize(
    ('reply', 'seconds'),
    [([b'cluster-node-timeout', b'15000'], 15), ({b'cluster-node-timeout': b'1500'}, 1.5), ([], 0)],
)
def test_how_long_a_cluster_takes_to_notice(reply, seconds):
    assert ClusterMap.seconds_to_notice([reply]) == seconds


@pytest.mark.parametrize(
    ('url', 'params'),
    [
        ('redis+cluster://h:7000', {'host': 'h', 'port': 7000, 'cluster': True}),
        (
            'rediss+cluster://ann:p%40ss@h',
            {'host': 'h', 'username': 'ann', 'password': 'p@ss', 'cluster': True, 'ssl': True},
        ),
        (
            'sentinel://:secret@s1:26379,s2,[::1]:9/mymaster/3?socket_timeout=2',
            {
                'host': 'localhost',
                'password': 'secret',
                'db': 3,
                'socket_timeout': 2.0,
                'sentinels': (('s1', 26379), ('s2', 26379), ('::1', 9)),
                'service_name': 'mymaster',
            },
        ),
    ],
)
def test_urls_of_several_servers(url, params):
    assert without_url({'url': url}) == params


@pytest.mark.parametrize(
    'params',
    [
        {'url': 'sentinel://s1:26379'},
        {'url': 'sentinel://s1:secret/mymaster'},
        {'url': 'redis+ring://h'},
        {'sentinels': [('s1', 1)]},
        {'cluster': True, 'db': 1},
        {'cluster': True, 'unix_socket_path': '/tmp/x'},
    ],
)
def test_parameters_of_several_servers_that_cannot_be_used(params):
    with pytest.raises(ConnectionSetupError) as caught:
        check_params(without_url(params))
    assert 'secret' not in str(caught.value)


def test_a_model_that_names_a_server_is_not_on_the_default_cluster():
    with redirected(lambda params: {'cluster': True, 'host': 'h', **params}):
        assert 'cluster' in merged({})
    from IndexedRedis.connections import threads

    before = threads._defaults
    try:
        threads._defaults = {'cluster': True, 'host': 'h', 'startup_nodes': (('h', 1),)}
        assert merged({'password': 'p'})['cluster']
        assert merged({'host': 'other'}) == {'host': 'other'}
        assert merged({'sentinels': ((), ()), 'service_name': 's'}).get('cluster') is None
    finally:
        threads._defaults = before


class Client:
    """Has the attributes of a ``RedisCluster`` that say where it is connected to."""

    def __init__(self, **options):
        startup = {'h:1': SimpleNamespace(host='h', port=1)}
        self.nodes_manager = SimpleNamespace(startup_nodes=startup, connection_kwargs=options)


def test_a_cluster_client_gives_addresses_and_options():
    client = Client(password='p', retry=object(), ssl_ca_certs='x', username=None)
    params = params_of_cluster_client(client)
    assert params == {
        'cluster': True,
        'startup_nodes': (('h', 1),),
        'address_remap': None,
        'password': 'p',
        'ssl_ca_certs': 'x',
    }
    assert params_of_cluster_client(client) is params
    assert params_of_cluster_client(SimpleNamespace(connection_pool=1)) is None
