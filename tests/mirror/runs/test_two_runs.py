"""Two runs of one mirror, in two processes, as on two machines. The rule: a run that lost its lock
at any moment ends with status 2 and changes nothing, and ``mirroredAt`` only moves forward."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys

import pytest
from faults.writers.workers import wait_until

from IndexedRedis import ResetLostError, resetMany
from IndexedRedis.mirror import Mirror, lock
from mirror.catalogue import TABLES, Artist, Track, mirror_of, new_edition
from mirror.reader import reading

pytest.importorskip('IndexedRedis.cli.common')

pytestmark = pytest.mark.faults

# The module that the command imports: its run says where it is, and waits there to be continued.
DEFINITION = """
import os, signal
from mirror.catalogue import mirror_of
from IndexedRedis.mirror import attempt, lock, mirror as module

def stop():
    os.kill(os.getpid(), signal.SIGSTOP)

class Attempt(attempt.Attempt):
    def assigned(self, model, objs, pks):
        if os.environ.get('STOP_AT') == model.__name__:
            stop()
        super().assigned(model, objs, pks)

    def swapping(self):
        super().swapping()
        if os.environ.get('STOP_AT') == 'swap':
            stop()

module.Attempt = Attempt
lock.LOCK_SECONDS = 2
shop = mirror_of({url!r}, maxChanges=90_000)
"""


@pytest.fixture
def start(small, redis_params, tmp_path):
    """`start('diff', 'Track')`: run the command until it stops itself there."""
    with small.connect() as connection:  # SQL goes on while the run reads its snapshot
        connection.exec_driver_sql('PRAGMA journal_mode=WAL')
    (tmp_path / 'jobs.py').write_text(DEFINITION.format(url=str(small.url)))
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'
    processes = []

    def begin(mode, stop_at=''):
        command = [sys.executable, '-m', 'IndexedRedis', 'mirror', 'jobs:shop']
        process = subprocess.Popen(
            [*command, '--url', url, '--mode', mode],
            env={**os.environ, 'PYTHONPATH': path, 'STOP_AT': stop_at},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        if stop_at:
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def edition(engine, number):
    with engine.begin() as connection:
        new_edition(connection, number)


def editions():
    return {obj.edition for model in TABLES for obj in model.objects.all()}


@pytest.mark.either('mode')
@pytest.mark.parametrize('mode', ['full', 'diff'])
@pytest.mark.parametrize('stop_at', ['Artist', 'Track', 'swap'])
def test_a_suspended_run_changes_nothing(small, raw, redis_params, check, start, mode, stop_at):
    mirror_of(small).run()
    edition(small, 2)
    with reading(redis_params):
        suspended = start(mode, stop_at)
        edition(small, 3)
        wait_until(lambda: not raw.keys('*:tmp:mirror'), 30)
        raw.delete(*raw.keys('*:tmp:lock'))  # as if their time were over too
        other = start(mode)
        said, _ = other.communicate(timeout=120)
        assert (other.returncode, editions()) == (0, {3}), said
        stamp = Track.objects.mirroredAt()
        suspended.send_signal(signal.SIGCONT)
        said, _ = suspended.communicate(timeout=120)
    assert suspended.returncode == 2, said
    assert 'Nothing was changed' in said
    assert (editions(), Track.objects.mirroredAt()) == ({3}, stamp)
    check()


@pytest.mark.either('mode')
@pytest.mark.parametrize('mode', ['full', 'diff'])
@pytest.mark.parametrize('holder', [None, b'another run'])
def test_a_lock_that_is_lost_before_another_run_is_done(small, raw, check, mode, holder):
    """Nobody has put newer data live yet."""
    mirror_of(small).run()
    edition(small, 2)

    def lose(name, rows, total):
        raw.delete('_ir_|MirrorAlbum:tmp:mirror')
        if holder:
            raw.set('_ir_|MirrorAlbum:tmp:mirror', holder, px=60_000)

    with pytest.raises(ResetLostError, match=r'Album.*this run lost the mirror lock'):
        mirror_of(small, maxChanges=90_000).run(mode=mode, progress=lose)
    assert editions() == {1}
    assert raw.get('_ir_|MirrorAlbum:tmp:mirror') == holder, "not this run's to delete"
    check()


def test_a_run_stops_reading_once_it_knows(small, raw, monkeypatch):
    """The thread that extends the lock finds it gone."""
    monkeypatch.setattr(lock, 'LOCK_SECONDS', 3)  # a busy machine may stop a thread for one
    mirror_of(small).run()
    seen = []

    def lose(name, rows, total):
        seen.append(name)
        if name == 'Artist' and rows:
            name = raw.keys('*MirrorTrack:tmp:mirror')[0]
            raw.set(name, 'another run', px=60_000)
            thread = lock.threading.Event()
            thread.wait(1.5)

    with pytest.raises(ResetLostError, match='MirrorTrack:tmp:mirror expired or was deleted'):
        mirror_of(small).run(progress=lose)
    assert 'Track' not in seen


def test_a_run_that_cannot_extend_its_lock(small, raw, monkeypatch):
    """Redis answers the reset, but not the thread: what nobody extended does not count as held."""
    monkeypatch.setattr(lock, 'LOCK_SECONDS', 0.2)
    monkeypatch.setattr(lock.MirrorLock, '_if_ours', _no_server)

    def slow(name, rows, total):
        lock.threading.Event().wait(0.3)

    with pytest.raises(ResetLostError, match='could not extend the lock'):
        mirror_of(small).run(progress=slow)
    assert raw.keys('*:keys') == []


def _no_server(self, model, *command):
    raise lock.redis.ConnectionError('gone')


def test_the_stamp_never_goes_back(lite, watch_models):
    """The clock of this machine is behind that of the last run's; or the last one's was wrong."""
    watch_models(Artist)
    mirror = Mirror(
        lite, {Artist: "SELECT 1 AS id, 'x' AS name, 1 AS edition"}, keys={Artist: 'id'}
    )
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    ahead = now + datetime.timedelta(minutes=5)
    for stored, expected in [(ahead, ahead), (now + datetime.timedelta(days=300), now)]:
        resetMany({Artist: [Artist(id=1)]}, mirrored=stored.isoformat())
        mirror.run()
        stamp = Artist.objects.mirroredAt()
        assert expected <= stamp < expected + datetime.timedelta(minutes=2)
    for odd in ('yesterday', '2999-01-01T00:00:00'):
        resetMany({Artist: [Artist(id=1)]}, mirrored=odd)
        mirror.run()
        assert now <= Artist.objects.mirroredAt() < ahead
