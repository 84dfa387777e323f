"""The benchmarks run from end to end. The rule: a tiny size on one server, without network or
virtual environments, and no judgement of how long anything took."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import servers

pytestmark = pytest.mark.programs

ROOT = Path(__file__).parent.parent
WORKS = [
    'get(pk)',
    'filter().all()',
    'count() of a lone __ne',
    'random() among',
    'save() of one changed indexed field',
    'bulk save of',
    'filter().delete() of',
    'reset of',
    'longest wait of a reader',
    'memory of an object',
    'import',
    'an object, of',
    'other keys',
]
PROMISES = [
    'insert',
    'update of an indexed field',
    'bulk insert of',
    'delete of 250 at a time',
    'get by pk',
    'query of 100 rows',
    'rows of 1,000',
    'any call',
    'longest wait of a reader',
]


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


def test_from_the_rows_to_the_figures(empty, tmp_path):
    printed, groups = measured(empty, tmp_path, '--subjects', 'redis-py by hand')
    assert [name for name in WORKS if name not in printed] == []
    assert groups.keys() == {'operations', 'growth', 'asyncio'}
    every = [each for group in groups.values() for each in group['results']]
    assert all({'IndexedRedis', 'redis-py by hand'} <= each['samples'].keys() for each in every)


def test_against_another_checkout(empty, tmp_path):
    """A copy of this one, which tells each time it is imported."""
    other = tmp_path / 'IndexedRedis'
    shutil.copytree(ROOT / 'IndexedRedis', other, ignore=shutil.ignore_patterns('__pycache__'))
    with (other / '__init__.py').open('a', encoding='utf-8') as source:
        source.write(f"open({str(tmp_path / 'imports')!r}, 'a').write('x')\n")
    args = ['operations', 'asyncio', '--against', str(tmp_path), '--only', 'get(pk)']
    printed, groups = measured(empty, tmp_path, *args)
    assert 'Against the other checkout' in printed
    assert (tmp_path / 'imports').read_text() == 'xxx'  # operations, asyncio, threads
    (get,), (many,) = (groups[name]['results'] for name in ('operations', 'asyncio'))
    assert get['samples'].keys() == {'IndexedRedis', 'before'}
    threads = {'IndexedRedis, threads', 'before, threads'}
    assert many['samples'].keys() == {'IndexedRedis', 'before', *threads}


def test_each_promise_can_be_measured(empty, tmp_path):
    printed, groups = measured(empty, tmp_path, 'promises')
    assert [name for name in PROMISES if name not in printed] == []
    assert all(len(each['samples']) == 2 for each in groups['promises']['results'])


@pytest.mark.parametrize(
    ('only', 'works'),
    [
        ('info', ['info']),
        (
            'new objects',
            [
                'saver.save() of 100 new objects',
                'saver.save() of 100 new objects, a reset holding the lock at first',
            ],
        ),
    ],
)
def test_waits_beside_commands_and_writes(empty, tmp_path, only, works):
    _, groups = measured(empty, tmp_path, 'waits', '--only', only)
    results = groups['waits']['results']
    assert [each['work'] for each in results] == works
    assert all('above quiet, ms' in each['more'] for each in results)
    statuses = [each['more']['status'] for each in results if 'status' in each['more']]
    assert all(status == {'IndexedRedis': [0]} for status in statuses)


def test_a_profile(empty):
    done = run(empty, '--profile', 'get(pk)', '--subjects', 'redis-py by hand')
    assert done.returncode == 0, done.stderr
    assert 'redis-py by hand' in done.stdout
    assert 'cProfile' in done.stdout
    assert '(build)' in done.stdout


def test_a_server_that_holds_data_is_left_alone(empty):
    empty.client().set('mine', 1)
    done = run(empty)
    assert done.returncode != 0
    assert 'holds data' in done.stderr
    assert empty.client().dbsize() == 1
