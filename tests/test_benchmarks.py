"""The benchmark suite runs from end to end. The rule: a tiny size on one server, without network or
virtual environments, and no judgement of how long anything took."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import servers

from benchmarks.promises.duel import compare
from benchmarks.promises.reads import gets, large_queries, pools, small_queries
from benchmarks.promises.shop import ROWS, Shop
from benchmarks.promises.writes import bulk_insert, deletes, inserts, updates

ROOT = Path(__file__).parent.parent
HEARD_OF = [
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


@pytest.fixture
def empty():
    """A server of any kind."""
    with servers.Server(servers.present()[0]) as server:
        yield server


def run(server, *args):
    url = f'redis://{server.host}:{server.port}'
    command = [sys.executable, '-m', 'benchmarks', '--sizes', 'tiny', '--data', 'tracks']
    return subprocess.run(
        [*command, '--url', url, *args, '--subjects', 'redis-py by hand'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_from_the_rows_to_the_figures(empty, tmp_path):
    done = run(empty, '--json', str(tmp_path / 'figures.json'))
    assert done.returncode == 0, done.stderr
    assert [name for name in HEARD_OF if name not in done.stdout] == []
    found = json.loads((tmp_path / 'figures.json').read_text('utf-8'))
    works = [*found['groups']['operations'], *found['groups']['growth']]
    assert all(each['figures']['IndexedRedis']['samples'] for each in works)
    assert empty.client().dbsize() == 0


def test_a_profile(empty):
    done = run(empty, '--profile', 'get(pk)')
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


def test_each_promise_can_be_measured(redis_params):
    shop = Shop(redis_params)
    duels = [*inserts(shop), *updates(shop), bulk_insert(shop), *deletes(shop)]
    shop.fill(ROWS)
    for duel in (*duels, gets(shop), *small_queries(shop), *large_queries(shop), *pools(shop)):
        row = compare(duel._replace(repeat=2))
        assert row['ms'] > 0, duel.work
        assert row['ms_without'] > 0, duel.work
    shop.clear()
