"""Readers, writers and resetters, of threads and of tasks, while a cluster changes. The rule:
nobody gets an error, no answer mixes two data sets, and what was acknowledged is stored.

A replica that is promoted has confirmed all writes before, since nothing else can be promised.
Events at which the old primary hands over need no such pause.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from redis.crc import key_slot

from clusters.losses import crash, freeze_and_wake, resting, wake_among_idle
from IndexedRedis.testing.clusters import Cluster
from IndexedRedis.testing.clusters.cluster import CONFIG

TAG = '{crowd}'
SLOT = key_slot(b'crowd')
# On a busy machine a node may seem to be gone after the second that tests wait otherwise.
PATIENT_MS = 5000


def hand_over(cluster, crowd, primary):
    """An orderly failover, while all go on."""
    cluster.failover(cluster.replicas_of(primary)[0])


def take_over(cluster, crowd, primary):
    """The replica does not ask the old primary, which is well."""
    with resting(cluster, crowd, primary):
        cluster.takeover(cluster.replicas_of(primary)[0])


def freeze(cluster, crowd, primary):
    """As a crash, but connections stay open; the old primary comes back much later."""
    with resting(cluster, crowd, primary):
        cluster.pause(primary)
    cluster.wait_ok()
    crowd.work()
    cluster.resume(primary)


def another(cluster, primary):
    return next(node for node in cluster.primaries if node is not primary)


def migrate(cluster, crowd, primary):
    """Key by key: meanwhile nearly nothing is answered."""
    cluster.migrate(SLOT, another(cluster, primary), batch=200)


def migrate_as_a_whole(cluster, crowd, primary):
    cluster.migrate_atomic(SLOT, another(cluster, primary))


def a_slot_gone_astray(cluster, crowd, primary):
    """A slot moves on twice, so that what members know is two moves old."""
    for node in (another(cluster, primary), primary):
        with crowd.resting(cluster.primary_of(TAG), 1):
            cluster.migrate(SLOT, node, batch=200)


def a_node_comes_and_goes(cluster, crowd, primary):
    """It is made for the slot of the models, and is killed as soon as it has none."""
    with joined(cluster) as newcomer:
        cluster.migrate(SLOT, newcomer, batch=200)
        crowd.work()
        cluster.migrate(SLOT, primary, batch=200)


@contextlib.contextmanager
def joined(cluster):
    """A primary more, for a while."""
    # Without its last slot it would become a replica otherwise.
    newcomer = cluster.add([*CONFIG, 'cluster-allow-replica-migration no'], 'cluster')
    cluster.start(newcomer)
    newcomer.call('CLUSTER', 'MEET', *cluster.nodes[0].address)
    cluster.wait_ok()
    name = newcomer.call('CLUSTER', 'MYID')
    yield newcomer
    cluster.kill(newcomer)
    cluster._members.remove(newcomer)
    for node in cluster.nodes:
        node.call('CLUSTER', 'FORGET', name)
    cluster.wait_ok()


# Events at which a node must be missed soon, and others.
SUDDEN = [crash, freeze, freeze_and_wake, wake_among_idle]
PLANNED = [hand_over, take_over, migrate, migrate_as_a_whole, a_slot_gone_astray]
PLANNED += [a_node_comes_and_goes]


@contextlib.contextmanager
def patient(cluster: Cluster):
    """Nodes that are only slow are not replaced meanwhile."""
    _, before = cluster.nodes[0].call('CONFIG', 'GET', 'cluster-node-timeout')
    set_node_timeout(cluster, PATIENT_MS)
    try:
        yield
    finally:
        set_node_timeout(cluster, before)


def set_node_timeout(cluster: Cluster, milliseconds: Any):
    for node in cluster.nodes:
        node.call('CONFIG', 'SET', 'cluster-node-timeout', milliseconds)


@pytest.mark.parametrize('event', [*SUDDEN, *PLANNED], ids=lambda event: event.__name__)
def test_nobody_notices(cluster, server, event, crowd_on, judge):
    if event is migrate_as_a_whole and server.kind == 'redis':
        pytest.skip('CLUSTER MIGRATESLOTS is of Valkey 9')
    if event in PLANNED:
        # In an orderly failover the old primary answers no writes for up to 5 s.
        calm, params = patient(cluster), cluster.params
    else:
        # A node that is silent is given up after this time-out: it bounds the gap.
        calm, params = contextlib.nullcontext(), {**cluster.params, 'socket_timeout': 2.0}
    with calm:
        crowd = crowd_on(params)
        event(cluster, crowd, cluster.primary_of(TAG))
        judge(event.__name__, crowd, lambda: cluster.primary_of(TAG))
