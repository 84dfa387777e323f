"""Writes that replicas confirm. The rule: real servers, a primary and a replica that stops and goes
on when the test says so."""

from __future__ import annotations

import contextlib
import time

import pytest
from house.twins import only_asyncio

import IndexedRedis as IR
from faults.item import edition
from IndexedRedis import NotAcknowledgedError
from IndexedRedis._core.writes import acknowledging, sizes
from IndexedRedis.executors.recording import recordTrips


@pytest.fixture(params=['sync', 'aio'], autouse=True)
def executor(request, redis_params, monkeypatch):
    """Has each test run over threads, then over asyncio."""
    with only_asyncio(monkeypatch) if request.param == 'aio' else contextlib.nullcontext():
        yield


@pytest.fixture
def replica(server, raw, new_server):
    """A replica of the server, with all that the server has."""
    raw.config_set('repl-diskless-sync-delay', 0)
    second = new_server(replicaof=f'{server.host} {server.port}')
    with second.client() as client:
        end = time.monotonic() + 20
        while client.info('replication')['master_link_status'] != 'up':
            assert time.monotonic() < end, 'the replica did not connect'
            time.sleep(0.02)
    catch_up(raw)
    return second


def catch_up(raw):
    """Until the replica confirms a write."""
    raw.set('caught up', 1)
    assert raw.wait(1, 20_000)
    raw.delete('caught up')


@pytest.fixture
def song(make_model):
    return make_model(['name', 'n', 'edition'], indexed=['n', 'edition'], ACKNOWLEDGED_BY=1)


@pytest.fixture
def hurried(monkeypatch):
    """Waits a short time for replicas: for tests in which none will answer."""
    monkeypatch.setattr(acknowledging, 'WAIT_MS', 50)


@pytest.fixture
def frozen(replica, raw):
    """`with frozen():` the replica answers nothing, for which no write waits long; afterwards it
    gets what was written."""

    @contextlib.contextmanager
    def freeze():
        replica.freeze()
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(acknowledging, 'WAIT_MS', 50)
                yield
        finally:
            replica.resume()
            catch_up(raw)

    return freeze


def stored_in(replica, key):
    with replica.client() as client:
        return client.exists(key)


def test_a_replica_has_what_was_saved_and_deleted_when_the_call_returns(replica, song):
    objs = edition(song, 1, 3)
    for number, obj in enumerate(objs, 1):
        obj.save()
        assert stored_in(replica, f'_ir_|{song.KEY_NAME}:data:{number}')
    objs[0].name = 'other'
    objs[0].save()
    with replica.client() as client:
        assert client.hget(f'_ir_|{song.KEY_NAME}:data:1', 'name') == b'other'
    objs[0].delete()
    assert not stored_in(replica, f'_ir_|{song.KEY_NAME}:data:1')


def other_ways(song):
    """Each way to write but a save and a delete of one object, by name."""
    return {
        'list': lambda: song.saver.save(edition(song, 1, 30)),
        'update': lambda: song.objects.filter(n=3).update(n=4),
        'filtered delete': lambda: song.objects.filter(n=3).delete(),
        'delete by pk': lambda: song.deleter.deleteByPk(1),
        'delete by pks': lambda: song.deleter.deleteMultipleByPks(range(1, 40)),
        'create': lambda: song.objects.create(name='x'),
        'reindex': lambda: song.objects.reindex(),
        'reset': lambda: song.reset(edition(song, 2, 40)),
        'changes': lambda: IR.resetChanged({song: edition(song, 3, 5)}, {song: ['n']}),
        'repair': lambda: song.objects.repair(),
        'destroy': lambda: song.deleter.destroyModel(),
    }


@pytest.mark.parametrize('us', [sizes.SCRIPT_US, 100], ids=['one script', 'in steps'])
def test_each_way_to_write_waits_for_the_replica(frozen, song, us, monkeypatch):
    monkeypatch.setattr(sizes, 'SCRIPT_US', us)
    song.saver.save(edition(song, 1, 50))
    for name, write in other_ways(song).items():
        with frozen(), pytest.raises(NotAcknowledgedError, match='0 of 1 replicas'):
            write()
        write()
        assert name


def test_without_a_replica_each_write_raises_and_the_object_is_stored_once(song, hurried, raw):
    obj = song(name='x', n=1)
    for _ in range(3):
        with pytest.raises(NotAcknowledgedError) as caught:
            obj.save()
        assert obj.hasUnsavedChanges()
    assert isinstance(caught.value, TimeoutError)
    assert str(caught.value).startswith(f'{song.KEY_NAME}: 0 of 1 replicas confirmed')
    assert song.objects.count() == 1


@pytest.mark.parametrize('lost', [0, 2], ids=['script', 'wait'])
@pytest.mark.parametrize('change', ['insert', 'update', 'delete'])
def test_a_resend_on_another_connection_waits_for_what_the_first_one_wrote(
    replica, frozen, song, proxy, change, lost
):
    for _ in range(2):  # so that the server knows the scripts
        obj = song(name='x', n=0)
        obj.save()
        obj.n = 1
        obj.save()
    obj = song(name='x', n=1) if change == 'insert' else obj
    IR.setDefaultRedisConnectionParams(proxy.params)
    assert song.deleter.deleteByPk(99) == 0  # after the question at the first write
    obj.n = 2
    write = obj.delete if change == 'delete' else obj.save
    with frozen():
        proxy.fault(1 + lost, 'lost')
        with pytest.raises(NotAcknowledgedError):
            write()
        assert proxy.happened == 1
        assert proxy.commands[lost] == (b'WAIT' if lost else b'EVALSHA')
        IR.clearRedisPools()  # so the next try has a connection that has written nothing
        with pytest.raises(NotAcknowledgedError):
            write()
    write()
    last = f'_ir_|{song.KEY_NAME}:data:{3 if change == "insert" else 2}'
    assert stored_in(replica, last) == (change != 'delete')
    assert song.objects.count() == {'insert': 3, 'update': 2, 'delete': 1}[change]
    assert song.objects.filter(n=2).count() == (change != 'delete')


def test_linked_objects_wait_as_their_own_model_asks(frozen, make_model, song):
    from IndexedRedis.fields import IRForeignLinkField

    album = make_model(['name', IRForeignLinkField('song', song)])
    with frozen():
        album(name='alone').save()
        with pytest.raises(NotAcknowledgedError):
            album(name='x', song=song(name='y')).save()


def test_a_model_without_it_sends_what_it_always_sent(make_model, raw):
    plain = make_model(['name'])
    with recordTrips() as trips:
        obj = plain(name='x')
        obj.save()
        obj.name = 'y'
        obj.save()
        plain.saver.save([plain(name='z'), plain(name='w')])
        plain.objects.update(name='v')
        obj.delete()
    names = {command[0] for trip in trips for command in trip}
    assert names.isdisjoint({'WAIT', 'SET'})
