"""Replicas for tests lag as much as the test wants, and catch up when it wants."""

from __future__ import annotations

import math
import time

import pytest
from support import servers

from IndexedRedis.testing.clusters import start_replicas
from IndexedRedis.testing.group import until

pytestmark = pytest.mark.clusters


@pytest.fixture
def group(server):
    with start_replicas(servers.binary(server.kind), replicas=2) as group:
        yield group


def offset(primary, replica):
    """What the primary knows of a replica: its offset; None if it is not connected."""
    info = primary.call('INFO', 'replication')
    known = [info[f'slave{number}'] for number in range(info['connected_slaves'])]
    return next((each['offset'] for each in known if each['port'] == replica.port), None)


def arrives(replica, key):
    until(f'{key} arrives', 20, lambda: replica.call('EXISTS', key))


def test_a_replica_that_lags(group):
    late, prompt = group.replicas
    group.primary.call('SET', 'before', 'x')
    arrives(late, 'before')
    group.delay(late, math.inf)
    group.primary.call('SET', 'key', 'x')
    arrives(prompt, 'key')
    time.sleep(1.5)  # both have told their offsets, once a second
    assert late.call('EXISTS', 'key') == 0
    assert late.call('INFO', 'replication')['master_link_status'] == 'up'
    assert offset(group.primary, late) < offset(group.primary, prompt)
    group.delay(late, 0)
    arrives(late, 'key')


def test_a_delay_in_seconds(group):
    late = group.replicas[0]
    group.delay(late, 0.5)
    began = time.monotonic()
    group.primary.call('SET', 'key', 'x')
    arrives(late, 'key')
    assert time.monotonic() - began >= 0.5  # on any machine, however slow


def test_a_replica_that_is_held(group):
    held = group.replicas[0]
    group.primary.call('SET', 'before', 'x')
    group.wait_ok()
    group.hold(held)
    group.primary.call('SET', 'key', 'x')
    group.wait_ok()  # it does not count
    assert (held.call('EXISTS', 'before'), held.call('EXISTS', 'key')) == (1, 0)
    assert held.call('INFO', 'replication')['master_link_status'] == 'down'
    assert offset(group.primary, held) is None
    group.release(held)
    group.wait_ok()
    assert held.call('EXISTS', 'key') == 1


def test_a_restart_ends_it(group):
    held = group.replicas[0]
    group.hold(held)
    group.primary.call('SET', 'key', 'x')
    group.restart(held)
    group.wait_ok()
    assert held.call('EXISTS', 'key') == 1


def test_heal_ends_all(group):
    late, held = group.replicas
    group.delay(late, math.inf)
    group.hold(held)
    group.kill(group.primary)
    group.heal()
    group.primary.call('SET', 'key', 'x')
    for replica in (late, held):
        arrives(replica, 'key')
    group.clear()
    assert [node.call('DBSIZE') for node in group.nodes] == [0] * 3
    assert group.params == group.primary.params
