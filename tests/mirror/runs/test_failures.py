"""A run that does not come to its end. The rule: the old data stays, whole, and the next run
works."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
import redis
from faults.writers.workers import wait_until
from sqlalchemy import create_engine, select, update
from sqlalchemy.exc import DBAPIError

import IndexedRedis as IR
from IndexedRedis import MirrorRunningError, ResetInProgressError
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror import lock as mirror_lock
from mirror.catalogue import TABLES, Artist, Track, artist, mirror_of, new_edition
from mirror.reader import reading

pytestmark = pytest.mark.faults

KILLS_ITSELF = """
import json, os, sys
import IndexedRedis as IR
from mirror.catalogue import mirror_of
url, params, mode, at, done = sys.argv[1:]
IR.setDefaultRedisConnectionParams(json.loads(params))
def progress(name, rows, total):
    if (name, rows) == (at, int(done)):
        os.kill(os.getpid(), 9)
mirror_of(url, mode=mode, maxChanges=90_000).run(progress=progress)
"""


@pytest.fixture
def old(small):
    """Edition 1 is mirrored, SQL has edition 2."""
    mirror_of(small).run()
    with small.begin() as connection:
        new_edition(connection, 2)
    return small


def editions():
    return {obj.edition for model in TABLES for obj in model.objects.all()}


def locks_of(raw):
    return raw.keys('*:tmp:lock') + raw.keys('*:tmp:mirror')


@pytest.mark.either('mode')
@pytest.mark.parametrize('mode', ['full', 'diff'])
@pytest.mark.parametrize('at', [('Artist', 0), ('Track', 3000), ('Employee', 7)])
def test_killed(old, raw, redis_params, check, mode, at):
    command = [sys.executable, '-c', KILLS_ITSELF, str(old.url), json.dumps(redis_params)]
    with reading(redis_params):
        done = subprocess.run([*command, mode, at[0], str(at[1])], env=_path(), check=False)
        assert done.returncode == -signal.SIGKILL
        assert editions() == {1}
        check(pending=True)
        with pytest.raises(MirrorRunningError, match='another run or a follower is at work'):
            mirror_of(old).run()
        assert all(0 < raw.pttl(name) <= 30_000 for name in locks_of(raw))
        raw.delete(*locks_of(raw))  # as if their time were over
        mirror_of(old).run()
        assert editions() == {2}
    assert locks_of(raw) == []
    check()


def _path():
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}


@pytest.mark.either('mode')
@pytest.mark.parametrize('mode', ['full', 'diff'])
@pytest.mark.parametrize('at', ['Artist', 'Track'])
def test_the_source_breaks(old, raw, redis_params, check, mode, at):
    def breaks(name, rows, total):
        if name == at and rows:
            raise OSError('the source broke')

    with reading(redis_params), pytest.raises(OSError, match='the source broke'):
        mirror_of(old).run(progress=breaks, mode=mode)
    assert editions() == {1}
    assert locks_of(raw) == []
    assert old.pool.checkedout() == 0
    check()
    mirror_of(old).run()
    assert editions() == {2}


@pytest.mark.either('mode')
@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_redis_stops_answering(old, server, redis_params, check, mode):
    IR.setDefaultRedisConnectionParams({**redis_params, 'socket_timeout': 0.3})

    def freeze(name, rows, total):
        if (name, rows) == ('Track', 2000):
            server.freeze()

    try:
        with pytest.raises(redis.TimeoutError):
            mirror_of(old, mode=mode, maxChanges=90_000).run(progress=freeze)
    finally:
        server.resume()
    assert editions() == {1}
    with contextlib.closing(redis.Redis(**redis_params)) as client:
        client.delete(*locks_of(client) or ['none'])
    mirror_of(old).run()
    assert editions() == {2}
    check()


SLOW = {
    'postgresql': ({'options': '-c statement_timeout=300'}, 'SELECT *, pg_sleep(2)::text AS z'),
    'mariadb': ({'init_command': 'SET max_statement_time=0.3'}, 'SELECT track.*, sleep(2) AS z'),
}


def test_the_database_takes_too_long(shop, raw):
    mirror_of(shop).run()
    with shop.begin() as connection:
        new_edition(connection, 2)
    selects = {model: select(table) for model, table in TABLES.items()}
    columns, keys, how = {}, {Track: 'id'}, {'timeout': 0.3}
    kind = 'mariadb' if shop.dialect.name in ('mysql', 'mariadb') else shop.dialect.name
    with contextlib.ExitStack() as stack:
        if kind == 'sqlite':
            writer = stack.enter_context(shop.connect())
            writer.exec_driver_sql('BEGIN EXCLUSIVE')
        else:
            how, sql = SLOW[kind]
            selects[Track], columns = f'{sql} FROM track', {Track: {'z': None}}
        slow = create_engine(shop.url, connect_args=how)
        stack.callback(slow.dispose)
        with pytest.raises(DBAPIError):
            Mirror(slow, selects, columns=columns, keys=keys).run()
    assert editions() == {1}
    assert locks_of(raw) == []


def test_at_most_one_run_at_a_time(old, raw, redis_params):
    seen = []

    def again(name, rows, total):
        if not seen:
            with pytest.raises(MirrorRunningError) as caught:
                mirror_of(old).run()
            seen.append(str(caught.value))
            assert mirror_of(old).run(dryRun=True).dryRun

    with reading(redis_params):
        mirror_of(old).run(progress=again)
    assert 'Nothing was changed' in seen[0]
    assert locks_of(raw) == []


def test_a_long_run_keeps_its_lock(old, raw, redis_params, monkeypatch):
    monkeypatch.setattr(mirror_lock, 'LOCK_SECONDS', 2)
    steps, left = [], [2000]  # milliseconds

    def prolonged():
        left.append(raw.pttl('_ir_|MirrorTrack:tmp:mirror'))
        return left[-1] > left[-2]

    def slow(*step):
        steps.append(step)
        if len(steps) <= 6:  # each waits for a quarter of the time, so in all it is over
            wait_until(prolonged)

    with reading(redis_params):
        mirror_of(old).run(progress=slow)
    assert len(steps) > 6
    assert editions() == {2}


def test_a_reset_that_is_no_mirror(old, raw, redis_params, monkeypatch):
    monkeypatch.setattr('IndexedRedis._core.locking.locks.WAIT_SECONDS', 0.2)
    raw.set('_ir_|MirrorAlbum:tmp:lock', 'somebody', px=60_000)
    with reading(redis_params), pytest.raises(ResetInProgressError):
        mirror_of(old).run()
    raw.delete('_ir_|MirrorAlbum:tmp:lock')
    assert raw.keys('*:tmp:mirror') == []


@pytest.mark.either('mode')
@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_a_run_that_loses_the_lock_of_its_reset(old, raw, redis_params, check, mode):
    """Another reset could begin, so the snapshot of this run may be older than its data."""
    lost = []

    def lose(name, rows, total):
        if name == 'Track' and not lost:
            lost.append(raw.set('_ir_|MirrorTrack:tmp:lock', 'somebody', px=60_000))

    with reading(redis_params), pytest.raises(IR.ResetLostError, match='Nothing was changed'):
        mirror_of(old, mode=mode, maxChanges=90_000).run(progress=lose)
    assert lost == [True]
    assert editions() == {1}
    raw.delete('_ir_|MirrorTrack:tmp:lock')
    mirror_of(old).run()
    assert editions() == {2}
    check()


def test_objects_that_were_fetched_before(old):
    """They are those of the old edition as long as nobody saves them."""
    first = Artist.objects.filter(name='AC/DC').first()
    with old.begin() as connection:
        connection.execute(update(artist).where(artist.c.id == 1).values(name='new'))
    mirror_of(old).run()
    assert first.name == 'AC/DC'
    with pytest.raises(IR.ObjectGoneError):
        first.name = 'x'
        first.save()


def test_links_of_what_was_fetched_just_before_the_swap(old):
    """The reader took the tracks of the old edition; their albums are readable for 10 s more."""
    tracks = Track.objects.filter(composer='Steve Harris').all()
    mirror_of(old).run()
    tracks[0].cascadeFetch()
    assert tracks[0].album is not None
