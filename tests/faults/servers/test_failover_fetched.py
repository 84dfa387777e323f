"""Fetched objects after a failover. The rule: what was fetched from a primary that was replaced
reaches no stranger, however it was fetched; what was fetched honestly is never refused."""

from __future__ import annotations

import asyncio
import pickle

import pytest

import IndexedRedis as IR
from faults.failover import (
    RECORD,
    Artist,
    Plain,
    Song,
    fails,
    reload_and_save,
    saved_or_gone,
    titles,
)
from IndexedRedis import ObjectGoneError
from IndexedRedis._core.queries import fetch
from IndexedRedis._core.queries.ordering import plan
from IndexedRedis._core.queries.sources import one, union
from IndexedRedis._core.writes import sizes

MODELS = pytest.mark.parametrize('model', [Song, Plain])
LISTS = pytest.mark.parametrize('us', [sizes.SCRIPT_US, 0], ids=['one script', 'in steps'])


def fetched(model, pk, monkeypatch, genre='y'):
    """The object of the last pk, the only one of its genre, fetched in each way there is."""
    objects, mine = model.objects, model.objects.filter(genre=genre)
    either = objects.filter(genre__in=[genre, 'no'])
    found = [
        objects.get(pk),
        objects.getMultiple([10**6, pk])[1],
        objects.getMultiple([pk, *range(10**6, 10**6 + 300)])[0],  # in chunks
        objects.allByAge()[-1],
        mine.all()[0],
        *(mine.first(), mine.last(), mine.random()),
        *(mine.get(), objects.get(genre=genre), objects.getOrCreate(genre=genre)[0]),
        *(either.all()[0], either.first(), objects.filter(pk__in=[pk]).all()[0]),
        *(objects.inBulk([pk])[pk], *mine.iterator(), list(objects.iterator(chunk=1))[-1]),
        *(mine.only('title').all()[0], mine.only('title').first()),
        mine.allOnlyFields(['title'])[0],
        objects.getOnlyFields(pk, ['title']),
        *([pickle.loads(pickle.dumps(objects.get(pk)))] if model in (Song, Plain) else []),
        *(
            mine.orderBy('title').first(),
            mine.orderBy('-title').page().objects[0],
            mine[:1].first(),
        ),
        *(mine.orderBy(field).all()[0] for field in ('title', 'genre', 'pk')),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(plan, 'ROW_VALUES', -1)  # the walk returns the pks only
        found.append(mine.orderBy('title').first())
        patch.setattr(plan, 'clauses_of', lambda keys, filters: None)  # all matches are gathered
        found.append(mine.orderBy('title').first())
    with monkeypatch.context() as patch:
        patch.setattr(plan, 'WALK_US', 1)  # a step meets one member, so the match comes late
        patch.setattr(plan, 'SMALL_SET', 0)
        found.append(mine.orderBy('title').first())  # gathered
        found.append(mine.filter(genre__ne='no').orderBy('title').first())  # sifted
        patch.setattr(union, 'UNION_SETS', 0)  # the server intersects the sets one by one
        found += [either.all()[0], either.first()]
    with monkeypatch.context() as patch:
        patch.setattr(fetch, 'SMALL_RESULT_ROWS', 0)  # the script returns the pks only
        patch.setattr(one, 'PICK_MEMBERS', 0)
        found += [mine.all()[0], either.all()[0], objects.allByAge()[-1], mine.first()]
        found.append(objects.last())
        patch.setattr(one, 'FIND_MEMBERS_OF_ONE_SET', 0)  # the pks come by a command
        found += [mine.all()[0], objects.allByAge()[-1]]
        patch.setattr(fetch, 'READ_ATTEMPTS', 1)
        with monkeypatch.context() as replaced:
            replaced.setattr(fetch._RowTransfer, 'replaced', True)
            found += [mine.all()[0], either.all()[0]]  # one script returns everything
    assert [obj._id for obj in found] == [pk] * len(found)
    return found


def stranger_of(pair, model):
    """The pk of an object that the old primary has acknowledged too late, and that its replica, a
    primary by now, has given to a stranger."""
    here, there = model, model.connectAlt(pair.there)
    here(title='before', genre='x').save()
    pair.promote()
    (pk,) = here(title='lost', genre='y').save()
    assert there(title='stranger', genre='y').save() == [pk]
    return pk


@MODELS
def test_it_reaches_no_stranger(pair, monkeypatch, model):
    pk = stranger_of(pair, model)
    found, others = fetched(model, pk, monkeypatch), fetched(model, pk, monkeypatch)
    pair.end_old()
    for obj, other in zip(found, others, strict=True):
        obj.title = 'changed'
        fails(obj.save, pk)
        fails(other.reload, pk)
        other.genre = 'changed'
        fails(lambda: model.saver.save([model.objects.first(), other]), pk)  # noqa: B023
        obj.delete()
    there = model.connectAlt(pair.there)
    assert titles(there) == ['before', 'stranger']
    assert there.objects.filter(genre='y').count() == 1
    again = others[0].copy()
    again.save()
    assert titles(there) == ['before', 'stranger', 'lost']
    assert there.objects.check().ok


@LISTS
def test_lists_of_them_reach_none(pair, monkeypatch, us):
    pk = stranger_of(pair, Song)
    monkeypatch.setattr(sizes, 'SCRIPT_US', us)
    saved, deleted = Song.objects.allByAge(), Song.objects.allByAge()
    pair.end_old()
    for obj in saved:
        obj.genre = 'changed'
    fails(lambda: Song.saver.save(saved), pk)
    there = Song.connectAlt(pair.there)
    assert there.objects.filter(genre='changed').count() == 0
    Song.deleter.deleteMultiple(deleted)
    assert titles(there) == ['stranger']


def test_linked_objects_reach_none(pair):
    here, there = Song, Song.connectAlt(pair.there)
    here(title='before', artist=Artist(name='before')).save()
    pair.promote()
    here(title='lost', artist=Artist(name='lost')).save()
    elsewhere = Artist.connectAlt(pair.there)
    elsewhere(name='stranger').save()
    there(title='stranger').save()
    holders = [*(here.objects.last() for _ in range(2)), here.objects.last(cascadeFetch=True)]
    targets = [holder.artist for holder in holders]
    first = here.objects.first()
    first.artist = targets[0]
    pair.end_old()
    for target in targets:
        assert target.name == 'lost'
        target.name = 'changed'
        fails(target.save, 2)
        fails(lambda: here.saver.save(here(title='new', artist=target)), 2)  # noqa: B023
    assert list(first.reload()) == ['artist']
    assert first.artist.name == 'before'
    assert [each.name for each in elsewhere.objects.allByAge()] == ['before', 'stranger']


def test_objects_of_resetChanged_reach_none(pair):
    here, there = Song, Song.connectAlt(pair.there)
    here(title='before', genre='x').save()
    pair.promote()
    objs = [here(title='kept', genre='x'), here(title='lost', genre='y')]
    IR.resetChanged([(here, objs)], {here: 'genre'})
    there(title='stranger', genre='y').save()
    assert [obj._id for obj in objs] == [1, 2]
    pair.end_old()
    for obj in objs:
        obj.title = 'changed'
    objs[0].save()
    fails(objs[1].save, 2)
    assert titles(there) == ['changed', 'stranger']


def test_asyncio(pair):
    async def main():
        here, there = Song, Song.connectAlt(pair.there)
        await here(title='before', genre='x').asave()
        pair.promote()
        await here(title='lost', genre='y').asave()
        await there(title='stranger', genre='y').asave()
        mine = here.objects.filter(genre='y')
        found = [
            *await asyncio.gather(*(here.objects.aget(2) for _ in range(10))),  # in one write
            *(await mine.afirst(), (await mine.aall())[0]),
            *[obj async for obj in mine],
        ]
        pair.end_old()
        for obj in found:
            obj.title = 'changed'
            for call in (obj.asave, obj.areload):
                with pytest.raises(ObjectGoneError):
                    await call()
        await found[0].adelete()
        assert [obj.title for obj in await there.objects.aallByAge()] == ['before', 'stranger']
        await IR.aclose()

    asyncio.run(main())


@MODELS
def test_an_ordinary_failover_gives_no_error(pair, monkeypatch, model):
    """Neither for objects of before it, nor over a connection of before it: promotion leaves the
    clients of the replica connected."""
    here, there = model, model.connectAlt({**pair.there, 'max_connections': 1})
    here(title='first', genre='x').save()
    pk = here(title='old', genre='y').save()[0]
    pair.wait()
    found = [*fetched(here, pk, monkeypatch), *fetched(there, pk, monkeypatch)]
    with pair.new.client() as client:
        clients = {each['id'] for each in client.client_list(_type='normal')}
        clients.remove(str(client.client_id()))
        assert clients
    pair.promote()
    pair.end_old()
    found += fetched(there, pk, monkeypatch)  # nothing was drawn yet
    (new,) = there(title='new', genre='z').save()
    found += fetched(there, new, monkeypatch, 'z')
    with pair.new.client() as client:
        assert {each['id'] for each in client.client_list(_type='normal')} >= clients
        assert len(client.get(RECORD).splitlines()) == 2
    reload_and_save(found)
    for obj in found:
        obj.title = 'changed'
        obj.save()
    assert titles(there) == ['first', 'changed', 'changed']


def test_a_primary_that_gets_its_first_replica(new_server):
    """Its replication id changes then, and its clients stay."""
    server = new_server(repl_diskless_sync_delay='0')
    model = Song.connectAlt({**server.params, 'max_connections': 1})
    model(title='before').save()
    found = [model.objects.get(1)]
    with server.client() as client:
        before = client.info('replication')['master_replid']
        replica = new_server(replicaof=f'{server.host} {server.port}')
        with replica.client() as other:
            while other.info('replication')['master_link_status'] != 'up':
                pass
        assert client.info('replication')['master_replid'] != before
        found.append(model.objects.get(1))
        model(title='after').save()
        found.append(model.objects.get(2))
        assert len(client.get(RECORD).splitlines()) == 2
    for obj in found:
        obj.title = 'changed'
        obj.save()
    assert titles(model) == ['changed', 'changed']
    IR.clearRedisPools()


@pytest.mark.parametrize('loses', [False, True], ids=['with persistence', 'without'])
def test_restarts(new_server, loses):
    """Two of them, so that nothing was drawn under the replication id in between."""
    server = new_server(**({} if loses else {'appendonly': 'yes', 'appendfsync': 'always'}))
    model = Song.connectAlt(server.params)
    model.saver.save([model(title='old') for _ in range(3)])
    found = model.objects.allByAge()
    server.restart()
    found += model.objects.allByAge()
    server.restart()
    model.saver.save([model(title='new') for _ in range(3)])
    saved_or_gone(model, found, loses)
    IR.clearRedisPools()


@pytest.mark.telling
def test_what_a_client_side_cache_returns(pair):
    class Cached(Song):
        CLIENT_SIDE_CACHE = 10

    pk = stranger_of(pair, Cached)
    Cached.objects.get(pk)
    with IR.connections.recordTrips() as trips:
        obj = Cached.objects.get(pk)
    assert trips == []
    pair.end_old()
    obj.title = 'changed'
    fails(obj.save, pk)


def test_a_reader_without_INFO(pair):
    """It needs no right for it: the record is part of the data."""
    with pair.old.client() as client:
        rules = ['on', '>secret', '~*', '+@all', '-info']
        client.execute_command('ACL SETUSER', 'reader', *rules)
    pk = stranger_of(pair, Song)
    reader = Song.connectAlt({**pair.here, 'username': 'reader', 'password': 'secret'})
    obj = reader.objects.get(pk)
    pair.end_old()
    obj.title = 'changed'
    fails(lambda: Song.saver.save(obj), pk)


def test_what_a_writer_without_INFO_has_stored(pair):
    """It begins no incarnation. So what others fetch of its objects is never refused."""
    here, there = Song, Song.connectAlt(pair.there)
    here(title='before').save()
    pair.promote()
    pair.end_old()
    with pair.new.client() as client:
        rules = ['on', '>secret', '~*', '+@all', '-info']
        client.execute_command('ACL SETUSER', 'limited', *rules)
    limited = Song.connectAlt({**pair.there, 'username': 'limited', 'password': 'secret'})
    for _ in range(2):
        limited(title='limited').save()
    found = there.objects.allByAge()
    there(title='after').save()
    found += there.objects.allByAge()
    with pair.new.client() as client:
        assert len(client.get(RECORD).splitlines()) == 2
    reload_and_save(found)
    assert titles(there) == ['changed 3', 'changed 4', 'changed 5', 'changed 6']


def test_what_was_fetched_around_a_reset_of_6_0_3(pair):
    """It deletes all keys, the record and the counter too, and stores objects under 1, 2, ..."""
    here, there = Song, Song.connectAlt(pair.there)
    here.saver.save([here(title='before') for _ in range(5)])
    before = here.objects.allByAge()
    with pair.old.client() as client:
        client.delete(*client.keys('_ir_|Song:*'))
        for pk in (1, 2):
            client.hset(f'_ir_|Song:data:{pk}', mapping={'title': '6.0.3', 'genre': ''})
            client.sadd('_ir_|Song:keys', pk)
            client.sadd('_ir_|Song:idx:genre:', pk)
        client.set('_ir_|Song:next', 2)
    after = here.objects.allByAge()
    here(title='after').save()
    after.append(here.objects.get(3))
    pair.promote()
    here(title='lost').save()
    lost = here.objects.get(4)
    pair.end_old()
    there(title='stranger').save()
    for obj in after:
        obj.title = 'changed'
        obj.save()
    for obj in (before[4], lost):
        obj.title = 'changed'
        fails(obj.save, obj._id)
    assert titles(there) == ['changed', 'changed', 'changed', 'stranger']
