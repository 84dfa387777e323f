"""The command ``mirror``, in a process of its own. The rule: the exit status says what became of
the data, standard output holds the results only."""

from __future__ import annotations

import json

import pytest

pytest.importorskip('pty', reason='needs a POSIX system')
pytest.importorskip('IndexedRedis.cli.common')

from cli.commands import command
from sqlalchemy import delete, update

from mirror.catalogue import Track, employee, track
from mirror.reader import reading

DEFINITION = """
from mirror.catalogue import mirror_of
shop = mirror_of({url!r})
other = 5
"""


@pytest.fixture
def mirror(small, redis_params, tmp_path):
    """`mirror('--dry-run')`: run the command on the catalogue."""
    (tmp_path / 'jobs.py').write_text(DEFINITION.format(url=str(small.url)))
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'

    def run(*arguments, target='jobs:shop'):
        return command('mirror', target, '--url', url, *arguments, cwd=tmp_path)

    with reading(redis_params):
        yield run


def test_done(mirror):
    done = mirror()
    assert (done.status, Track.objects.count()) == (0, 3503)
    assert 'Track: 3,503 rows, 3,503 written' in done.out
    assert 'Track: 3,503 done' in done.errors  # plain lines, as under cron
    done = mirror('--json', '--mode', 'diff')
    assert json.loads(done.out)['models']['Track']['unchanged'] == 3503


def test_a_dry_run(mirror, raw):
    done = mirror('--dry-run')
    assert (done.status, raw.keys('*')) == (0, [])
    assert 'nothing written' in done.out


def test_refused(mirror, small, raw):
    with small.begin() as connection:
        connection.execute(delete(employee))
    done = mirror('--json')
    assert done.status == 1
    assert json.loads(done.out)['refused'] == ['Employee: no object to store; 0 rows (allowEmpty).']
    assert 'Employee: no object to store' in done.errors
    assert raw.keys('*:keys') == []


def test_bad_rows(mirror, small):
    with small.begin() as connection:
        connection.execute(update(track).where(track.c.id == 5).values(milliseconds='long'))
    assert mirror().status == 1
    done = mirror('--skip-bad')
    assert (done.status, Track.objects.count()) == (0, 3502)
    assert '1 do not fit' in done.out


def test_failed(mirror, small):
    with small.begin() as connection:
        connection.exec_driver_sql('DROP TABLE track')
    done = mirror()
    assert done.status == 2
    assert 'no such table' in done.errors
    assert 'Traceback' not in done.errors
    assert mirror(target='jobs:other').status == 2
    assert mirror(target='jobs:shops').status == 2
    assert mirror('--mode', 'half').status == 2
    assert mirror('--every', '').status == 2
    assert mirror('--follow', '--slot-limit', '').status == 2


def test_already_running(mirror, raw):
    raw.set('_ir_|MirrorTrack:tmp:mirror', 'somebody', px=30_000)
    done = mirror()
    assert done.status == 3
    assert 'another run or a follower is at work' in done.errors
    assert done.out == ''
