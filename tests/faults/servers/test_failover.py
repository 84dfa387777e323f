"""Pks after a failover, of objects that are saved by the handle that stored them. The rule: what
the old primary acknowledged too late has a stranger on the new one."""

from __future__ import annotations

import asyncio
import pickle
from random import Random

import pytest
from redis.exceptions import ConnectionError

import IndexedRedis as IR
from faults.failover import (
    RECORD,
    Artist,
    Plain,
    Song,
    fails,
    saved_or_gone,
    stranger_of,
    titles,
)
from IndexedRedis import ObjectGoneError
from IndexedRedis._core.incarnations import IS_LOST, is_lost
from IndexedRedis._core.writes import sizes

NEXT = '_ir_|Song:next'
# How a list is written.
LISTS = pytest.mark.parametrize('us', [sizes.SCRIPT_US, 0], ids=['one script', 'in steps'])


@pytest.mark.parametrize('model', [Song, Plain])
@pytest.mark.parametrize('field', ['title', 'genre'])
def test_an_update_does_not_reach_a_stranger(pair, model, field):
    (lost,), (stranger,) = stranger_of(pair, model)
    setattr(lost, field, 'changed')
    pair.end_old()
    fails(lost.save, lost._id)
    assert lost.hasUnsavedChanges()
    there = model.connectAlt(pair.there)
    assert titles(there) == ['before', 'stranger 0']
    assert there.objects.get(stranger._id).genre == 'x'
    again = lost.copy()
    again.save()
    assert again._id == 3
    again.title = 'changed again'
    again.save()
    assert titles(there) == ['before', 'stranger 0', 'changed again']


@LISTS
def test_a_list_with_a_stranger_is_not_written(pair, monkeypatch, us):
    monkeypatch.setattr(sizes, 'SCRIPT_US', us)
    lost, _ = stranger_of(pair, count=3)
    first = Song.objects.first()
    pair.end_old()
    for obj in (first, *lost):
        obj.genre = 'changed'
    fails(lambda: Song.saver.save([first, *lost]), lost[0]._id)
    there = Song.connectAlt(pair.there)
    assert titles(there) == ['before', 'stranger 0', 'stranger 1', 'stranger 2']
    assert there.objects.filter(genre='x').count() == 4
    assert there.objects.check().ok


@LISTS
def test_a_delete_does_not_reach_a_stranger(pair, monkeypatch, us):
    monkeypatch.setattr(sizes, 'SCRIPT_US', us)
    lost, _ = stranger_of(pair, count=3)
    first = Song.objects.first()
    pair.end_old()
    lost[0].delete()
    Song.deleter.deleteMultiple([*lost[1:], first])
    assert [obj._id for obj in (*lost, first)] == [None] * 4
    there = Song.connectAlt(pair.there)
    assert titles(there) == ['stranger 0', 'stranger 1', 'stranger 2']
    assert there.objects.check().ok
    lost[0].save()  # as after any delete: stored anew
    assert lost[0]._id == 5


def test_a_reload_does_not_read_a_stranger(pair):
    (lost,), _ = stranger_of(pair)
    assert lost.reload() == {}
    pair.end_old()
    fails(lost.reload, lost._id)
    assert lost.title == 'lost 0'


def test_asyncio(pair):
    async def main():
        here, there = Song, Song.connectAlt(pair.there)
        await here(title='before', genre='x').asave()
        pair.promote()
        lost = [here(title=f'lost {n}', genre='x') for n in range(4)]
        await here.saver.asave(lost)
        await there.saver.asave([there(title=f'stranger {n}', genre='x') for n in range(4)])
        pair.end_old()
        for obj in lost:
            obj.title = 'changed'
        for call in (lost[0].asave, lambda: here.saver.asave(lost[1:]), lost[0].areload):
            with pytest.raises(ObjectGoneError):
                await call()
        await lost[3].adelete()
        found = [obj.title for obj in await there.objects.aall()]
        assert sorted(found) == ['before', *(f'stranger {n}' for n in range(4))]
        await IR.aclose()

    asyncio.run(main())


@pytest.mark.parametrize('how', ['save', 'list', 'steps', 'reset', 'reset of a generator'])
def test_objects_stored_in_any_way_are_checked(pair, monkeypatch, how):
    here, there = Song, Song.connectAlt(pair.there)
    here(title='before', genre='x').save()
    pair.promote()
    lost = [here(title=f'lost {n}', genre='x') for n in range(3)]
    if how == 'save':
        for obj in lost:
            obj.save()
    elif how.startswith('reset'):
        here.reset(lost if how == 'reset' else iter(lost))
    else:
        monkeypatch.setattr(sizes, 'SCRIPT_US', 0 if how == 'steps' else sizes.SCRIPT_US)
        here.saver.save(lost)
    there.saver.save([there(title=f'stranger {n}', genre='x') for n in range(3)])
    pair.end_old()
    for obj in lost:
        obj.title = 'changed'
        fails(obj.save, obj._id)


def test_an_ordinary_failover_gives_no_error(pair, monkeypatch):
    here, there = Song, Song.connectAlt(pair.there)
    here.reset([here(title='a'), here(title='b')])
    objs = [here(title='c', genre='x'), *(here(title='d') for _ in range(2))]
    objs[0].save()
    here.saver.save(objs[1:])
    monkeypatch.setattr(sizes, 'SCRIPT_US', 0)
    many = [here(title='e') for _ in range(3)]
    here.saver.save(many)
    monkeypatch.undo()
    pair.promote()
    pair.end_old()
    with pair.new.client() as client:
        there(title='drawn there', genre='x').save()
        assert len(client.get(RECORD).splitlines()) == 2
    for obj in (*objs, *many):
        obj.genre = 'changed'
        assert list(obj.reload()) == ['genre']
        obj.genre = 'changed'
        obj.save()
    here.saver.save([*many, *objs])
    for obj in many:
        obj.title = 'changed'
    here.saver.save(many)
    assert there.objects.filter(genre='changed').count() == 6
    here.deleter.deleteMultiple(objs)
    assert there.objects.count() == 6


@pytest.mark.parametrize('drawn', [False, True], ids=['not drawn again', 'drawn again'])
@pytest.mark.parametrize('count', [1, 3])
def test_an_insert_whose_answer_was_lost(pair, count, drawn):
    """It is stored exactly once by the new primary, and stays usable."""
    here, there = Song, Song.connectAlt(pair.there)
    here(title='before').save()
    pair.promote()
    objs = [here(title='new', artist=Artist(name='new')) for _ in range(count)]

    def fail_over():
        pair.lead_on()
        if drawn:
            there.saver.save([there(title='stranger') for _ in range(count)])
            elsewhere = Artist.connectAlt(pair.there)
            elsewhere.saver.save([elsewhere(name='stranger') for _ in range(count)])

    pair.proxy.fault(3, 'lost', fail_over)  # after a pk was drawn for each model
    here.saver.save(objs)
    assert pair.proxy.happened == 1
    strangers = ['stranger'] * count if drawn else []
    assert titles(there) == ['before', *strangers, *['new'] * count]
    assert {obj.artist.name for obj in there.objects.filter().all() if obj.artist} == {'new'}
    there(title='later').save()
    for obj in objs:
        obj.title = 'changed'
        obj.save()
    assert titles(there) == ['before', *strangers, *['changed'] * count, 'later']
    assert there.objects.check().ok


@pytest.mark.parametrize('linked', [False, True], ids=['alone', 'with a target'])
def test_an_insert_that_raised_is_saved_again_beside_a_stranger(pair, linked):
    here, there = Song, Song.connectAlt(pair.there)
    here(title='before').save()
    pair.promote()
    obj = here(title='new', genre='x', artist=Artist(name='new') if linked else None)
    # One script draws and stores a single object; else a pk is drawn for each model before.
    pair.proxy.fault(
        3 if linked else 1, 'lost', lambda: pair.proxy.lead_to({**pair.there, 'port': 1})
    )
    with pytest.raises(ConnectionError):
        obj.save()
    there(title='stranger').save()
    pair.lead_on()
    obj = pickle.loads(pickle.dumps(obj))
    obj.save()
    assert obj._id == 3
    assert titles(there) == ['before', 'stranger', 'new']


@pytest.mark.parametrize('loses', [False, True], ids=['with persistence', 'without'])
def test_a_restart(new_server, loses):
    server = new_server(**({} if loses else {'appendonly': 'yes', 'appendfsync': 'always'}))
    model = Song.connectAlt(server.params)
    objs = [model(title='old') for _ in range(3)]
    model.saver.save(objs)
    server.restart()
    model.saver.save([model(title='new') for _ in range(3)])
    saved_or_gone(model, objs, loses)
    IR.clearRedisPools()


def test_a_record_that_6_0_3_has_deleted(pair):
    """Its reset deletes all keys, the counter too, and stores objects under 1, 2, ..."""
    here, there = Song, Song.connectAlt(pair.there)
    before = [here(title='before') for _ in range(5)]
    here.saver.save(before)
    with pair.old.client() as client:
        client.delete(*client.keys('_ir_|Song:*'))
        for pk in (1, 2):
            client.hset(f'_ir_|Song:data:{pk}', mapping={'title': '6.0.3', 'genre': ''})
            client.sadd('_ir_|Song:keys', pk)
            client.sadd('_ir_|Song:idx:genre:', pk)
        client.set(NEXT, 2)
    after = here(title='after')
    after.save()
    assert after._id == 3
    pair.promote()
    pair.end_old()
    there(title='there').save()
    after.title = 'changed'
    after.save()
    before[4].title = 'changed'
    fails(before[4].save, 5)
    assert titles(there) == ['6.0.3', '6.0.3', 'changed', 'there']


def test_pks_that_6_0_3_draws(pair):
    here, there = Song, Song.connectAlt(pair.there)
    mine = here(title='mine')
    mine.save()
    for number in range(2):
        with (pair.new if number else pair.old).client() as client:
            pk = client.incr(NEXT)
            client.hset(f'_ir_|Song:data:{pk}', mapping={'title': '6.0.3', 'genre': ''})
            client.sadd('_ir_|Song:keys', pk)
            client.sadd('_ir_|Song:idx:genre:', pk)
        if not number:
            pair.promote()
            pair.end_old()
    another = here(title='another')
    another.save()
    assert another._id == 4
    for obj in (mine, another):
        obj.title = 'changed'
        obj.save()
    assert titles(there) == ['changed', '6.0.3', '6.0.3', 'changed']


def test_a_user_without_info(pair):
    """Nothing is noticed then, and nothing refused."""
    for server in (pair.old, pair.new):
        with server.client() as client:
            rules = ['on', '>secret', '~*', '+@all', '-info']
            client.execute_command('ACL SETUSER', 'limited', *rules)
    for params in (pair.here, pair.there):
        params.update(username='limited', password='secret')
    IR.setDefaultRedisConnectionParams(pair.here)
    (lost,), _ = stranger_of(pair)
    lost.title = 'changed'
    pair.end_old()
    lost.save()
    with pair.new.client() as client:
        assert not client.exists(RECORD)
        # A first write asks a plain server by INFO whether it is a node of a cluster.
        log = client.acl_log()
        assert client.info('server')['redis_version'] < '7' or all(
            each['context'] == 'toplevel' for each in log
        )
    assert titles(Song.connectAlt(pair.there)) == ['before', 'changed']


@pytest.mark.damaged
def test_a_record_of_another_type_stops_nothing(filled, raw):
    raw.delete('_ir_|Item:tmp:incarnations')
    raw.rpush('_ir_|Item:tmp:incarnations', 'x')
    obj = filled(name='new')
    obj.save()
    obj.name = 'changed'
    obj.save()
    assert obj.reload() == {}
    filled.reset([filled(name='reset'), obj])
    obj.delete()
    assert filled.objects.check().counts == {'wrong_type': 1}


def test_the_record_lists_the_latest_incarnations(filled, raw):
    record = '_ir_|Item:tmp:incarnations'
    listed = raw.get(record)
    others = b''.join(b'%040x %d\n' % (number, 30 - number) for number in range(30))
    raw.set(record, others)
    obj = filled(name='new')
    obj.save()
    assert raw.get(record) == listed.replace(b' 0', b' 50') + b''.join(others.splitlines(True)[:15])
    filled(name='another').save()
    assert len(raw.get(record).splitlines()) == 16
    obj.name = 'changed'
    obj.save()


def test_the_record_stays_with_the_counter(filled, raw):
    assert filled.objects.check().ok
    assert filled.objects.repair().ok
    assert raw.exists('_ir_|Item:tmp:incarnations')
    filled.deleter.destroyModel()
    assert {*raw.keys()} == {b'_ir_|Item:next', b'_ir_|Item:tmp:incarnations'}


def test_the_server_judges_as_this_process_does(raw):
    """The two texts that say which pk is lost."""
    ids = [letter * 40 for letter in (b'a', b'b', b'c', b'd')]
    look = IS_LOST + 'return is_lost(KEYS[1], ARGV[1], ARGV[2])'
    random, seen = Random(7), set()
    for _ in range(300):
        some = random.sample(ids, random.randint(0, 4))
        record = b''.join(b'%b %d\n' % (each, random.randint(0, 20)) for each in some)
        drawn, pk = random.choice([*ids, b'']), random.randint(1, 20)
        raw.set('record', record)
        lost = raw.eval(look, 1, 'record', drawn, pk)
        assert lost == (record if is_lost(record, drawn, pk) else None)
        seen.add(lost is None)
    assert seen == {True, False}
