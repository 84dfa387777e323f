"""The benchmarks run from end to end. The rule: a tiny size on one server, without network,
and no judgement of how long anything took."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import servers

from benchmarks import floor
from IndexedRedis.testing import databases

pytestmark = pytest.mark.programs

ROOT = Path(__file__).parents[2]
# What each group measures.
WORKS = {
    'operations': [
        'get(pk)',
        'filter().all()',
        'filter().valuesList(), ',
        'countBy() of',
        'count() of a lone __ne',
        'random() among',
        'save() of one changed indexed field',
        'bulk save of',
        'filter().delete() of',
        'reset of',
        'longest wait of a reader',
        'memory of an object',
        'import',
    ],
    'growth': ['an object, of', 'other keys'],
    'asyncio': ['get(pk)'],
    'ordered': [
        'page 1 by price',
        'dearest eighth: longest wait of a reader',
        'by price, by cursor',
        'by price, by number',
        'of an evenly spread eighth',
        'of the dearest eighth',
        'artist__in=[...], 1,000 values',
    ],
    'promises': [
        'insert',
        'update of an indexed field',
        'bulk insert of',
        'delete of 25 at a time',
        'get by pk',
        'query of 100 rows',
        'rows of 100 |',
        'any call',
        'longest wait of a reader',
    ],
    'cluster': [
        'get(pk)',
        'filter().all() of',
        'save() of one changed indexed field',
        'reset of 1,000',
    ],
    'partitions': [
        'get(pk)',
        'filter().count()',
        'filter().all() of 10 rows',
        'page of 20 by order',
        'reset of 60, one server',
        'reset of 60, 3 primaries',
        'busiest primary',
    ],
}


@pytest.fixture
def empty():
    """A server of any kind."""
    with servers.Server(servers.present()[0]) as server:
        yield server


def run(server, *args):
    url = f'redis://{server.host}:{server.port}'
    command = [sys.executable, '-m', 'benchmarks', '--sizes', 'tiny', '--data', 'tracks']
    return subprocess.run(
        [*command, '--url', url, *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def measured(server, tmp_path, *args):
    """What was printed, and the results by group."""
    file = tmp_path / 'figures.json'
    done = run(server, '--json', str(file), *args)
    assert done.returncode == 0, done.stderr
    assert server.client().dbsize() == 0
    groups = json.loads(file.read_text('utf-8'))
    results = [result for group in groups.values() for result in group['results']]
    assert all(samples for each in results for samples in each['samples'].values())
    return done.stdout, groups


@pytest.mark.either('group')
@pytest.mark.parametrize('group', WORKS)
def test_from_the_rows_to_the_figures(group, empty, tmp_path):
    printed, groups = measured(empty, tmp_path, group, '--subjects', 'redis-py by hand')
    assert [name for name in WORKS[group] if name not in printed] == []
    assert groups.keys() == {group}
    ways = [set(each['samples']) for each in groups[group]['results']]
    if group == 'operations':
        assert 'floor' in groups[group]['results'][0]['more']
    if group == 'promises':
        assert all(names == {'IndexedRedis', 'without it'} for names in ways)
    elif group == 'cluster':
        assert all(names == {'IndexedRedis', 'the node alone'} for names in ways)
    elif group == 'partitions':
        assert all({'plain', '48'} <= names or {'plain', '3 workers'} <= names for names in ways)
    else:
        assert all({'IndexedRedis', 'redis-py by hand'} <= names for names in ways)


def test_how_soon_commits_are_visible(empty, tmp_path):
    kinds = {'PostgreSQL': 'postgresql', 'MariaDB': 'mariadb'}
    present = [name for name, kind in kinds.items() if not databases.missing(kind)]
    if not present:
        pytest.skip('neither PostgreSQL nor MariaDB is here')
    _, groups = measured(empty, tmp_path, 'follow', '--subjects', *present)
    results = groups['follow']['results']
    assert len(results) == 5
    assert all(each['samples'].keys() == {*present} for each in results)


def test_against_another_checkout(empty, tmp_path):
    """A copy of this one, which tells each time it is imported; with a profile, and with waits."""
    other = tmp_path / 'IndexedRedis'
    shutil.copytree(ROOT / 'IndexedRedis', other, ignore=shutil.ignore_patterns('__pycache__'))
    with (other / '__init__.py').open('a', encoding='utf-8') as source:
        source.write(f"open({str(tmp_path / 'imports')!r}, 'a').write('x')\n")
    chosen = [
        '--profile',
        'new objects',
        '--only',
        'rows, first',
        'save() of 100 new objects',
        'get(pk)',
    ]
    args = ['asyncio', 'waits', '--against', str(tmp_path), *chosen]
    printed, groups = measured(empty, tmp_path, *args)
    assert 'Against the other checkout' in printed
    assert 'tottime' in printed  # of the profile
    assert (tmp_path / 'imports').read_text() == 'xxx'  # of each group, and a command
    (many,), waits = (groups[name]['results'] for name in groups)
    threads = {'IndexedRedis, threads', 'before, threads'}
    assert many['samples'].keys() == {'IndexedRedis', 'before', *threads}
    command, save, beside_a_reset = waits
    assert command['more']['status'] == {'IndexedRedis': [0], 'before': [0]}
    assert 'a reset holding the lock' in beside_a_reset['work']
    for result in (command, save, beside_a_reset):
        figures = {name: samples['before'][0] for name, samples in result['more'].items()}
        assert result['samples']['before'][0] >= figures['p99.9, ms'] > 0
        assert figures['quiet, ms'] >= figures['quiet p99.9, ms'] > 0
        assert figures['PINGs'] >= 1


def test_a_server_that_holds_data_is_left_alone(empty):
    empty.client().set('mine', 1)
    done = run(empty)
    assert done.returncode != 0
    assert 'holds data' in done.stderr
    assert empty.client().dbsize() == 1


def test_a_floor_is_the_same_bytes_over_a_bare_socket(empty):
    params = {'host': empty.host, 'port': empty.port}
    with empty.client() as client:
        client.set('a', 'x' * 1000)
        with floor.recorded() as events:
            client.get('a')
        (_, asked), (_, answered) = floor.exchanges(events)
        assert (asked, len(answered)) == (b'*2\r\n$3\r\nGET\r\n$1\r\na\r\n', 1009)
        assert floor.measure(lambda: client.get('a'), params) > 0
        assert floor.measure(lambda: client.incr('n'), params) is None
        assert client.get('n') == b'3'  # run twice, and sent once more
