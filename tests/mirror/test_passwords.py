"""Passwords. The rule: no error, log line, repr or report shows one, of Redis or of SQL, however
wrong the URL is that holds it."""

from __future__ import annotations

import asyncio
import io
import logging
import subprocess
import sys
import traceback

import pytest
from cli.commands import environment

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField, UsageError
from IndexedRedis.executors import exchange
from IndexedRedis.mirror import Mirror

SECRET = 'hunter2'
REDIS = {
    'as it should be': {'url': f'redis://:{SECRET}@127.0.0.1:1/0'},
    'a user': {'url': f'rediss://web:{SECRET}@127.0.0.1:1/0'},
    'a slash': {'url': f'redis://:{SECRET}/x@127.0.0.1:1/0'},
    'a question mark': {'url': f'redis://:{SECRET}?x@127.0.0.1:1/0'},
    'a hash': {'url': f'redis://:{SECRET}#x@127.0.0.1:1/0'},
    'an at sign': {'url': f'redis://:x@{SECRET}@127.0.0.1:1/0'},
    'a colon': {'url': f'redis://:x:{SECRET}@127.0.0.1:1/0'},
    'a percent sign': {'url': f'redis://:%{SECRET}@127.0.0.1:1/0'},
    'no scheme': {'url': f':{SECRET}@127.0.0.1:1/0'},
    'in the query': {'url': f'redis://127.0.0.1:1/0?password={SECRET}&nosuch=1'},
    'a wrong port': {'url': f'redis://:{SECRET}@127.0.0.1:port/0'},
    'a URL instead of a dict': f'redis://:{SECRET}@127.0.0.1:1/0',
    'a dict': {'host': '127.0.0.1', 'port': 1, 'password': SECRET},
    'a dict with a mistake': {'host': '127.0.0.1', 'port': 1, 'password': SECRET, 'nosuch': 1},
}
SQL = {
    'as it should be': f'postgresql+psycopg://u:{SECRET}@127.0.0.1:1/db',
    'MariaDB': f'mysql+pymysql://u:{SECRET}@127.0.0.1:1/db',
    'a slash': f'postgresql+psycopg://u:{SECRET}/x@127.0.0.1:1/db',
    'a question mark': f'postgresql+psycopg://u:{SECRET}?x@127.0.0.1:1/db',
    'a hash': f'postgresql+psycopg://u:{SECRET}#x@127.0.0.1:1/db',
    'an at sign': f'postgresql+psycopg://u:x@{SECRET}@127.0.0.1:1/db',
    'a percent sign': f'postgresql+psycopg://u:%{SECRET}@127.0.0.1:1/db',
    'no scheme': f'u:{SECRET}@127.0.0.1:1/db',
    'no host': f'postgresql+psycopg://u:{SECRET}',
    'a wrong port': f'postgresql+psycopg://u:{SECRET}@127.0.0.1:port/db',
    'another dialect': f'postgres://u:{SECRET}@127.0.0.1:1/db',
    'in the query': f'mysql+pymysql://127.0.0.1:1/db?passwd={SECRET}&nosuch=1',
    'a dict': {'url': f'postgresql+psycopg://u:{SECRET}@127.0.0.1:1/db'},
}


class Row(IndexedRedisModel):
    FIELDS, INDEXED_FIELDS, KEY_NAME = [IRField('v')], [], 'PasswordRow'


@pytest.fixture
def shown(capfd):
    """All that is printed, logged, or that an error has to say."""
    texts, log = [], io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield texts
    root.removeHandler(handler)
    root.setLevel(level)
    said = '\n'.join([*texts, log.getvalue(), *capfd.readouterr()])
    assert texts
    assert SECRET not in said


def attempts(shown, *calls):
    """Each fails; what it raised is shown in every way that people print errors."""
    failed = 0
    for call in calls:
        try:
            shown.append(repr(call()))
        except Exception as error:
            failed += 1
            lines = traceback.format_exception(error)
            shown += [str(error), repr(error), repr(error.args), ''.join(lines)]
    assert failed


@pytest.mark.parametrize('name', REDIS)
def test_of_redis(name, shown, monkeypatch):
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', 0)
    params = REDIS[name]

    def model():
        return type(Row)('Other', (Row,), {'REDIS_CONNECTION_PARAMS': params})

    attempts(
        shown,
        lambda: IR.setDefaultRedisConnectionParams(params),
        lambda: IR.getRedisPool(params),
        lambda: Row.connectAlt(params).objects.count(),
        lambda: model().objects.count(),
        lambda: model()(v='x').save(),
        lambda: asyncio.run(model().objects.acount()),
        lambda: Mirror('sqlite://', {model(): "SELECT 'x' AS v"}).run(),
    )


@pytest.mark.parametrize('name', SQL)
def test_of_sql(name, shown, redis_params):
    def mirror():
        return Mirror(SQL[name], {Row: "SELECT 'x' AS v"})

    attempts(shown, lambda: mirror().run(), lambda: mirror().run(dryRun=True), mirror)


@pytest.mark.parametrize('name', ['postgres', 'AsyncEngine', 'Connection'])
def test_what_is_no_database_is_refused_by_name(name, lite):
    if name == 'Connection':
        with lite.connect() as connection, pytest.raises(UsageError, match='was a Connection'):
            Mirror(connection, {Row: "SELECT 'x' AS v"})
        return
    asynchronous = type('AsyncEngine', (), {})()
    given = 'postgres://h/db' if name == 'postgres' else asynchronous
    with pytest.raises(UsageError, match=r'postgresql\+psycopg|AsyncEngine needs'):
        Mirror(given, {Row: "SELECT 'x' AS v"})


# One interpreter for all of them: what counts is what reaches the terminal.
COMMANDS = """
import sys
from IndexedRedis.__main__ import command_line
from IndexedRedis.executors import exchange
exchange.RETRY_SECONDS = 0
urls = {urls!r}
for url in urls:
    for args in (['check', 'cli.shop:Short'], ['info', 'cli.shop:Short', '--json'], ['models']):
        sys.argv = ['indexedredis', *args, '--debug', '--url', url]
        try:
            command_line()(prog_name='indexedredis')
        except SystemExit as end:
            assert end.code == 2, (url, args, end.code)
for name in {names!r}:
    sys.argv = ['indexedredis', 'mirror', 'mirror.test_passwords:' + name, '--debug', '--json']
    try:
        command_line()(prog_name='indexedredis')
    except SystemExit as end:
        assert end.code == 2, (name, end.code)
"""
unreachable = Mirror(SQL['as it should be'], {Row: "SELECT 'x' AS v"})


@pytest.mark.programs
def test_of_the_commands():
    pytest.importorskip('typer')
    urls = [
        params['url'] for params in REDIS.values() if isinstance(params, dict) and 'url' in params
    ]
    code = COMMANDS.format(urls=urls, names=['unreachable'])
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        env=environment(INDEXEDREDIS_URL=f'redis://:{SECRET}@127.0.0.1:1/0'),
        check=False,
    )
    assert done.returncode == 0, done.stderr.replace(SECRET, 'SECRET')
    assert done.stderr.count('error: ') >= 3 * len(urls)
    assert SECRET not in done.stdout + done.stderr
