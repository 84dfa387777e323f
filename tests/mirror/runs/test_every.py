"""Runs at fixed times: ``Mirror.every()`` and ``mirror --every``."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading

import pytest
from cli.commands import start
from sqlalchemy import delete, insert, text, update

from IndexedRedis import UsageError
from IndexedRedis.mirror.recurring import every as module
from mirror.catalogue import Genre, Track, employee, genre, mirror_of, rows_of, track

DEFINITION = """
from mirror.catalogue import mirror_of
shop = mirror_of({url!r})
"""


class Turns:
    """Takes the outcomes of runs, acts after each, and stops after the last."""

    def __init__(self, *acts):
        self.stop, self.outcomes = threading.Event(), []
        self._acts = [*acts]

    def done(self, outcome):
        self.outcomes.append(outcome)
        if self._acts:
            self._acts.pop(0)()
        else:
            self.stop.set()

    def kinds(self):
        return [type(each).__name__ for each in self.outcomes]


def change(engine, *statements):
    with engine.begin() as connection:
        for each in statements:
            connection.execute(each)


def test_each_run_reads_what_the_database_has_by_then(small):
    turns = Turns(lambda: change(small, update(genre).values(name='x')))
    mirror_of(small).every(0.01, turns.stop, turns.done)
    assert turns.kinds() == ['MirrorReport', 'MirrorReport']
    assert {each.name for each in Genre.objects.all()} == {'x'}


@pytest.mark.faults
def test_a_run_that_is_refused_or_fails_is_followed_by_the_next(small):
    turns = Turns(
        lambda: change(small, delete(employee)),
        lambda: change(small, insert(employee).values(rows_of(employee))),
        lambda: change(small, update(track).where(track.c.id == 5).values(milliseconds='long')),
        lambda: change(small, update(track).where(track.c.id == 5).values(milliseconds=1)),
    )
    mirror_of(small).every(0.01, turns.stop, turns.done, mode='diff')
    assert turns.kinds() == [
        'MirrorReport',
        'GuardRefusedError',
        'MirrorReport',
        'GuardRefusedError',
        'MirrorReport',
    ]
    assert Track.objects.filter(id=5).first().milliseconds == 1


@pytest.mark.faults
def test_a_database_that_is_away_for_a_run(small):
    turns = Turns(
        lambda: change(small, text('ALTER TABLE track RENAME TO gone')),
        lambda: change(small, text('ALTER TABLE gone RENAME TO track')),
    )
    mirror_of(small).every(0.01, turns.stop, turns.done)
    assert turns.kinds() == ['MirrorReport', 'OperationalError', 'MirrorReport']


def test_it_waits_while_another_run_holds_the_lock(small, raw):
    name = '_ir_|MirrorTrack:tmp:mirror'
    raw.set(name, 'somebody')

    class Released(logging.Handler):
        def emit(self, record):
            if 'waits for the end of another run' in record.getMessage():
                assert turns.outcomes == []
                raw.delete(name)

    turns = Turns()
    logger, handler = logging.getLogger('IndexedRedis'), Released()
    logger.addHandler(handler)
    try:
        mirror_of(small).every(0.05, turns.stop, turns.done)
    finally:
        logger.removeHandler(handler)
    assert turns.kinds() == ['MirrorReport']
    assert raw.get(name) is None


def test_a_stop_ends_the_run_under_way_which_changes_nothing(small, raw):
    turns = Turns()
    reads = []

    def progress(name, done, total):
        reads.append(name)
        turns.stop.set()

    mirror_of(small).every(60, turns.stop, turns.done, progress)
    assert turns.outcomes == []
    assert len(reads) == 1
    assert raw.keys('*:keys') == []


def test_the_times_do_not_drift_and_missed_ones_are_left_out(small, monkeypatch):
    now, begun, lasts = [1000.0], [], [3.0, 0.5, 25.0, 9.999, 1.0]

    class Clock(threading.Event):
        def wait(self, timeout=None):
            now[0] += timeout
            return self.is_set()

    def run(**how):
        begun.append(now[0])
        now[0] += lasts.pop(0)
        if not lasts:
            stop.set()

    stop = Clock()
    monkeypatch.setattr(module, 'monotonic', lambda: now[0])
    mirror = mirror_of(small)
    mirror.run = run
    mirror.every(10, stop)
    assert begun == [1000, 1010, 1020, 1050, 1060]


@pytest.mark.parametrize('seconds', [0, -1, float('nan')])
def test_a_time_that_is_none(small, seconds):
    with pytest.raises(UsageError, match='above zero'):
        mirror_of(small).every(seconds)


def test_a_wrong_mode_is_raised(small):
    with pytest.raises(UsageError, match='mode'):
        mirror_of(small).every(1, mode='half')


def test_a_task_that_is_cancelled(small):
    async def cancel():
        first, loop = asyncio.Event(), asyncio.get_running_loop()
        work = asyncio.create_task(
            mirror_of(small).aevery(0.01, lambda report: loop.call_soon_threadsafe(first.set))
        )
        await first.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancel())
    assert 'IndexedRedis mirror lock' not in {each.name for each in threading.enumerate()}


@pytest.mark.programs
def test_systemd_hears_of_the_first_run_and_of_signs_of_life(small, redis_params, tmp_path):
    (tmp_path / 'jobs.py').write_text(DEFINITION.format(url=str(small.url)))
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / 'notify'))
        heard.settimeout(60)
        messages = iter(lambda: heard.recv(4096).decode(), '')
        env = {'NOTIFY_SOCKET': str(tmp_path / 'notify'), 'WATCHDOG_USEC': '1000000'}
        arguments = ('mirror', 'jobs:shop', '--url', url, '--every', '1h')
        with start(*arguments, cwd=tmp_path, env=env) as process:
            try:
                before = [*iter(lambda: next(messages), 'READY=1')]
                assert Track.objects.count() == 3503
                assert all('EXTEND_TIMEOUT_USEC' in each for each in before)
                assert next(messages).endswith('WATCHDOG=1')
                assert next(messages).endswith('WATCHDOG=1')
                process.terminate()
                assert 'STOPPING=1' in messages
                process.communicate()
            finally:
                process.kill()
    assert process.returncode == 0


@pytest.mark.programs
def test_the_command_prints_each_outcome_and_ends_with_0(small, redis_params, tmp_path):
    (tmp_path / 'jobs.py').write_text(DEFINITION.format(url=str(small.url)))
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'
    arguments = ('mirror', 'jobs:shop', '--url', url, '--every', '1s', '--json')
    with start(*arguments, cwd=tmp_path) as process:
        try:
            assert 'Track' in json.loads(process.stdout.readline())['models']
            change(small, delete(employee))
            answers = map(json.loads, process.stdout)
            refused = next(each for each in answers if 'refused' in each)
            assert 'Employee: no object to store' in refused['refused'][0]
            process.terminate()
            _, errors = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 0
    assert 'Employee: no object to store' in errors.decode()
    assert errors.decode().splitlines()[-1] == 'stopped'
