"""A worker, or the process of the run, does not come to its end. The rule: nothing changes, no
process stays, and the error says which worker it was and what became of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.commands import environment
from faults.writers.workers import wait_until
from sqlalchemy import update

from IndexedRedis import MirrorError, ResetLostError
from IndexedRedis.mirror.report import StoppedError
from IndexedRedis.mirror.workers import team
from mirror.workers import jobs
from mirror.workers.conftest import url_of, workers
from mirror.workers.jobs import Page, Word, page, pages_of

pytestmark = pytest.mark.faults


def lasting(raw):
    """The keys that do not expire: not those of an edition that was replaced."""
    return {key for key in raw.keys('*') if raw.ttl(key) == -1}


@pytest.fixture
def loaded(pages, raw):
    """Pages of rate 1 are loaded, SQL has rate 2; in the end nothing of a run is left."""
    pages_of(url_of(pages)).run(workers=1)
    keys = lasting(raw)
    with pages.begin() as connection:
        connection.execute(update(page).values(rate=2))
    yield pages
    assert {obj.rate for obj in Page.objects.all()} == {1}
    assert lasting(raw) == keys
    assert workers() == []
    assert pages.pool.checkedout() == 0


def during(act, at='Page'):
    """A progress function that does something once, while the workers read."""
    done = []

    def progress(name, rows, total):
        if name == at and rows and not done:
            done.append(name)
            act()

    return progress


def send(number, place=1):
    """Send a signal to a worker."""
    os.kill(sorted(workers(), key=lambda each: each.name)[place].pid, number)


@pytest.mark.parametrize('at', ['Word', 'Page'])
def test_a_worker_is_killed(loaded, at):
    killed = during(lambda: send(signal.SIGKILL), at)
    with pytest.raises(MirrorError, match=r'worker 2 of 3 \(process \d+\) was killed by SIGKILL'):
        pages_of(url_of(loaded)).run(progress=killed)


def test_a_worker_is_suspended(loaded, monkeypatch):
    def suspend():
        send(signal.SIGSTOP, 2)
        monkeypatch.setattr(team, 'SILENT_SECONDS', 6.0)

    with pytest.raises(
        MirrorError, match=r'worker 3 of 3 \(process \d+\) has said nothing for 6 s'
    ):
        pages_of(url_of(loaded)).run(progress=during(suspend, 'Word'))


def test_a_worker_fails(loaded):
    with loaded.begin() as connection:
        connection.execute(update(page).where(page.c.id == 3990).values(rate=13))
    with pytest.raises(MirrorError) as raised:
        pages_of(url_of(loaded)).run()
    text = r'worker 3 of 3 \(process \d+\) failed: RuntimeError: there is no rate 13. Nothing was'
    assert raised.match(text)
    assert 'process_result_value' in raised.value.__notes__[0]
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_the_run_is_stopped(loaded):
    def stop():
        raise StoppedError

    with pytest.raises(StoppedError):
        pages_of(url_of(loaded)).run(progress=during(stop))


def test_the_lock_of_the_run_is_lost(loaded, raw, monkeypatch):
    from IndexedRedis.mirror import lock

    monkeypatch.setattr(lock, 'LOCK_SECONDS', 1.0)
    with pytest.raises(ResetLostError):
        pages_of(url_of(loaded)).run(
            progress=during(lambda: raw.delete('_ir_|{Loaded}Page:tmp:mirror'))
        )


PROGRAM = """
import json, os, signal, sys
import IndexedRedis as IR
from mirror.workers.conftest import workers
from mirror.workers.jobs import pages_of
def progress(name, rows, total):
    if name == 'Page' and rows:
        print(json.dumps([each.pid for each in workers()]), flush=True)
        os.kill(os.getpid(), getattr(signal, sys.argv[3]))
if __name__ == '__main__':
    IR.setDefaultRedisConnectionParams(json.loads(sys.argv[2]))
    pages_of(sys.argv[1]).run(progress=progress)
"""


def is_gone(pid):
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:
        return True


def ended(folder, text, *arguments):
    """What became of a program of this text."""
    (folder / 'program.py').write_text(text)
    return subprocess.run(
        [sys.executable, str(folder / 'program.py'), *arguments],
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ('name', 'tidy'), [('SIGKILL', False), ('SIGTERM', False), ('SIGINT', True)]
)
def test_the_process_of_the_run_ends(pages, redis_params, raw, tmp_path, name, tidy):
    pages_of(url_of(pages)).run(workers=1)
    keys = lasting(raw)
    done = ended(tmp_path, PROGRAM, url_of(pages), json.dumps(redis_params), name)
    assert done.returncode == -getattr(signal, name), done.stderr
    pids = json.loads(done.stdout.splitlines()[0])
    assert len(pids) == 3
    wait_until(lambda: all(map(is_gone, pids)))
    assert Page.objects.count() == jobs.ROWS
    if tidy:
        assert lasting(raw) == keys
    else:
        raw.delete(*raw.keys('*:tmp:lock'), *raw.keys('*:tmp:mirror'))  # as if their time were over
        pages_of(url_of(pages)).run()  # drops what the dead run staged
        assert raw.hgetall('_ir_|{Loaded}Page:tmp:editions').keys() <= {b'last', b'by'}
    assert Word.objects.count() == jobs.ROWS


def test_a_program_that_does_not_ask_whether_it_is_the_main_one(pages, redis_params, tmp_path):
    text = PROGRAM.replace("if __name__ == '__main__':", 'if True:')
    done = ended(tmp_path, text, url_of(pages), json.dumps(redis_params), 'SIGKILL')
    assert done.returncode == 1
    assert "it needs the line `if __name__ == '__main__':`" in done.stderr.splitlines()[-1]
