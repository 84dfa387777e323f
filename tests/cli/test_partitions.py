"""The commands on models with partitions, on one server and on a cluster of several.

The rule: they do what they do with plain models.
"""

from __future__ import annotations

import json

import pytest

import IndexedRedis as IR
from cli.commands import command
from cli.parted import Band, Item, Track
from IndexedRedis._core.flows import ask
from IndexedRedis._core.partitions.asking import write_shards
from IndexedRedis.cli.commands.data import exporting
from IndexedRedis.cli.common import Run
from IndexedRedis.cli.walk import PartitionedWalk, walk_of
from IndexedRedis.managers.manager import executor_of
from IndexedRedis.managers.stored_pks import edition_of, pks_of_keys, pks_of_partitions

TRACKS = 900


@pytest.fixture(params=['server', pytest.param('cluster', marks=pytest.mark.clusters)])
def place(request, redis_params):
    """The URL of filled models, and clients of all servers."""
    if request.param == 'cluster':
        cluster = request.getfixturevalue('cluster')
        IR.setDefaultRedisConnectionParams(cluster.params)
        return cluster.url
    return f'redis://{redis_params["host"]}:{redis_params["port"]}/{redis_params["db"]}'


@pytest.fixture
def url(place):
    """As above, with objects of each model."""
    fill()
    return place


def fill():
    bands = [Band(name=f'band {n}') for n in range(7)]
    Band.saver.save(bands)
    Track.saver.save(
        [Track(title=f't{n}', year=1970 + n % 9, band=bands[n % 7]) for n in range(TRACKS)]
    )
    Item.saver.save([Item(shop=f's{n % 11}', number=n) for n in range(100)])


def run(url, *args, status=0):
    done = command(*args, '--url', url)
    assert done.status == status, (done.out, done.errors)
    return done


def contents(model):
    return sorted(
        (obj.getPk(), sorted(obj.asDict(forStorage=True, strKeys=True).items()))
        for obj in model.objects.all(cascadeFetch=False)
    )


def test_models_are_listed_once(url):
    found = {each['keyName']: each for each in run(url, 'models', '--json').json}
    assert {name: each['objects'] for name, each in found.items()} == {
        '{parted}Band': 7,
        '{parted}Item': 100,
        '{parted}Track:7': TRACKS,
    }
    assert [found[name]['partitions'] for name in sorted(found)] == [3, 5, 8]
    assert all(each['memory'] > 0 and each['edition'] == 1 for each in found.values())
    lines = run(url, 'models').out.splitlines()
    assert 'partitions' in lines[0]
    assert lines[-1].split()[:3] == ['{parted}Track:7', '900', str(9 * 8 + 7 * 8)]


def test_info(url):
    assert '8 partitions of 100 to 200 objects' in run(url, 'info', 'cli.parted:Track').out
    assert run(url, 'info', 'cli.parted:Item', '--json').json['partitions']['count'] == 5


def test_check_and_repair(url):
    targets = [f'cli.parted:{model.__name__}' for model in (Band, Track, Item)]
    assert run(url, 'check', *targets).out.count('nothing found') == 3
    some = Track.objects.filter(year=1971).getPrimaryKeys()[:20]
    damage(Track, some)
    found = run(url, 'check', 'cli.parted:Track', '--json', status=1).json
    assert found['counts'] == {'entry_missing': 20}
    assert Track.objects.filter(year=1971).count() == TRACKS // 9 - 20
    run(url, 'repair', 'cli.parted:Track', '--yes')
    assert Track.objects.filter(year=1971).count() == TRACKS // 9
    run(url, 'check', *targets)


def damage(model, pks):
    """Take objects out of an index set, by the executor: it finds the node of each."""
    schema = model._validated()

    def taken(shard):
        return ask('SREM', shard.keys.index(b'year', b'1971'), *pks)

    flow = write_shards(schema, lambda edition: dict.fromkeys(range(edition.partitions), taken))
    outcomes = executor_of(model).run(flow)
    assert sum(outcome.result for outcome in outcomes.values()) == len(pks)


@pytest.mark.clusters
@pytest.mark.parametrize('home', [False, True], ids=['another node', 'the node of the pointer'])
def test_a_node_that_lost_its_data(cluster, tmp_path, home):
    IR.setDefaultRedisConnectionParams(cluster.params)
    fill()
    file = tmp_path / 'file'
    run(cluster.url, 'export', 'cli.parted:Track', '-o', file)
    stored = contents(Track)
    nodes = {cluster.primary_of(f'_ir_|{{{tag}}}') for tag in ('8.0', '8.1', '8.2', '8.3', '8.4')}
    at_home = cluster.primary_of(Track.KEY_NAME)
    node = at_home if home else next(each for each in nodes if each != at_home)
    node.call('FLUSHALL')
    found = run(cluster.url, 'check', 'cli.parted:Track', '--json', status=1).json
    lost = found['counts'].pop('partition_lost')
    assert 0 < lost < 8
    assert found['counts'].pop('fence_missing') == lost
    assert found['counts'] == ({'pointer_missing': 1} if home else {})
    assert 0 < found['objects'] < TRACKS
    done = run(cluster.url, 'repair', 'cli.parted:Track', '--yes', '--json', status=1).json
    assert done['repaired'] == found['counts']
    run(cluster.url, 'import', 'cli.parted:Track', file)
    assert contents(Track) == stored
    run(cluster.url, 'check', 'cli.parted:Track')


def test_links_that_lead_nowhere(url):
    Band.objects.filter(name='band 3').delete()
    found = run(url, 'check', 'cli.parted:Track', '--json').json
    assert found['ok']
    assert found['dangling'] == len([n for n in range(TRACKS) if n % 7 == 3])


def test_explain(url):
    out = run(url, 'explain', 'cli.parted:Track', 'year=1971').out
    assert f'of {TRACKS}' in out
    assert 'all 8 are asked' in out


def test_reindex(url):
    damage(Track, Track.objects.filter(year=1971).getPrimaryKeys())
    out = run(url, 'reindex', 'cli.parted:Track').out
    assert out == f'Track: {TRACKS} objects indexed\n'
    assert Track.objects.filter(year=1971).count() == TRACKS // 9
    assert run(url, 'reindex', 'cli.parted:Item', '--rehash').out == 'Item: 100 objects indexed\n'
    assert Item.objects.filter(shop='s1').count() == 9


@pytest.mark.parametrize('model', [Track, Item])
def test_export_and_import(url, tmp_path, model):
    target, file = f'cli.parted:{model.__name__}', tmp_path / 'file'
    before = contents(model)
    run(url, 'export', target, '-o', file)
    _, *lines, last = map(json.loads, file.read_bytes().splitlines())
    assert last == {'end': len(before)}
    assert len(lines) == len(before)
    model.deleter.destroyModel()
    run(url, 'import', target, file)
    assert contents(model) == before
    some = [pk for pk, _ in before[:30]]
    model.deleter.deleteMultipleByPks(some)
    out = run(url, 'import', target, file, '--mode', 'add').out
    assert out == f'{model.__name__}: 30 stored, {len(before) - 30} unchanged\n'
    assert contents(model) == before
    out = run(url, 'import', target, file).out
    assert 'stored' in out
    assert contents(model) == before
    assert run(url, 'check', target).out.count('nothing found') == 1


def test_import_with_new_pks(url, tmp_path):
    file = tmp_path / 'file'
    run(url, 'export', 'cli.parted:Item', '-o', file)
    before = contents(Item)
    run(url, 'import', 'cli.parted:Item', file, '--new-pks')
    after = contents(Item)
    assert sorted(row for _, row in after) == sorted(row for _, row in before)
    assert not {pk for pk, _ in after} & {pk for pk, _ in before}


def test_walks_notice_a_reset(url, tmp_path):
    walk = walk_of(Track)
    assert isinstance(walk, PartitionedWalk)
    pages = walk.pages()
    next(pages)
    assert not walk.replaced
    Track(title='another').save()
    assert not walk.replaced
    Track.reset([Track(title='new')])
    assert walk.replaced
    assert walk.total == TRACKS


def test_an_export_begins_anew_after_a_reset(url, tmp_path, monkeypatch):
    times = iter([True])

    class Meanwhile(PartitionedWalk):
        def pages(self):
            for pks in super().pages():
                yield pks
                if next(times, False):
                    Track.reset([Track(title='new')])

    monkeypatch.setattr(exporting, 'walk_of', Meanwhile)
    file = tmp_path / 'file'
    exporting.main(Run(), 'cli.parted:Track', str(file))
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert lines[-1] == {'end': 1}


def test_pks_of_keys_lead_to_all_partitions(url):
    by_number = {item.number: item.getPk() for item in Item.objects.all()}
    keys = [(f's{n % 11}', n) for n in (5, 99, 0)]
    assert pks_of_keys(Item, ['shop', 'number'], [*keys, ('s1', 5)]) == [
        *(by_number[n] for _, n in keys),
        None,
    ]


def test_pks_of_partitions_are_of_one_edition(url):
    edition, pks = pks_of_partitions(Track)
    assert edition == edition_of(Track) == 1
    assert sorted(pks) == sorted(Track.objects.getPrimaryKeys())
    Track.reset([Track(title='new')])
    edition, pks = pks_of_partitions(Track)
    assert (edition, edition_of(Track), len(pks)) == (2, 2, 1)
