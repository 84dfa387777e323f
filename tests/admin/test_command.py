"""``indexedredis admin``: it serves until it is told to stop, and to nobody else by accident."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest

pytest.importorskip('typer', reason='the commands need typer')

from cli.commands import command, start

pytestmark = pytest.mark.programs
TOKEN = 'a token of 24 characters'


@pytest.fixture
def url(redis_params):
    return f'redis://{redis_params["host"]}:{redis_params["port"]}/{redis_params["db"]}'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['Ctrl-C', 'TERM'])
def test_it_serves_until_it_is_told_to_stop(filled, url, number):
    with start('admin', 'admin.shop', '--port', 0, '--url', url) as process:
        address = process.stdout.readline().decode().strip()
        page = httpx.get(address, timeout=60)
        assert '45' in page.text and 'read-only' in page.text
        assert httpx.get(f'{address}Track/create', timeout=60).status_code == 403
        assert httpx.get(address, headers={'Host': 'evil.example'}).status_code == 403
        process.send_signal(number)
        rest, errors = process.communicate()
    assert (process.returncode, rest) == (0, b'')
    assert errors.decode().splitlines() == ['read-only; Ctrl-C ends it', 'stopped']


def test_a_token_from_the_environment(filled, url):
    env = {'INDEXEDREDIS_ADMIN_TOKEN': TOKEN}
    with start(
        'admin', 'admin.shop:Artist', '--port', 0, '--url', url, '--write', env=env
    ) as process:
        address = process.stdout.readline().decode().strip()
        assert httpx.get(address).status_code == 401
        page = httpx.get(address, headers={'Authorization': f'Bearer {TOKEN}'}, timeout=60)
        assert 'writing is allowed' in page.text and 'AdminTrack' not in page.text
        process.terminate()
        out, errors = process.communicate()
    assert TOKEN not in (out + errors).decode()


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['--host', '0.0.0.0'], 'Give a token'),
        (['--host', '::'], 'Give a token'),
        (['--token', 'short'], 'at least 16'),
        (['--mirror', 'admin.shop:fill'], 'not a Mirror'),
        (['support.keyspace'], 'no models'),
        (['admin.shop:fill'], 'no model'),
    ],
)
def test_what_is_refused_starts_no_server(redis_params, url, args, message):
    done = command('admin', 'admin.shop', *args, '--url', url)
    assert done.status == 2
    assert message in done.errors


HELD_UP = """
import asyncio, threading
from IndexedRedis.admin.jobs import in_daemon

async def main():
    assert await in_daemon(lambda: 5) == 5
    try:
        await in_daemon(lambda: 1 / 0)
    except ZeroDivisionError:
        print('raised')
    asyncio.create_task(in_daemon(threading.Event().wait))
    await asyncio.sleep(0.1)

asyncio.run(main())
"""


def test_a_mirror_of_a_page_does_not_hold_up_the_end_of_the_process():
    held = [sys.executable, '-c', HELD_UP]
    done = subprocess.run(held, check=False, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b'raised\n', b'')
