"""The script that stores a new object draws its pk, so a lost reply leaves the pk unknown. The
rule: the test carries the script out when it likes, and the object is stored once, under one pk."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis.exceptions import OutOfMemoryError, TimeoutError

from faults.item import Item, contents
from IndexedRedis import OutcomeUnknownError
from IndexedRedis._core.links import saving
from IndexedRedis._core.script import BY_SHA
from IndexedRedis._core.writes.inserts import draws, insert_one
from IndexedRedis.errors import WrongKeyTypeError
from IndexedRedis.executors.errors import PoolExhaustedError
from IndexedRedis.executors.recording import RecordingExecutor


@pytest.fixture
def lost(raw, item):
    """`lost(obj)`: save it without a reply; returns a function that carries the script out."""

    def save(obj):
        executor = RecordingExecutor([TimeoutError('late')])
        with pytest.raises(TimeoutError):
            executor.run(saving.save(type(obj)._validated(), [obj], [None]))
        ((_, name, *rest),) = executor.trips[0]
        (script,) = [each for each in BY_SHA.values() if each.name == name]
        return lambda: raw.execute_command('EVAL', script.text, *rest)

    return save


def notes(raw):
    return raw.keys('_ir_|Item:tmp:*:drawn')


def alone(obj):
    obj.save()


def in_a_list(obj):
    Item.saver.save([obj, Item(name='other', n=2)])


def unpickled(obj):
    again = pickle.loads(pickle.dumps(obj))
    again.save()
    obj.__dict__.update(again.__dict__)


@pytest.mark.parametrize('again', [alone, in_a_list, unpickled])
def test_a_script_that_was_carried_out_is_found(item, lost, stored, again):
    item(name='before', n=1).save()
    obj = item(name='new', n=1)
    carry_out = lost(obj)
    assert carry_out()[::2] == [2, 1]
    item(name='stranger', n=1).save()
    changed = item.objects.get(2)
    changed.n = 5
    changed.save()
    obj.name = 'renamed'
    again(obj)
    assert obj.getPk() == 2
    names = [('before', 1), ('renamed', 5), ('stranger', 1), ('other', 2)]
    found = [(each.name, each.n) for each in item.objects.allByAge()]
    assert found == names[: 4 if again is in_a_list else 3]
    stored.check()


@pytest.mark.parametrize('again', [alone, in_a_list, unpickled])
def test_a_script_that_comes_late_stores_nothing(item, lost, stored, again):
    item(name='before', n=1).save()
    obj = item(name='new', n=1)
    carry_out = lost(obj)
    item(name='stranger', n=1).save()
    again(obj)
    before = contents(item)
    pk = obj.getPk()
    assert carry_out()[::2] == [pk, 0]
    obj.delete()
    assert carry_out()[::2] == [pk, 0]
    assert len(before) == 3 + (again is in_a_list)
    assert len(contents(item)) == len(before) - 1
    stored.check()


def test_a_script_stores_once_however_often_it_comes(item, lost, stored):
    carry_out = lost(item(name='new', n=1))
    assert [carry_out()[::2] for _ in range(3)] == [[1, 1], [1, 0], [1, 0]]
    assert [row[:2] for row in contents(item)] == [('new', 1)]
    stored.check()


def test_a_note_outlives_the_objects_by_a_day(raw, item, lost, stored):
    carry_out = lost(item(name='new', n=1))
    carry_out()
    (note,) = notes(raw)
    assert 86_000 < raw.ttl(note) <= 86_400
    assert item.objects.check().ok
    assert item.objects.info().workKeys == 0
    others = len(raw.keys()) - 3  # but the counter, the record of incarnations and the note
    assert item.deleter.destroyModel() == others
    carry_out()
    assert notes(raw) == [note]
    assert contents(item) == []


def test_who_comes_back_after_a_day_is_told_that_nobody_knows(item, lost, monkeypatch):
    obj = item(name='new', n=1)
    carry_out = lost(obj)
    carry_out()
    monkeypatch.setattr(draws, 'EXPIRED', timedelta(0))
    with pytest.raises(OutcomeUnknownError, match=r'^Item: a save .*save obj\.copy\(\)'):
        obj.save()
    assert [row[:2] for row in contents(item)] == [('new', 1)]
    monkeypatch.undo()
    obj.save()
    assert [row[:2] for row in contents(item)] == [('new', 1)]


def test_a_draw_that_was_refused_is_over(raw, item, lost, stored):
    """Its token goes to the next object, whose note must stay."""
    raw.set('_ir_|Item:next', 'junk')
    refused, other = item(name='refused', n=1), item(name='other', n=2)
    with pytest.raises(WrongKeyTypeError, match='text that is no number'):
        refused.save()
    raw.delete('_ir_|Item:next')
    lost(other)()
    refused.save()
    other.save()
    assert [row[:2] for row in contents(item)] == [('other', 2), ('refused', 1)]


def test_an_interrupt_after_the_reply_leaves_no_draw(item, monkeypatch, stored):
    """Its token is free by then, so a retry must not repeat the draw."""
    obj, free_token = item(name='interrupted', n=1), draws.free_token

    def interrupted(draw):
        free_token(draw)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(insert_one, 'free_token', interrupted)
    with pytest.raises(KeyboardInterrupt):
        obj.save()
    item(name='other', n=2).save()
    obj.save()
    assert [row[:2] for row in contents(item)] == [('interrupted', 1), ('other', 2)]


@pytest.mark.parametrize('why', ['the server is full', 'no connection is free'])
def test_a_save_that_stored_nothing_can_be_made_at_any_time(raw, item, monkeypatch, why, stored):
    obj, executor = item(name='new', n=1), RecordingExecutor([PoolExhaustedError()])
    if why == 'the server is full':
        raw.config_set('maxmemory', 1)
        with pytest.raises(OutOfMemoryError):
            obj.save()
        raw.config_set('maxmemory', 0)
    else:
        with pytest.raises(PoolExhaustedError):
            executor.run(saving.save(item._validated(), [obj], [None]))
    monkeypatch.setattr(draws, 'EXPIRED', timedelta(0))
    obj.save()
    assert [row[:2] for row in contents(item)] == [('new', 1)]
    assert len(notes(raw)) == 1


def test_a_staged_index_set_of_the_value_drawn_is_no_note(raw, item):
    raw.sadd('_ir_|Item:tmp:TOKEN:idx:name:drawn', 5)
    assert item.objects.info().workKeys == 1
    assert item.deleter.destroyModel() == 1
    assert raw.keys() == []


def test_a_note_of_junk_is_replaced(raw, item, monkeypatch, stored):
    for junk in (lambda key: raw.set(key, 'junk'), lambda key: raw.sadd(key, 'junk')):
        monkeypatch.setattr(draws, '_free', [])
        monkeypatch.setattr(draws, 'new_token', lambda: b'TOKEN')
        raw.delete('_ir_|Item:tmp:TOKEN:drawn')
        junk('_ir_|Item:tmp:TOKEN:drawn')
        item(name='new', n=1).save()
        number, pk, *_ = raw.get('_ir_|Item:tmp:TOKEN:drawn').split()
        assert (number, int(pk)) == (b'1', item.objects.last().getPk())


def test_threads_share_no_draw(raw, item, stored):
    with ThreadPoolExecutor(8) as threads:
        objs = [item(name=f'new {number}', n=1) for number in range(200)]
        list(threads.map(lambda obj: obj.save(), objs))
    assert sorted(obj.getPk() for obj in objs) == [*range(1, 201)]
    assert item.objects.count() == 200
    assert 1 <= len(notes(raw)) <= 8


FORK = """
import os
from IndexedRedis._core.writes.inserts import draws
draws.free_token(draws.new_draw())
(parent,) = draws._free
child = os.fork()
mine = draws.new_draw()
assert (mine.token == parent.token) == bool(child)
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_process_draws_under_other_tokens():
    subprocess.run([sys.executable, '-c', FORK], check=True)
