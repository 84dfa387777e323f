"""``mirror --follow`` and what belongs to it, in processes of their own, with a log in SQLite."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
from contextlib import closing, contextmanager

import pytest

pytest.importorskip('pty', reason='needs a POSIX system')
pytest.importorskip('IndexedRedis.cli.common')

from cli.commands import command, lines_of, on_terminal, start

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.cli.commands.mirror.display import text_of
from IndexedRedis.cli.commands.mirror.ending import bytes_of
from IndexedRedis.mirror.follow.stamp import FollowStatus

pytestmark = pytest.mark.programs

DEFINITION = """
import IndexedRedis.mirror.follow.setup as setup
from IndexedRedis.mirror import Mirror
from mirror.follow.sqlite_log import Logs
from mirror.follow.test_command import Song
from sqlalchemy import Column, Integer, MetaData, String, Table

setup.log_of = lambda engine: Logs()
song = Table(
    'song', MetaData(), Column('id', Integer, primary_key=True), Column('name', String)
)
shop = Mirror('sqlite:///shop.sqlite', {Song: song})
"""


class Song(IndexedRedisModel):
    FIELDS = [IRField('id', valueType=int), IRField('name')]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'FollowedSong'


class Shop:
    """A database in a folder, and the command on it."""

    def __init__(self, folder, redis_params):
        self.folder = folder
        self.url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'
        (folder / 'jobs.py').write_text(DEFINITION)
        self.sql('PRAGMA journal_mode=WAL')
        self.sql('CREATE TABLE song (id INTEGER PRIMARY KEY, name TEXT)')
        self.sql("INSERT INTO song VALUES (1, 'one'), (2, 'two')")

    def sql(self, statement):
        with closing(sqlite3.connect(self.folder / 'shop.sqlite', timeout=30)) as connection:
            rows = connection.execute(statement).fetchall()
            connection.commit()
        return rows

    def mirror(self, *options):
        return command('mirror', 'jobs:shop', '--url', self.url, *options, cwd=self.folder)

    @contextmanager
    def following(self, *options, **env):
        """A process that follows; yields it and what reads the next status of some kind."""
        options = ('--follow', '--prepare', '--json', *options)
        arguments = ('mirror', 'jobs:shop', '--url', self.url, *options)
        with start(*arguments, cwd=self.folder, env=env) as process:
            try:
                yield process, lambda fits: next_status(process, fits)
            finally:
                process.kill()


def next_status(process, fits):
    for line in process.stdout:
        status = json.loads(line)
        if fits(status):
            return status
    raise AssertionError(process.stderr.read().decode())


def end(process):
    process.terminate()
    process.communicate()
    assert process.returncode == 0


def names():
    return {song.id: song.name for song in Song.objects.all()}


@pytest.fixture
def shop(tmp_path, redis_params, watch_models):
    watch_models(Song)
    return Shop(tmp_path, redis_params)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['Ctrl-C', 'TERM'])
def test_it_follows_until_it_is_told_to_stop(shop, number):
    with shop.following() as (process, status):
        first = status(lambda each: True)
        assert (first['swaps'], first['commits'], first['waits']) == (1, 0, '')
        assert names() == {1: 'one', 2: 'two'}
        shop.sql("UPDATE song SET name = 'uno' WHERE id = 1")
        shop.sql('DELETE FROM song WHERE id = 2')
        assert status(lambda each: each['commits'] == 2)['rows'] == 2
        assert names() == {1: 'uno'}
        process.send_signal(number)
        rest, errors = process.communicate()
    assert process.returncode == 0
    assert errors.decode().splitlines()[-1] == 'stopped'
    assert all(json.loads(line)['commits'] == 2 for line in rest.splitlines())


def test_it_goes_on_where_it_ended_unless_all_is_to_be_replaced(shop):
    with shop.following() as (process, status):
        status(lambda each: True)
        end(process)
    shop.sql("INSERT INTO song VALUES (3, 'three')")
    with shop.following() as (process, status):
        assert status(lambda each: each['commits'] == 1)['swaps'] == 1
        assert names()[3] == 'three'
        end(process)
    with shop.following('--resync') as (process, status):
        assert status(lambda each: True)['swaps'] == 2
        end(process)


def test_a_limit_for_the_log_that_the_database_keeps(shop):
    with shop.following('--slot-limit', '1kB') as (process, status):
        status(lambda each: True)
        end(process)
    shop.sql("INSERT INTO song VALUES (3, 'three')")
    with shop.following('--slot-limit', '1kB') as (process, status):
        assert status(lambda each: each['commits'] == 1)['swaps'] == 1
        end(process)
    shop.sql(f'INSERT INTO song VALUES {", ".join(f"({n}, 0)" for n in range(10, 22))}')
    with shop.following('--slot-limit', '1kB') as (process, status):
        assert status(lambda each: True)['swaps'] == 2
        process.terminate()
        errors = process.communicate()[1].decode()
    assert 'keeps 1,200 bytes of its log for the mirror, more than slotLimit (1,024)' in errors
    assert len(names()) == 15


@pytest.mark.parametrize(('text', 'size'), [('7', 7), ('2 MB', 2**21), ('10GB', 10 * 2**30)])
def test_sizes(text, size):
    assert bytes_of(text) == size


def test_a_second_one_waits_and_takes_over(shop):
    with shop.following() as (first, status):
        status(lambda each: True)
        with shop.following() as (second, other):
            assert 'another mirror of these models runs' in other(lambda each: True)['waits']
            first.terminate()
            other(lambda each: not each['waits'])
            shop.sql("INSERT INTO song VALUES (3, 'three')")
            other(lambda each: each['commits'] == 1)
            assert names()[3] == 'three'
            second.terminate()
            lines = second.communicate()[1].decode().splitlines()
            assert second.returncode == 0
            assert len([line for line in lines if 'another mirror of these models' in line]) == 1
        end(first)


def test_a_database_that_is_not_prepared(shop):
    done = shop.mirror('--follow')
    assert (done.status, done.out) == (2, '')
    assert '--prepare' in done.errors
    assert '\n  CREATE TRIGGER follow_song_insert' in done.errors, 'a statement has its own line'


def test_a_redis_that_does_not_answer_is_told_once(shop):
    nobody = 'redis://127.0.0.1:1/0'
    done = command('mirror', 'jobs:shop', '--url', nobody, '--follow', '--prepare', cwd=shop.folder)
    tries, error = done.errors.splitlines()
    assert (done.status, tries.endswith('; trying again')) == (2, True)
    assert error.startswith('error: ') and '--url' in error


def test_prepare_and_unfollow(shop):
    tried = shop.mirror('--prepare', '--dry-run')
    assert tried.status == 0
    assert tried.out.startswith('CREATE TABLE follow_log')
    assert shop.sql("SELECT * FROM sqlite_master WHERE name LIKE 'follow%'") == []
    assert shop.mirror('--prepare').out == tried.out
    done = shop.mirror('--prepare', '--json')
    assert (done.status, done.json) == (0, {'statements': []})
    assert 'a log of triggers is slow\nnothing to do\n' in done.errors
    done = shop.mirror('--unfollow')
    assert (done.status, done.out.count('DROP TRIGGER')) == (0, 3)
    assert shop.sql("SELECT * FROM sqlite_master WHERE name LIKE 'follow%'") == []


def test_a_mirror_that_cannot_be_followed_any_more_can_be_unfollowed(shop):
    assert shop.mirror('--prepare').status == 0
    shop.sql('DROP TABLE song')
    assert "no table 'song'" in shop.mirror('--prepare').errors
    done = shop.mirror('--unfollow')
    assert (done.status, done.out) == (0, 'DROP TABLE follow_log;\n')


def test_the_status_says_whether_something_follows(shop):
    done = shop.mirror('--status')
    assert (done.status, done.out) == (1, 'The data does not follow a database.\n')
    assert shop.mirror('--status', '--json').json is None
    with shop.following() as (process, status):
        status(lambda each: True)
        shop.sql("INSERT INTO song VALUES (3, 'three')")
        status(lambda each: each['commits'] == 1)
        done = shop.mirror('--status')
        assert done.status == 0
        assert 'transactions: 1, rows: 1; full swaps: 1,' in done.out
        end(process)
    done = shop.mirror('--status', '--json')
    assert (done.status, done.json['waits']) == (1, 'no process follows')
    assert ': no process follows; ' in shop.mirror('--status').out
    assert shop.mirror().status == 0  # replaces the data
    assert shop.mirror('--status').out == 'The data does not follow a database.\n'


@pytest.mark.parametrize('abstract', [False, True])
def test_systemd_is_told_how_it_is(shop, tmp_path, abstract):
    path = f'@indexedredis-test-{os.getpid()}' if abstract else str(tmp_path / 'notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind('\0' + path[1:] if abstract else path)
        heard.settimeout(60)

        def message(word):
            while not (text := heard.recv(4096).decode()).startswith(word):
                told.append(text)
            return text

        told = []
        env = {'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '2000000'}
        with shop.following(**env) as (process, _):
            message('READY=1')
            assert names() == {1: 'one', 2: 'two'}  # the first load is over
            assert not any('WATCHDOG' in each for each in told)
            assert all('EXTEND_TIMEOUT_USEC=60000000' in each.split('\n') for each in told)
            assert 'WATCHDOG=1' in message('STATUS=followedsong').split('\n')
            shop.sql("INSERT INTO song VALUES (3, 'three')")
            while 'last commit none' in message('STATUS='):
                pass
            process.terminate()
            message('STOPPING=1')
            process.communicate()
    assert process.returncode == 0


def test_without_systemd_nothing_is_sent_and_a_dead_socket_does_no_harm(shop, tmp_path):
    with shop.following(NOTIFY_SOCKET=str(tmp_path / 'nobody')) as (process, status):
        assert status(lambda each: True)['swaps'] == 1
        end(process)


def test_a_commit_without_fractions_of_a_second_shows_its_zone():
    for text in ('2026-11-29T20:00:58+00:00', '2026-11-29T20:00:58.123456+00:00'):
        shown = text_of(FollowStatus(name='shop', lastCommit=text))
        assert shown.endswith('last commit 2026-11-29 20:00:58+00:00')


def test_a_terminal_shows_one_line(shop):
    arguments = ('mirror', 'jobs:shop', '--url', shop.url, '--follow', '--prepare')
    status, seen = on_terminal(*arguments, answers={'transactions/s': b'\x03'}, cwd=shop.folder)
    assert status == 0
    lines = lines_of(seen)
    assert any('s, 0 bytes behind; 0 transactions/s, 0 rows/s' in line for line in lines)
    assert lines[-1] == 'stopped'


def test_elsewhere_there_is_a_line_at_the_start(shop):
    with shop.following() as (process, status):
        status(lambda each: True)
        status(lambda each: each['mirrored'])
        process.terminate()
        _, errors = process.communicate()
    lines = errors.decode().splitlines()
    assert [line for line in lines if 'transactions/s' in line] == [lines[-2]]
    assert lines[1] == 'Song: 2 done'


@pytest.mark.parametrize(
    ('options', 'reason'),
    [
        (('--follow', '--every', '5m'), '--follow and --every exclude each other.'),
        (('--follow', '--status'), '--follow and --status exclude each other.'),
        (
            ('--follow', '--dry-run'),
            '--follow and --dry-run exclude each other. --prepare --dry-run shows what the '
            'database needs.',
        ),
        (('--follow', '--skip-bad'), '--follow and --skip-bad exclude each other.'),
        (('--every', '5m', '--prepare'), '--every and --prepare exclude each other.'),
        (('--unfollow', '--prepare'), '--unfollow and --prepare exclude each other.'),
        (('--status', '--mode', 'full'), '--status and --mode exclude each other.'),
        (('--prepare', '--resync'), '--prepare and --resync exclude each other.'),
        (('--resync',), '--resync needs --follow.'),
        (('--every', 'often'), "--every takes a time such as 30s, 5m or 1h30m, not 'often'."),
        (('--slot-limit', '1GB'), '--slot-limit needs --follow.'),
        (
            ('--follow', '--slot-limit', '1G'),
            "--slot-limit takes a size such as 500MB or 10GB, not '1G'.",
        ),
        (('--every', '0m'), '--every takes a time above zero.'),
    ],
)
def test_options_that_exclude_each_other(shop, options, reason):
    done = shop.mirror(*options)
    assert (done.status, done.out, done.errors) == (2, '', f'error: {reason}\n')
    assert names() == {}
