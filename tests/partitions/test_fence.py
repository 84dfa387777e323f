"""The fence on a real server: every script that writes first compares it. Where it differs nothing
is written; where it fits the scripts do what they do without it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import redis
from redis.exceptions import ResponseError
from support import keyspace

from IndexedRedis import IRField
from IndexedRedis._core.flows import Batch, Stream
from IndexedRedis._core.locking.scripts import MAY_STORE
from IndexedRedis._core.locking.transactions import guarded_transaction
from IndexedRedis._core.partitions.editions.fence import _OF_LOCKS, fenced
from IndexedRedis._core.script import ALL, load_all
from IndexedRedis.executors import conversation

FENCE = b'fence'
SHARD: Any = SimpleNamespace(keys=SimpleNamespace(fence=FENCE), open=b'7 6')
SCRIPTS = [script for script in load_all() if script.name not in _OF_LOCKS]
# Fences behind which nothing may be written, by what the error says of them.
CLOSED = {
    'absent': None,
    '8 6': ('SET', '8 6'),
    '6 6': ('SET', '6 6'),
    '7 12': ('SET', '7 12'),
    '7 6>8 6 token': ('SET', '7 6>8 6 token'),
    'of another type': ('SADD', '7 6'),
}


def close(raw, told):
    raw.delete(FENCE)
    if CLOSED[told]:
        name, value = CLOSED[told]
        raw.execute_command(name, FENCE, value)


# What redis-py 5 wants to be told.
NAMED = ('_',) if redis.VERSION < (5, 3) else ()


def send(raw, commands):
    """Send commands one by one; return the replies, errors as exceptions."""
    connection = raw.connection_pool.get_connection(*NAMED)
    try:
        replies = []
        for command in commands:
            connection.send_command(*command)
            try:
                replies.append(connection.read_response())
            except ResponseError as error:
                replies.append(error)
        return replies
    finally:
        raw.connection_pool.release(connection)


def with_text(command):
    """A script in full: the server has not seen it."""
    if command[0] != 'EVALSHA':
        return command
    return ('EVAL', next(s for s in ALL if s.sha == command[1]).text, *command[2:])


def behind(commands):
    """The commands as a shard sends them."""
    return list(fenced(Batch([*map(with_text, commands)]), SHARD).commands)


@pytest.mark.parametrize('told', CLOSED)
def test_a_script_is_refused_whatever_it_is_asked(raw, told):
    close(raw, told)
    before = keyspace.dump(raw)
    for script in SCRIPTS:
        for keys, args in (([], []), ([b'a', b'b', b'c'], [1, 1, 1]), ([b'a'] * 9, [b'token'] * 9)):
            (reply,) = send(raw, behind([script.in_full(keys, *args)]))
            assert isinstance(reply, ResponseError), script.name
            assert str(reply) == f'FENCED {told}', script.name
    assert keyspace.dump(raw) == before


@pytest.mark.parametrize('told', CLOSED)
def test_a_guard_has_EXEC_do_nothing(raw, told):
    close(raw, told)
    raw.set('lock', 'token')
    before = keyspace.dump(raw)
    names = [b'refused', b'lock', b'all']
    commands = guarded_transaction(MAY_STORE, names, [b'token'], [b'row'], [('SET', 'row', 1)])
    watch, check, *rest, done = send(raw, behind(commands))
    assert str(check) == f'FENCED {told}'
    assert (watch, rest, done) == (b'OK', [b'OK', b'QUEUED'], None)
    assert keyspace.dump(raw) == before


def test_a_guard_lets_pass_what_fits_and_EXEC_sees_a_fence_that_changes(raw):
    raw.set(FENCE, '7 6')
    raw.set('lock', 'token')
    names = [b'refused', b'lock', b'all']
    commands = behind(guarded_transaction(MAY_STORE, names, [b'token'], [], [('SET', 'row', 1)]))
    assert send(raw, commands)[-1] == [b'OK'] or send(raw, commands)[-1] == [True]
    assert raw.get('row') == b'1'
    raw.delete('row')
    watch, check, *rest = commands
    connection = raw.connection_pool.get_connection(*NAMED)
    for command in (watch, check):
        connection.send_command(*command)
        connection.read_response()
    raw.set(FENCE, '8 6')  # between the look of the guard and EXEC
    for command in rest:
        connection.send_command(*command)
        reply = connection.read_response()
    raw.connection_pool.release(connection)
    assert reply is None
    assert not raw.exists('row')


@pytest.fixture
def song(make_model):
    return make_model(
        ['name', IRField('year', valueType=int)], indexed=['name'], SORTED_FIELDS=['year']
    )


@pytest.fixture
def batches(monkeypatch):
    """The batches that flows have sent."""
    sent: list[list[Any]] = []
    perform = conversation._perform

    def noting(some):
        for batch in some:
            if batch:
                sent.append(list(batch.commands))
            yield batch

    def recording(step, *rest):
        if isinstance(step, Batch):
            sent.append(list(step.commands))
        if isinstance(step, Stream):
            step = step._replace(batches=noting(step.batches))
        return perform(step, *rest)

    monkeypatch.setattr(conversation, '_perform', recording)
    return sent


def one_by_one(song):
    obj = song(name='a', year=1)
    obj.save()
    obj.year, obj.name = 2, 'b'
    obj.save()
    song.saver.save(song(name='c'), forceID=9)
    song.objects.filter(name='b').update(name='d', year=5)
    song.objects.reindex()
    song.deleter.deleteByPk(9)
    song.deleter.deleteOne(obj)


def as_lists(song):
    objs = [song(name=f'{n % 3}', year=n) for n in range(12)]
    song.saver.save(objs)
    for obj in objs:
        obj.year += 1
    song.saver.save([*objs, song(name='new')])
    song.objects.filter(name='1').update(name='2')
    song.objects.filter(name='2').delete()
    song.objects.reindex()
    song.deleter.deleteMultiple(objs[:5])


@pytest.mark.parametrize('work', [one_by_one, as_lists])
@pytest.mark.parametrize('long', [False, True], ids=['short', 'in steps'])
def test_whole_writes_behind_a_fence(raw, song, batches, work, long, request):
    """Each batch of a write, sent to a closed fence, changes nothing but what locks are made of;
    all of them, sent to the right one, leave what they leave without a fence."""
    if long:
        request.getfixturevalue('in_steps')
    work(song)
    raw.flushdb()
    told = [*CLOSED]
    for number, batch in enumerate(batches):
        close(raw, told[number % len(told)])
        before = without_locks(raw)
        send(raw, behind(batch))
        assert without_locks(raw) == before, f'{told[number % len(told)]}: {batch}'
        raw.delete(FENCE)
        send(raw, map(with_text, batch))
    ends, replies = [], []
    for fence in (False, True):
        raw.flushdb()
        raw.set(FENCE, '7 6')
        sent = [behind(batch) if fence else [*map(with_text, batch)] for batch in batches]
        replies.append([send(raw, batch) for batch in sent])
        ends.append(keyspace.dump(raw))
    assert ends[0] == ends[1]
    assert [*map(repr, replies[0])] == [*map(repr, replies[1])]
    assert len(batches) > 10
    if work is as_lists and long:  # it has guarded transactions too
        assert any(('MULTI',) in batch for batch in batches)
    raw.flushdb()


def without_locks(raw):
    """What is stored, but for the keys by which a writer holds its lock."""
    ends = (b':tmp:lock', b':tmp:resets', b':tmp:touched')
    return {name: held for name, held in keyspace.dump(raw).items() if not name.endswith(ends)}
