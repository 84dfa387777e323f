"""A primary with replicas and sentinels for tests: redis-py finds its way, and a failover is over
when the call returns."""

from __future__ import annotations

import pytest
import redis
import redis.sentinel
from support import servers

from IndexedRedis.testing.clusters import start_sentinels

pytestmark = pytest.mark.clusters


@pytest.fixture
def found(sentinels):
    """`found()`: the port of the primary, as redis-py finds it."""
    sentinel = redis.sentinel.Sentinel(sentinels.params['sentinels'], socket_timeout=5)
    yield lambda: sentinel.discover_master(sentinels.params['service_name'])[1]
    for client in sentinel.sentinels:
        client.close()


def test_roles(sentinels, found):
    assert found() == sentinels.primary.port
    assert {sentinels.primary, *sentinels.replicas} == {*sentinels.nodes}
    assert (len(sentinels.nodes), len(sentinels.sentinels)) == (3, 3)
    assert [node.address for node in sentinels.sentinel_nodes] == sentinels.sentinels
    assert sentinels.primary.call('ROLE')[0] == b'master'
    assert [node.call('ROLE')[0] for node in sentinels.replicas] == [b'slave'] * 2


def test_a_failover(sentinels, found):
    old = sentinels.primary
    old.call('SET', 'key', 'value')
    sentinels.failover()
    assert sentinels.primary is not old
    assert found() == sentinels.primary.port
    assert [node.call('GET', 'key') for node in sentinels.nodes] == [b'value'] * 3
    assert old in sentinels.replicas
    assert old.call('ROLE')[0] == b'slave'


def test_an_election(sentinels, found):
    old = sentinels.primary
    sentinels.kill(old)
    sentinels.wait_ok()
    assert sentinels.primary is not old
    assert found() == sentinels.primary.port
    sentinels.restart(old)
    sentinels.wait_ok()
    assert old.call('ROLE')[2] == sentinels.primary.port


def test_a_zombie(sentinels, found):
    """While the old primary sleeps another one is chosen. It wakes, and gives up soon."""
    old = sentinels.primary
    with old.client() as client:
        client.set('key', 'old')
        sentinels.pause(old)
        sentinels.wait_ok()
        sentinels.primary.call('SET', 'key', 'new')
        sentinels.resume(old)
        sentinels.wait_ok()
        with pytest.raises((redis.ReadOnlyError, redis.ConnectionError)):
            client.set('key', 'zombie')
    assert [node.call('GET', 'key') for node in sentinels.nodes] == [b'new'] * 3


def test_a_sentinel_that_is_down(sentinels, found):
    down, paused = sentinels.sentinel_nodes[:2]
    sentinels.kill(down)
    old = sentinels.primary
    sentinels.failover()
    assert sentinels.primary is not old
    assert found() == sentinels.primary.port
    sentinels.pause(paused)
    sentinels.heal()
    assert down.live and paused.live
    assert sentinels.primary is not old


def test_clear_deletes_all_data_of_replicas_too(sentinels):
    sentinels.primary.call('SET', 'key', 'x')
    sentinels.clear()
    assert [node.call('DBSIZE') for node in sentinels.nodes] == [0] * 3


def test_a_group_that_cannot_agree(sentinels):
    for node in sentinels.nodes:
        sentinels.pause(node)
    with pytest.raises(TimeoutError, match=r'paused.* that live agree: .* within 0\.5 s'):
        sentinels.wait_ok(0.5)


def test_all_sentinels_are_paused(sentinels):
    for node in sentinels.sentinel_nodes:
        sentinels.pause(node)
    with pytest.raises(LookupError, match='dead or paused'):
        sentinels.wait_ok()
    sentinels.heal()
    assert sentinels.primary.call('ROLE')[0] == b'master'


def test_other_numbers_and_a_configuration(server):
    path, config = servers.binary(server.kind), {'min-replicas-to-write': '1'}
    with start_sentinels(path, replicas=1, sentinels=1, down_after=2, config=config) as group:
        assert (len(group.nodes), len(group.sentinels)) == (2, 1)
        group.primary.call('SET', 'key', 'x')
        group.kill(group.replicas[0])
        with pytest.raises(redis.ResponseError, match='NOREPLICAS'):
            group.primary.call('SET', 'key', 'x')
