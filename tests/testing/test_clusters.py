"""A cluster for tests: its events happen, are over when the call returns, and lose what they
may."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
import redis
import redis.cluster
from support import servers

from IndexedRedis.errors import EmbeddedServerError
from IndexedRedis.testing.clusters import start_cluster
from IndexedRedis.testing.clusters.topology import slot_of

pytestmark = pytest.mark.clusters

TAG = '{Songs}'
KEYS = [f'{TAG}:{number}' for number in range(25)]


@pytest.fixture
def client(cluster):
    """What redis-py makes of it."""
    with redis.cluster.RedisCluster(**{**cluster.params, 'cluster': True}) as client:
        yield client


@pytest.fixture
def primary(cluster):
    """The primary of `KEYS`, with data under all of them."""
    node = cluster.primary_of(TAG)
    with node.client() as client:
        client.mset(dict.fromkeys(KEYS, 'x'))
    return node


def stored(node):
    return node.call('EXISTS', *KEYS)


def test_keys_are_where_it_says(cluster):
    spread = [f'key {number}' for number in range(200)]
    with redis.cluster.RedisCluster(host='127.0.0.1', port=cluster.params['port']) as client:
        for key in spread:
            client.set(key, 'x')
    for key in spread:
        assert cluster.primary_of(key).call('EXISTS', key) == 1
    assert len({cluster.primary_of(key) for key in spread}) == len(cluster.primaries) == 3
    assert cluster.primary_of('b{a}c') is cluster.primary_of(b'a') is cluster.primary_of(15495)
    with pytest.raises(LookupError, match='16384'):
        cluster.primary_of(16384)


def test_roles_and_addresses(cluster):
    replicas = [replica for node in cluster.primaries for replica in cluster.replicas_of(node)]
    assert {*cluster.primaries, *replicas} == {*cluster.nodes}
    assert len(replicas) == 3
    assert all(node.call('ROLE')[0] == b'slave' for node in replicas)
    assert cluster.url == f'redis+cluster://127.0.0.1:{cluster.params["port"]}'
    assert all(node.params['port'] == node.address[1] == node.port for node in cluster.nodes)
    node = cluster.nodes[0]
    assert node.call('CLUSTER', 'MYID').decode() == cluster.node_id(node)


def test_a_takeover_without_the_primary(cluster, primary):
    (replica,) = cluster.replicas_of(primary)
    cluster.pause(primary)
    cluster.takeover(replica)
    assert cluster.primary_of(TAG) is replica
    replica.call('SET', KEYS[0], 'new')
    cluster.resume(primary)
    cluster.wait_ok()
    assert cluster.replicas_of(replica) == [primary]
    assert redis_error(primary, 'SET', KEYS[0], 'old') == 'MovedError'
    assert replica.call('GET', KEYS[0]) == b'new'


def test_a_failover_keeps_all_writes(cluster, primary):
    (replica,) = cluster.replicas_of(primary)
    for _ in range(20):
        primary.call('INCR', f'{TAG}:count')
    cluster.failover(replica)
    assert (stored(replica), replica.call('GET', f'{TAG}:count')) == (len(KEYS), b'20')
    assert cluster.replicas_of(replica) == [primary]


def test_an_election(cluster, primary):
    (replica,) = cluster.replicas_of(primary)
    cluster.kill(primary)
    assert not primary.live
    cluster.wait_ok()
    assert cluster.primary_of(TAG) is replica
    assert stored(replica) == len(KEYS)
    assert cluster.params['port'] != primary.port
    cluster.restart(primary)
    cluster.wait_ok()
    assert cluster.replicas_of(replica) == [primary]


def test_a_paused_node_does_not_answer(cluster, primary):
    cluster.pause(primary)
    with pytest.raises(redis.TimeoutError), primary.client(socket_timeout=0.1) as client:
        client.ping()
    cluster.wait_ok()
    assert cluster.primary_of(TAG) is not primary
    cluster.resume(primary)
    assert primary.call('PING')


def test_a_replica_that_is_held_is_chosen_with_old_data(cluster, primary):
    (replica,) = cluster.replicas_of(primary)
    cluster.wait_ok()
    cluster.hold(replica)
    primary.call('SET', f'{TAG}:late', 'x')
    cluster.wait_ok()
    cluster.kill(primary)
    cluster.wait_ok()
    assert cluster.primary_of(TAG) is replica
    assert (stored(replica), replica.call('EXISTS', f'{TAG}:late')) == (len(KEYS), 0)


def test_what_is_dead_cannot_be_paused(cluster):
    node = cluster.nodes[0]
    cluster.kill(node)
    with pytest.raises(EmbeddedServerError, match=r'does not run\. restart\(\) starts it'):
        cluster.pause(node)


def test_slots_that_nobody_serves(cluster, primary):
    for node in (primary, *cluster.replicas_of(primary)):
        cluster.kill(node)
    with pytest.raises(TimeoutError, match=r'not running.* that live agree: .* within 1 s'):
        cluster.wait_ok(1)
    cluster.heal()
    assert stored(cluster.primary_of(TAG)) == 0


def test_all_are_paused(cluster, primary):
    for node in cluster.nodes:
        cluster.pause(node)
    with pytest.raises(LookupError, match='dead or paused'):
        cluster.wait_ok()
    with pytest.raises(LookupError, match='dead or paused'):
        cluster.primary_of(TAG)
    cluster.heal()
    assert stored(cluster.primary_of(TAG)) == len(KEYS)


def test_clear_deletes_all_data_of_replicas_too(cluster, primary):
    other = cluster.primary_of('other')
    other.call('SET', 'other', 'x')
    cluster.clear()
    assert [node.call('DBSIZE') for node in cluster.nodes] == [0] * 6


def redis_error(node, *command, first=()):
    """Return the name of the error with which a node answers a command, if it is one."""
    with node.client(single_connection_client=True) as client:
        for each in first:
            client.execute_command(each)
        try:
            client.execute_command(*command)
        except redis.ResponseError as error:
            return type(error).__name__
    return None


def test_a_slot_that_moves_key_by_key(cluster, primary):
    target = next(node for node in cluster.primaries if node is not primary)
    stages = []

    def step(stage):
        stages.append((stage, primary.call('DBSIZE')))
        if stages[-1] == ('moved', 15):
            gone, there = primary.call('KEYS', '*')[0], target.call('KEYS', '*')[0]
            assert redis_error(primary, 'GET', there) == 'AskError'
            assert redis_error(primary, 'MGET', gone, there) == 'TryAgainError'
            assert redis_error(target, 'GET', there) == 'MovedError'
            assert redis_error(target, 'MGET', there, gone, first=['ASKING']) == 'TryAgainError'
            assert cluster.primary_of(TAG) is primary

    cluster.migrate(slot_of(TAG), target, step)
    assert stages == [('marked', 25), ('moved', 15), ('moved', 5), ('moved', 0), ('emptied', 0)]
    assert cluster.primary_of(TAG) is target
    assert (stored(target), primary.call('DBSIZE')) == (len(KEYS), 0)
    assert redis_error(primary, 'GET', KEYS[0]) == 'MovedError'


def test_a_slot_that_was_left_moving(cluster, primary):
    target = next(node for node in cluster.primaries if node is not primary)

    def step(stage):
        assert stage == 'marked'

    with pytest.raises(AssertionError):
        cluster.migrate(slot_of(TAG), target, step)
    assert redis_error(target, 'GET', primary.call('KEYS', '*')[0], first=['ASKING']) is None
    cluster.heal()
    cluster.clear()
    assert cluster.primary_of(TAG) is primary
    assert redis_error(target, 'GET', TAG, first=['ASKING']) == 'MovedError'
    assert primary.call('GET', TAG) is None


def test_a_slot_that_moves_as_a_whole(cluster, primary, server):
    target = next(node for node in cluster.primaries if node is not primary)
    if server.kind == 'redis' or int(servers.version(server.kind).split('.')[0]) < 9:
        with pytest.raises(EmbeddedServerError, match='new in Valkey 9'):
            cluster.migrate_atomic(slot_of(TAG), target)
        return
    cluster.migrate_atomic(slot_of(TAG), target)
    assert cluster.primary_of(TAG) is target
    assert (stored(target), primary.call('DBSIZE')) == (len(KEYS), 0)


def test_other_numbers_of_nodes_and_a_configuration(server):
    config = {'maxmemory': '20mb', 'notify-keyspace-events': ''}
    path = servers.binary(server.kind)
    with start_cluster(path, primaries=1, replicas=2, node_timeout=3, config=config) as cluster:
        (primary,) = cluster.primaries
        assert {*cluster.replicas_of(primary)} == {*cluster.nodes[1:]}
        for node in cluster.nodes:
            with node.client() as client:
                assert client.config_get('maxmemory')['maxmemory'] == str(20 * 2**20)
                assert client.config_get('cluster-node-timeout')['cluster-node-timeout'] == '3000'


def test_a_configuration_that_the_server_refuses(server):
    with pytest.raises(EmbeddedServerError, match=r'(?s)did not start; its log ends:.*nonsense'):
        start_cluster(servers.binary(server.kind), primaries=1, config={'nonsense': 'yes'})


def test_a_killed_process_leaves_no_node(server, tmp_path):
    code = (
        'import os, sys\n'
        'from IndexedRedis.testing.clusters import start_cluster\n'
        'cluster = start_cluster(sys.argv[1], primaries=1, replicas=1)\n'
        'cluster.restart(cluster.nodes[0])\n'
        'cluster.pause(cluster.nodes[1])\n'
        'print(*[node.process.pid for node in cluster.nodes], flush=True)\n'
        f'os.kill(os.getpid(), {int(signal.SIGKILL)})'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, servers.binary(server.kind)],
        env={**os.environ, 'TMPDIR': str(tmp_path), 'PYTHONPATH': os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2
    end = time.monotonic() + 20
    while time.monotonic() < end and (os.listdir(tmp_path) or any(map(runs, pids))):
        time.sleep(0.05)
    assert not any(map(runs, pids))
    assert not os.listdir(tmp_path)


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
