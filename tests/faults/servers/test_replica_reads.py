"""Reads from replicas. The rule: real servers, whose replicas lag, freeze and die when the test
says so; the servers count who answered."""

from __future__ import annotations

import contextlib
import functools
import math
import random
import threading
import time

import pytest
from house.twins import only_asyncio

import IndexedRedis as IR
from faults.item import edition
from IndexedRedis import ConnectionSetupError, IRField, NoFreshReplicaError
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.testing.clusters import start_replicas

pytestmark = pytest.mark.clusters

two_replicas = functools.partial(start_replicas, replicas=2)


@pytest.fixture(params=['sync', 'aio'], autouse=True)
def executor(request, redis_params, monkeypatch):
    """Has each test run over threads, then over asyncio."""
    with only_asyncio(monkeypatch) if request.param == 'aio' else contextlib.nullcontext():
        yield


@pytest.fixture
def group(server, running_groups, redis_params):
    """A primary with two replicas that lag as much as a test wants; the library's default."""
    group = running_groups(two_replicas, server.kind)
    group.heal()
    group.clear()
    IR.setDefaultRedisConnectionParams(named(group))
    yield group
    IR.clearRedisPools()


def named(group, **more):
    """Connection parameters of a primary that name its replicas."""
    return {**group.params, 'replicas': [node.address for node in group.replicas], **more}


@pytest.fixture
def song(make_model):
    return make_model(
        ['name', IRField('n', valueType=int), IRField('edition', valueType=int)],
        indexed=['n', 'edition'],
        key_name='{Song}',
        REPLICA_READS='prefer',
    )


@pytest.fixture
def other(group, song):
    """The same model, as another process uses it: by other connections, to the primary."""
    return song.connectAlt({**group.params, 'client_name': 'other'})


def counted(nodes):
    """How many sets each node has counted since it started: once for each `count()`."""
    found = []
    for node in nodes:
        stats = node.call('INFO', 'commandstats')
        found.append(stats.get('cmdstat_scard', {'calls': 0})['calls'])
    return found


@contextlib.contextmanager
def answers_of(*nodes):
    """A list that says, after the block, how many counts each of these nodes did in it."""
    before, numbers = counted(nodes), []
    yield numbers
    numbers += [now - then for now, then in zip(counted(nodes), before, strict=True)]


def settle(song):
    """Until a replica is known to be fresh enough, and has what this process has written."""
    song.REPLICA_READS = 'require'
    try:
        return song.objects.count()
    finally:
        song.REPLICA_READS = 'prefer'


@pytest.mark.parametrize('kind', ['group', 'cluster', 'sentinels'])
def test_replicas_answer_what_only_reads_and_the_primary_carries_out_the_rest(
    kind, request, song, monkeypatch
):
    group = request.getfixturevalue(kind)
    if kind != 'group':
        IR.setDefaultRedisConnectionParams(group.params)
    song.saver.save(edition(song, 1, 20))
    settle(song)
    with answers_of(*group.nodes) as numbers:
        for _ in range(50):
            assert song.objects.count() == 20
    assert sum(numbers) == 50
    primary = group.primary_of('{Song}') if kind == 'cluster' else group.primary
    assert numbers[group.nodes.index(primary)] == 0
    song.REPLICA_READS = 'never'
    with answers_of(primary) as numbers:
        assert song.objects.count() == 20
    assert numbers == [1]
    obj = song.objects.first()
    obj.n = 42
    obj.save()
    obj.delete()
    assert song.objects.replica().filter(n=42).count() == 0
    assert len(song.objects.replica().all()) == 19
    IR.clearRedisPools()


@pytest.mark.parametrize('cached', [0, pytest.param(50, marks=pytest.mark.telling)])
def test_a_process_reads_what_it_has_written_however_late_its_replicas_are(group, song, cached):
    song.CLIENT_SIDE_CACHE = cached
    for seconds in (0.0, 0.05, 0.3):
        for replica in group.replicas:
            group.delay(replica, seconds)
        for number in range(30):
            obj = song(name='x', n=number, edition=1)
            obj.save()
            assert song.objects.filter(n=number, edition=1).count() == 1
            assert song.objects.get(obj.getPk()).n == number
            obj.edition = 2
            obj.save()
            assert song.objects.filter(n=number, edition=2).exists()
        song.objects.delete()


def test_a_replica_that_is_behind_answers_up_to_the_lag_that_the_query_allows(group, song, other):
    song(name='x', n=1).save()
    settle(song)
    for replica in group.replicas:
        group.delay(replica, 0.4)
    other(name='y', n=1).save()
    time.sleep(0.1)
    assert song.objects.replica(maxLag=60).count() == 1
    assert song.objects.replica(maxLag=0.05).count() == 2
    # Answers never go back in time, whatever lag a query allows.
    assert song.objects.replica(maxLag=60).count() == 2
    settle(song)
    with answers_of(group.primary) as numbers:
        assert song.objects.replica(maxLag=60).count() == 2
    assert numbers == [0]


def test_the_primary_answers_when_no_replica_is_fresh_enough(group, song, other):
    song(name='x', n=1).save()
    settle(song)
    for replica in group.replicas:
        group.delay(replica, math.inf)
    other(name='y', n=1).save()
    end = time.monotonic() + 20
    while song.objects.replica(maxLag=0.3).count() == 1:
        assert time.monotonic() < end
    assert song.objects.replica(maxLag=0.3).count() == 2


def test_where_replicas_are_required_stale_ones_are_waited_for_then_it_raises(group, song):
    IR.setDefaultRedisConnectionParams(named(group, failover_seconds=0.5))
    song.REPLICA_READS = 'require'
    song(name='x', n=1).save()
    assert song.objects.count() == 1
    for replica in group.replicas:
        group.delay(replica, math.inf)
    song(name='y', n=1).save()
    fails = pytest.raises(NoFreshReplicaError, match='None of the 2 replicas')
    with answers_of(*group.nodes) as numbers, fails as caught:
        song.objects.count()
    assert numbers == [0, 0, 0]
    assert isinstance(caught.value, TimeoutError)
    for replica in group.replicas:
        group.delay(replica, 0)
    assert song.objects.count() == 2


@pytest.mark.parametrize('held', [False, True], ids=['late', 'cut off'])
def test_a_token_carries_what_a_user_has_seen_to_another_process(group, song, other, held):
    song(name='x', n=1).save()
    settle(song)
    for replica in group.replicas:
        if held:
            group.hold(replica)
        else:
            group.delay(replica, math.inf)
    other(name='y', n=1).save()
    token = other.objects.readToken()
    assert token.replace('-', '').isalnum()
    assert song.objects.replica(maxLag=60, after=token).count() == 2
    for replica in group.replicas:
        group.delay(replica, 0)
        if held:
            group.release(replica)
    group.wait_ok()
    song.REPLICA_READS = 'require'
    with answers_of(group.primary) as numbers:
        assert song.objects.replica(after=token).count() == 2
    assert numbers == [0]
    assert f"after='{token}'" in repr(song.objects.replica(after=token))


def test_a_slower_replica_takes_over_once_it_has_what_this_process_has_seen(group, song, other):
    song(name='x', n=1).save()
    settle(song)
    with answers_of(*group.nodes) as numbers:
        song.objects.count()
    used = group.nodes[numbers.index(1)]
    (late,) = {*group.replicas} - {used}
    group.delay(late, math.inf)
    other(name='y', n=1).save()
    group.delay(used, 0)
    assert _until(lambda: song.objects.replica(maxLag=60).count(), 2)
    group.kill(used)
    with answers_of(late, group.primary) as numbers:
        assert song.objects.replica(maxLag=60).count() == 2
    assert numbers == [0, 1]
    group.delay(late, 0)
    assert settle(song) == 2


def _until(read, wanted):
    end = time.monotonic() + 20
    while (found := read()) != wanted:
        assert time.monotonic() < end
    return found


@pytest.mark.parametrize('event', ['pause', 'kill', 'hold'])
def test_a_replica_that_fails_leaves_the_answer_to_others(group, song, event):
    IR.setDefaultRedisConnectionParams(named(group, socket_timeout=0.5))
    song.saver.save(edition(song, 1, 20))
    settle(song)
    getattr(group, event)(group.replicas[0])
    for _ in range(30):
        assert song.objects.count() == 20
    getattr(group, event)(group.replicas[1])
    for _ in range(30):
        assert song.objects.count() == 20


def test_a_replica_that_starts_anew_without_its_data_does_not_answer(group, song):
    IR.setDefaultRedisConnectionParams(named(group, failover_seconds=20))
    song.saver.save(edition(song, 1, 20))
    for number in range(6):
        settle(song)
        group.restart(group.replicas[number % 2])
        for _ in range(200):
            assert song.objects.count() == 20


def test_answers_never_go_back_in_time(group, song, other, figures):
    """A counter that another process raises, while replicas lag, are cut off, and return."""
    counter = other(name='counter', n=0)
    counter.save()
    over, last = threading.Event(), [0]

    def disturb():
        dice = random.Random(7)
        while not over.is_set():
            replica = dice.choice(group.replicas)
            if dice.random() < 0.3:
                group.hold(replica)
                over.wait(0.1)
                group.release(replica)
            group.delay(replica, dice.choice([0, 0, 0.05, 0.2, 0.5]))
            over.wait(dice.uniform(0.02, 0.2))

    def count_up():
        with group.primary.client() as client:
            while not over.is_set():
                last[0] += 1
                client.hset(f'_ir_|{song.KEY_NAME}:data:1', 'n', last[0])
                over.wait(0.002)

    threads = [threading.Thread(target=each) for each in (disturb, count_up)]
    for thread in threads:
        thread.start()
    try:
        seen, reads, behind = 0, 0, 0
        end = time.monotonic() + 4
        with answers_of(*group.nodes):
            while time.monotonic() < end:
                at_least = last[0]
                number = song.objects.get(1).n
                assert number >= seen
                reads, behind = reads + 1, behind + (number < at_least - 1)
                seen = number
    finally:
        over.set()
        for thread in threads:
            thread.join()
    figures('replicas that lag', reads=reads, behind_the_primary=behind)
    assert behind > reads / 20  # or nothing was tried


@pytest.mark.parametrize('kind', ['cluster', 'sentinels'])
def test_a_failover_beside_reads_from_replicas(kind, request, song):
    group = request.getfixturevalue(kind)
    IR.setDefaultRedisConnectionParams(group.params)
    song.saver.save(edition(song, 1, 20))
    settle(song)
    if kind == 'cluster':
        group.failover(group.replicas_of(group.primary_of('{Song}'))[0])
    else:
        group.failover()
    for number in range(30):
        assert song.objects.count() == 20 + number
        song(name='x', n=1).save()
    group.wait_ok()
    assert settle(song) == 50
    IR.clearRedisPools()


def test_writes_wait_for_replicas_on_clusters_and_sentinel_services(cluster, sentinels, song):
    song.ACKNOWLEDGED_BY = 1
    for group in (cluster, sentinels):
        IR.setDefaultRedisConnectionParams(group.params)
        obj = song(name='x', n=1)
        obj.save()
        replicas = (
            group.replicas if group is sentinels else group.replicas_of(group.primary_of('{Song}'))
        )
        for replica in replicas:
            group.pause(replica)
        try:
            obj.n = 2
            with pytest.raises(IR.NotAcknowledgedError):
                obj.save()
            assert obj.hasUnsavedChanges()
        finally:
            for replica in replicas:
                group.resume(replica)
        obj.save()
        assert song.objects.filter(n=2).count() == 1
        IR.clearRedisPools()


def test_what_no_replica_confirmed_is_lost_in_a_failover_and_saved_again(cluster, song):
    IR.setDefaultRedisConnectionParams({**cluster.params, 'failover_seconds': 20})
    song.ACKNOWLEDGED_BY = 1
    confirmed, unconfirmed = song(name='x', n=1), song(name='y', n=1)
    confirmed.save()
    primary = cluster.primary_of('{Song}')
    (replica,) = cluster.replicas_of(primary)
    cluster.hold(replica)
    with pytest.raises(IR.NotAcknowledgedError):
        unconfirmed.save()
    cluster.kill(primary)
    cluster.release(replica)
    assert [obj.name for obj in song.objects.filter(n=1).all()] == ['x']
    cluster.restart(primary)
    cluster.wait_ok()
    unconfirmed.save()
    song.REPLICA_READS = 'require'
    assert sorted(obj.name for obj in song.objects.filter(n=1).all()) == ['x', 'y']
    IR.clearRedisPools()


def test_linked_objects_come_from_the_replica_too(group, make_model, song):
    album = make_model(
        ['name', IRForeignLinkField('song', song)], key_name='{Song}album', REPLICA_READS='prefer'
    )
    album(name='a', song=song(name='x', n=1)).save()
    settle(song)
    settle(album)
    before = [node.call('INFO', 'commandstats') for node in group.nodes[:1]]
    found = album.objects.all(cascadeFetch=True)
    assert found[0].song.name == 'x'
    after = [node.call('INFO', 'commandstats') for node in group.nodes[:1]]
    for name in ('cmdstat_hmget', 'cmdstat_smembers', 'cmdstat_evalsha', 'cmdstat_eval'):
        assert [each.get(name, {}).get('calls') for each in before] == [
            each.get(name, {}).get('calls') for each in after
        ]


def test_a_server_that_stands_alone_answers_itself_unless_replicas_are_required(redis_params, song):
    song(name='x', n=1).save()
    assert song.objects.count() == song.objects.replica().count() == 1
    song.REPLICA_READS = 'require'
    with pytest.raises(ConnectionSetupError, match='needs replicas'):
        song.objects.count()
