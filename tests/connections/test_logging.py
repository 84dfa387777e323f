"""The logger ``IndexedRedis``. The rule: it tells what no result and no error tells, and it quotes
neither a value nor a password."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading

import pytest
import redis
from support.linked import Author
from support.processes import run_python

import IndexedRedis as IR
from IndexedRedis import IRField, ResetLostError
from IndexedRedis._core.keys import Keys

SECRET = 'a value of somebody'


@pytest.fixture
def said(caplog):
    """`said()`: the records so far, as ``LEVEL text``; nothing that was written is among them."""
    caplog.set_level(logging.DEBUG, 'IndexedRedis')

    def texts():
        lines = [f'{each.levelname} {each.getMessage()}' for each in caplog.records]
        assert {each.name for each in caplog.records} <= {'IndexedRedis'}
        assert not any(SECRET in line for line in lines)
        return lines

    return texts


@pytest.fixture
def song(make_model):
    return make_model(['title'], indexed=['title'])


def some(lines, *parts):
    return [line for line in lines if all(part in line for part in parts)]


def test_a_program_without_logging_sees_nothing():
    code = """
        import sys
        sys.stderr = sys.stdout
        from IndexedRedis._core.logs import logger
        logger.error('nobody listens')
        """
    assert run_python(code) == ''


def test_connections(song, said, redis_params, raw):
    song(title=SECRET).save()
    pool = repr(IR.getRedisPool())
    assert said() == [f'DEBUG {pool}: opened a connection']
    raw.client_kill_filter(_type='normal', skipme=True)
    assert song.objects.filter(title=SECRET).count() == 1
    assert said() == [f'DEBUG {pool}: opened a connection'] * 2

    async def main():
        await song.objects.filter(title=SECRET).acount()
        await IR.aclose()

    asyncio.run(main())
    assert len(some(said(), 'TrackingPool of', 'opened a connection')) == 1


def test_a_server_that_is_away_for_a_moment(make_model, new_server, said):
    server = new_server()
    own = make_model(['title'], REDIS_CONNECTION_PARAMS=dict(server.params))
    own(title=SECRET).save()
    server.kill()
    back = threading.Timer(0.2, server.start)
    back.start()
    assert own.objects.count() == 0
    back.join()
    retries = some(said(), 'WARNING', 'ConnectionError', 'trying again in 0.')
    assert 1 <= len(retries) <= 20, said()


def test_a_password_is_not_quoted(make_model, new_server, said):
    server = new_server(requirepass='opensesame')
    params = {**server.params, 'password': 'opensesame'}
    own = make_model(['title'], REDIS_CONNECTION_PARAMS=params)
    own(title=SECRET).save()
    assert some(said(), 'opened a connection') and not some(said(), 'sesame')


def test_a_lost_lock(song, said, raw):
    keys = Keys(song.KEY_NAME)

    def songs():
        for number in range(5000):
            if number == 4999:
                raw.delete(keys.lock)
                raw.set(keys.lock, 'of another')
            yield song(title=SECRET)

    with pytest.raises(ResetLostError):
        song.reset(songs())
    assert some(said(), 'WARNING', f'{song.__name__}: a write lost its lock')
    raw.pexpire(keys.lock, 500)
    song.reset([song(title=SECRET)])
    assert some(said(), 'INFO', f'{song.__name__}: waits for a reset, or another long write')


def test_what_a_killed_write_left(song, said, raw):
    keys = Keys(song.KEY_NAME)
    raw.hset(keys.record, 'token of a dead process', 'staging')
    song.reset([song(title=SECRET)])
    assert some(said(), 'WARNING', 'settles what a killed write')
    before = len(said())
    song.reset([song(title=SECRET)])
    assert said()[before:] == [], 'it was settled'


def test_a_server_without_HELLO(song, new_server, said):
    if redis.VERSION < (8,):
        pytest.skip('this redis-py does not say HELLO')
    old = song.connectAlt(new_server(rename_command='HELLO ""').params)
    old(title=SECRET).save()
    assert len(some(said(), 'INFO', 'does not know HELLO: RESP2 is spoken')) == 1


@pytest.mark.mirrors
def test_a_mirror(redis_params, said, tmp_path, make_model):
    pytest.importorskip('sqlalchemy', reason='the extra sql is not installed')
    from IndexedRedis.mirror import Mirror

    path = tmp_path / 'shop.sqlite'
    shop = sqlite3.connect(path)
    shop.execute('CREATE TABLE song (id int, title text)')
    shop.executescript(f"INSERT INTO song VALUES (1, '{SECRET}')")
    Song = make_model([IRField('id', valueType=int), 'title'])
    mirror = Mirror(f'sqlite:///{path}', {Song: 'SELECT id, title FROM song'}, keys={Song: 'id'})
    mirror.run()
    (begun,) = some(said(), 'INFO', f'mirror of {Song.__name__}: begins')
    (ended,) = some(said(), 'INFO', '1 rows, 1 written', f'mirror of {Song.__name__}: Mirrored at')
    assert said().index(begun) < said().index(ended)
    shop.executescript(f"INSERT INTO song VALUES ('{SECRET}', 'x')")
    with pytest.raises(IR.GuardRefusedError, match=SECRET):
        mirror.run()
    assert some(said(), 'ERROR', f'mirror of {Song.__name__}: failed: GuardRefusedError')
    mirror.run(skipBad=True)
    assert some(said(), 'WARNING', 'rows or links were left out')
    shop.close()


@pytest.mark.clusters
def test_a_failover(sentinels, said):
    IR.setDefaultRedisConnectionParams({**sentinels.params, 'failover_seconds': 30})
    Author(name=SECRET).save()
    before = sentinels.primary
    assert not some(said(), 'the primary is')
    sentinels.kill(before)
    Author(name=SECRET).save()
    now = sentinels.primary
    moves = some(said(), 'WARNING', f'the primary is 127.0.0.1:{now.port} now')
    assert len(moves) == 1 and f'it was 127.0.0.1:{before.port}' in moves[0]


@pytest.mark.clusters
def test_replicas_that_are_behind(sentinels, said):
    IR.setDefaultRedisConnectionParams(sentinels.params)
    Author(name=SECRET).save()
    assert Author.objects.replica(maxLag=1e-9).count() == 1
    assert some(said(), 'DEBUG', 'is fresh enough: the primary answers')
