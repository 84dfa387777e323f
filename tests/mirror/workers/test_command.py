"""``indexedredis mirror --workers``. The rule: a worker imports the mirror as the command does."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

pytest.importorskip('pty', reason='needs a POSIX system')
pytest.importorskip('IndexedRedis.cli.common')

from cli.commands import COMMAND, environment, start
from faults.writers.workers import wait_until
from sqlalchemy import text

from mirror.conftest import server
from mirror.workers import jobs
from mirror.workers.conftest import url_of

# The module imports an engine, which is not sent to another process.
DEFINITION = """
from sqlalchemy import create_engine
from mirror.workers.jobs import mirror_of
shop = mirror_of(create_engine({url!r}))
"""

pytestmark = pytest.mark.parametrize('sql', [server('postgresql')], indirect=True)


@pytest.fixture
def given(shop, redis_params, tmp_path):
    """The command's arguments, and how to start it."""
    (tmp_path / 'made.py').write_text(DEFINITION.format(url=url_of(shop)))
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'
    return ['mirror', 'made:shop', '--url', url, '--workers', 3], {'cwd': tmp_path}


def run(arguments, cwd):
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )


def test_done(given):
    arguments, options = given
    done = run([*arguments, '--json'], **options)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)['models']['Track']['written'] == 3503
    assert 'Track: 3,503 done' in done.stderr
    assert jobs.Track.objects.count() == 3503


def test_refused(given):
    arguments, options = given
    for more, message in (
        (['--mode', 'changed'], 'changed'),
        (['--follow'], '--follow and --workers exclude each other'),
        (['--workers', '0'], "'--workers'"),
    ):
        done = run([*arguments, *more], **options)
        assert done.returncode == 2
        assert message in done.stderr
    assert jobs.Track.objects.count() == 0


def children_of(pid):
    """The processes that a process has started, of those the workers."""
    pids = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return [
        int(each) for each in pids if b'spawn_main' in Path(f'/proc/{each}/cmdline').read_bytes()
    ]


@pytest.mark.parametrize(('number', 'status'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_ended_while_the_workers_wait_for_the_database(given, shop, raw, number, status):
    arguments, options = given
    before = {*raw.keys('*')}
    with shop.connect() as connection:
        connection.execute(text('LOCK TABLE track IN ACCESS EXCLUSIVE MODE'))
        running = start(*arguments, **options)
        wait_until(lambda: _waiting(shop))
        pids = children_of(running.pid)
        running.send_signal(number)
        assert running.wait(30) == status
        running.communicate()
        wait_until(lambda: not any(Path(f'/proc/{pid}').exists() for pid in pids))
    assert {*raw.keys('*')} == before


def _waiting(engine):
    with engine.connect() as connection:
        found = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return connection.execute(found).scalar_one()
