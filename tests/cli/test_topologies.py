"""The commands on a cluster, on a Sentinel service, and on a node of a cluster alone.

The rule: they do what they do on one server, or say which parameters are missing.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest
from judge.checker import check_model
from redis.exceptions import NoPermissionError

import IndexedRedis as IR
from cli.commands import command
from cli.tagged import Artist, CachedSong, Short, Song
from IndexedRedis import afindModels, findModels
from IndexedRedis.async_connections import aclose
from IndexedRedis.demo.linked import Track
from IndexedRedis.managers.manager import scan_set

pytestmark = pytest.mark.clusters

MODELS = (Artist, Song, Short)
MOVED = 'The server is a node of a cluster: give --url redis+cluster://'


@pytest.fixture
def used():
    """`used(params)`: make these the default connection."""
    return IR.setDefaultRedisConnectionParams


def fill():
    """Store objects of each model; of songs more than a page of a scan."""
    artists = [Artist(name=f'a{n}') for n in range(3)]
    Artist.saver.save(artists)
    Song.reset(Song(title=str(n), group=n % 5, by=artists[n % 3]) for n in range(1200))
    Short.saver.save([Short(name=str(n)) for n in range(10)])


@pytest.fixture(params=['cluster', 'sentinels'])
def group(request, server, used):
    """A filled cluster or Sentinel service, the default connection."""
    group = request.getfixturevalue(request.param)
    used(group.params)
    fill()
    return group


def url_of(group):
    if hasattr(group, 'url'):
        return group.url
    hosts = ','.join(f'{host}:{port}' for host, port in group.sentinels)
    return f'sentinel://{hosts}/{group.service_name}'


def node_of(group, model):
    return group.primary_of(model.KEY_NAME) if hasattr(group, 'primary_of') else group.primary


def test_the_commands_read_and_write(group, tmp_path):
    url, file = url_of(group), str(tmp_path / 'songs')

    def run(*args, status=0):
        done = command(*args, '--url', url)
        assert done.status == status, done.errors
        return done

    found = [line.split()[:2] for line in run('models').out.splitlines()[1:]]
    assert sorted(found) == [['{Short}', '10'], ['{tagged}Artist', '3'], ['{tagged}Song', '1,200']]
    assert 'objects: 1,200' in run('info', 'tagged:Song').out
    assert 'rows: 80 of 1,200' in run('explain', 'tagged:Song', 'group=3', 'by=1').out
    assert 'nothing found' in run('check', 'tagged:Song').out
    run('export', 'tagged:Song', '-o', file)
    before = sorted((song.getPk(), song.title, song.by__id) for song in Song.objects.all())
    Song.objects.filter(group=2).delete()
    node_of(group, Song).call('SREM', '_ir_|{tagged}Song:idx:group:3', *range(1000))
    run('check', 'tagged:Song', status=1)
    run('repair', 'tagged:Song', '--yes')
    run('reindex', 'tagged:Song')
    run('import', 'tagged:Song', file)
    assert sorted((song.getPk(), song.title, song.by__id) for song in Song.objects.all()) == before
    assert Song.objects.filter(group=2).count() == 240
    for model in MODELS:
        with node_of(group, model).client() as client:
            assert check_model(client, model) == []
    Song.deleter.destroyModel()
    assert Song.objects.count() == 0
    assert 'tagged}Song' not in run('models').out


JOBS = """
from IndexedRedis.demo.events.failover import mirror_of
from sqlalchemy import create_engine
shop = mirror_of(create_engine({url!r}))
"""


def test_a_mirror_has_its_lock_where_its_models_are(group, tmp_path):
    data = pytest.importorskip('IndexedRedis.demo.data')
    engine = data.build(tmp_path / 'shop.sqlite')
    (tmp_path / 'jobs.py').write_text(JOBS.format(url=str(engine.url)))
    mirror = partial(command, 'mirror', 'jobs:shop', '--url', url_of(group), cwd=tmp_path)
    done = mirror('--json')
    assert done.status == 0, done.errors
    assert json.loads(done.out)['models']['Track']['written'] == 3503
    engine.dispose()
    node_of(group, Track).call('SET', f'_ir_|{Track.KEY_NAME}:tmp:mirror', 'x', 'PX', 60_000)
    done = mirror()
    assert done.status != 0
    assert 'Track: another run or a follower is at work' in done.errors


async def in_tasks():
    found = await afindModels()
    await aclose()
    return found


def test_models_of_all_primaries_are_found(cluster, used):
    used(cluster.params)
    fill()
    served = [cluster.primary_of(model.KEY_NAME) for model in MODELS]
    assert served[1] is not served[2]
    for number in range(200):  # as a client of single commands would write them
        key = f'_ir_|Untagged:data:{number}'
        cluster.primary_of(key).call('HSET', key, 'name', 'x')
    found = findModels()
    assert [(each.keyName, each.objects) for each in found] == [
        ('Untagged', 200),
        ('{Short}', 10),
        ('{tagged}Artist', 3),
        ('{tagged}Song', 1200),
    ]
    assert found[0].memory is None
    assert all(each.memory for each in found[1:])
    assert [each.asDict() for each in asyncio.run(in_tasks())] == [each.asDict() for each in found]


def test_a_primary_is_lost_while_models_are_listed(cluster, used):
    used(cluster.params)
    fill()
    findModels()
    killed = cluster.primary_of(Short.KEY_NAME)
    with killed.client() as client:
        client.set('{Short}mark', 1)
        client.wait(1, 5000)
    cluster.kill(killed)
    assert [each.objects for each in findModels()] == [10, 3, 1200]


def test_a_node_alone_is_refused_with_the_remedy(cluster, used):
    used(cluster.params)
    fill()
    for node in cluster.primaries:
        url = f'redis://127.0.0.1:{node.port}/0'
        done = command('models', '--url', url)
        assert (done.status, done.out) == (2, '')
        assert MOVED in done.errors
        done = command('info', 'tagged:Song', '--url', url)
        if node is cluster.primary_of(Song.KEY_NAME):
            assert done.status == 0
        else:
            assert (done.status, done.out) == (2, '')
            assert MOVED in done.errors
    done = command('info', 'tagged:Untagged', '--url', cluster.url)
    assert done.status == 2
    assert "KEY_NAME = '{Untagged}'" in done.errors


def test_cached_replies_are_dropped_with_their_primary(telling_server, cluster, used):
    used(cluster.params)
    fill()
    threes, entry = CachedSong.objects.filter(group=3), '_ir_|{tagged}Song:idx:group:3'
    assert [threes.count() for _ in range(3)] == [240] * 3
    with IR.connections.recordTrips() as trips:
        assert threes.count() == 240
    assert not trips
    cluster.takeover(cluster.replicas_of(cluster.primary_of(Song.KEY_NAME))[0])
    with cluster.primary_of(Song.KEY_NAME).client() as client:
        client.srem(entry, *client.srandmember(entry, 40))
        client.wait(1, 5000)  # the node that has the cached reply is a replica of it
    assert threes.count() == 200


@pytest.mark.parametrize(
    ('start', 'remedy'),
    [
        ('redis+cluster://{0}', 'The server stands alone: give --url redis://'),
        ('sentinel://{1}/other', 'Correct the name in --url sentinel://'),
        ('sentinel://{1}', "--url: Sentinels need the name of their service: add 'service_name'"),
        ('sentinel://{0}/mymaster', 'The server is not a Sentinel: give --url redis://'),
        ('sentinel://nobody:wrong@{1}/mymaster', 'refused the user name or the password'),
    ],
)
def test_wrong_parameters_are_named_at_once(sentinels, start, remedy):
    node, (host, port) = sentinels.primary, sentinels.sentinels[0]
    done = command('models', '--url', start.format(f'{node.host}:{node.port}', f'{host}:{port}'))
    assert (done.status, done.out) == (2, '')
    assert remedy in done.errors


class Takeover:
    """Progress of a report: at its second step of a kind, a replica takes over from the songs."""

    def __init__(self, cluster, step):
        self.cluster, self.step, self.told = cluster, step, 0

    def __call__(self, step, done, total):
        self.told += step == self.step
        if self.told == 2:
            old = self.cluster.primary_of(Song.KEY_NAME)
            self.cluster.takeover(self.cluster.replicas_of(old)[0])


@pytest.mark.parametrize('step', ['objects', 'keys'])
def test_a_report_is_whole_if_another_node_takes_over(cluster, used, step):
    used(cluster.params)
    fill()
    cluster.wait_ok()
    progress = Takeover(cluster, step)
    report = Song.objects.check(progress=progress)
    assert progress.told > 2
    assert (report.ok, report.objects, report.entries) == (True, 1200, 2400)


def test_a_walk_is_whole_if_another_node_takes_over(cluster, used):
    used(cluster.params)
    fill()
    cluster.wait_ok()
    progress, pks = Takeover(cluster, 'page'), set()

    def take(page):
        pks.update(page)
        progress('page', 0, 0)

    scan_set(Song, '_ir_|{tagged}Song:keys', take)
    assert progress.told > 2
    assert len(pks) == 1200


@pytest.fixture
def limited(cluster):
    """Parameters of a user on all nodes who may not administer them."""
    rights = ['~_ir_|{tagged}*', '+@all', '-@admin', '-@dangerous', '+cluster|slots']
    for node in cluster.nodes:
        node.call('ACL', 'SETUSER', 'limited', 'on', '>secret', *rights)
    yield {**cluster.params, 'username': 'limited', 'password': 'secret'}
    for node in cluster.nodes:
        node.call('ACL', 'DELUSER', 'limited')


def test_of_the_commands_of_a_cluster_a_user_needs_CLUSTER_SLOTS(cluster, limited, used):
    used(limited)
    Song.reset(Song(title=str(n), group=n % 5) for n in range(10))
    assert Song.objects.filter(group=3).count() == 2
    for node in cluster.nodes:
        node.call('ACL', 'SETUSER', 'limited', '-cluster|slots')
    IR.clearRedisPools()
    with pytest.raises(NoPermissionError, match='cluster'):
        Song.objects.count()
