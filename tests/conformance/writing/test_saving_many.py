"""Saving lists. The rule: all of a list or none of it, pks in its order."""

from __future__ import annotations

import pytest
from support.keyspace import dump, key_names, served

from IndexedRedis import (
    FieldValueError,
    ObjectGoneError,
    ResetInProgressError,
    UsageError,
    WrongKeyTypeError,
)
from IndexedRedis._core.locking import locks


def test_new_objects_get_pks_in_the_order_of_the_list(song):
    assert song.saver.save([song(title=str(i)) for i in range(5)]) == [1, 2, 3, 4, 5]
    assert [obj.title for obj in song.objects.allByAge()] == ['0', '1', '2', '3', '4']


@pytest.mark.parametrize('method', ['save', 'saveMultiple'])
@pytest.mark.parametrize('kind', [list, tuple, iter])
def test_any_iterable_of_objects_is_taken(song, method, kind):
    save = getattr(song.saver, method)
    assert save(kind([song(title='a'), song(title='b')])) == [1, 2]
    assert save(kind([song(title='c')])) == [3]
    assert save(kind([])) == []


def test_new_changed_and_unchanged_objects_go_together(songs, raw):
    one, two = songs.objects.get(1), songs.objects.get(2)
    one.artist = 'changed'
    assert songs.saver.save([songs(title='new'), one, two]) == [7, 1, 2]
    assert songs.objects.filter(artist='changed').getPrimaryKeys() == [1]
    assert songs.objects.get(7).title == 'new'


def test_thousands_of_objects_in_one_save(song):
    objs = [song(title=f't{i}', artist=f'a{i % 7}', year=i % 3) for i in range(3000)]
    assert song.saver.save(objs) == list(range(1, 3001))
    assert song.objects.count() == 3000
    assert song.objects.filter(artist='a3', year=0).count() == 143
    assert [obj._id for obj in objs[:3]] == [1, 2, 3]
    assert not objs[2999].hasUnsavedChanges()


def test_thousands_of_changed_objects_in_one_save(song):
    song.saver.save([song(title=f't{i}', artist='a') for i in range(1500)])
    found = song.objects.allByAge()
    for obj in found:
        obj.artist = f'b{obj._id % 2}'
    assert found.save() == list(range(1, 1501))
    assert song.objects.filter(artist='a').count() == 0
    assert song.objects.filter(artist='b1').count() == 750


@pytest.mark.plain_model
def test_a_bulk_insert_takes_few_commands(song, raw):
    objs = [song(title=f't{i}', artist='same', year=1) for i in range(200)]
    with served(raw) as commands:
        song.saver.save(objs)
    assert commands['hset'] == 200
    assert commands['sadd'] == 4  # :keys and one set for each indexed field


@pytest.mark.plain_model
def test_a_larger_one_holds_up_the_server_for_a_hundred_rows_at_a_time(song, raw):
    first, objs = (
        [song(title=f't{i}', artist='same', year=1) for i in range(size)] for size in (400, 900)
    )
    song.saver.save(first)  # the server knows the scripts then, so that nothing is sent again
    song.deleter.destroyModel()
    with served(raw) as commands:
        assert song.saver.save(objs) == list(range(401, 1301))
    assert commands['hset'] == 900 + 2  # the record says that it begins, and that it is done
    assert commands['exec'] == 9 + 2 + 1
    # What it is at; the note of sets that are written to, and these; :keys at last.
    assert commands['sadd'] == 9 + 2 * (1 + 3) + 1
    assert {key for key in dump(raw) if b':tmp:' in key} == set()
    assert (
        song.objects.filter(artist='same').count() == len(song.objects.filter(year=1).all()) == 900
    )


@pytest.mark.plain_model
def test_a_larger_one_waits_for_whoever_has_the_lock(song, raw):
    lock = song._validated().keys.lock
    raw.set(lock, 'of a reset', px=600)
    with served(raw) as commands:
        assert song.saver.save([song(title='t', artist='a') for _ in range(900)])[-1] == 900
    assert commands['exec'] == 9 + 2 + 1
    assert commands['set'] > 3, 'it did not wait'
    assert song.objects.filter(artist='a').count() == 900


@pytest.mark.plain_model
def test_a_larger_one_gives_up_waiting_before_anything_is_stored(song, raw, monkeypatch):
    monkeypatch.setattr(locks, 'WAIT_SECONDS', 0.1)
    lock = song._validated().keys.lock
    raw.set(lock, 'of a reset', ex=60)
    objs = [song(title='t', artist='a') for _ in range(900)]
    with pytest.raises(ResetInProgressError, match='another write of many objects'):
        song.saver.save(objs)
    assert set(key_names(raw)) == {song._validated().keys.next, lock}
    raw.delete(lock)
    assert song.saver.save(objs)[-1] == objs[-1]._id
    assert song.objects.count() == 900


@pytest.mark.parametrize('size', [5, 2500], ids=['at once', 'in steps'])
def test_a_list_is_written_and_deleted_whatever_its_size(song, size):
    objs = [song(title='t', artist=f'{n % 7}', year=n) for n in range(size)]
    song.saver.save(objs)
    for obj in objs:
        obj.artist = 'new'
    new = [song(title='new', artist='new', year=-n) for n in range(size // 5)]
    song.saver.save([*objs, *new])
    assert song.objects.filter(artist='new').count() == size + size // 5
    assert [obj.artist for obj in song.objects.allByAge()] == ['new'] * (size + size // 5)
    assert song.deleter.deleteMultiple(objs) == size
    assert [obj.getPk() for obj in objs] == [None] * size
    pks = [obj.getPk() for obj in new]
    assert song.deleter.deleteMultipleByPks([*pks, 10**9]) == len(new)
    assert song.objects.count() == 0


@pytest.mark.plain_model
def test_a_larger_one_that_meets_a_key_of_another_type_leaves_nothing(song, raw):
    index = song._validated().keys.index(b'artist', b'899')
    raw.set(index, 'no set')
    objs = [song(title='t', artist=f'{i}') for i in range(900)]
    with pytest.raises(WrongKeyTypeError, match='899'):
        song.saver.save(objs)
    assert set(key_names(raw)) == {song._validated().keys.next, index}
    raw.delete(index)
    assert song.saver.save(objs) == [obj._id for obj in objs]
    assert song.objects.count() == 900


@pytest.mark.plain_model
def test_one_value_that_cannot_be_stored_stops_the_whole_list(song, raw):
    objs = [song(title='good', artist='x'), song(title='bad \ud800')]
    with pytest.raises(FieldValueError, match=rf'{song.__name__}\.title'):
        song.saver.save(objs)
    assert dump(raw) == {}
    assert [obj.getPk() for obj in objs] == [None, None]
    objs[1].title = 'good'
    assert song.saver.save(objs) == [1, 2]


@pytest.mark.plain_model
def test_one_object_that_is_gone_stops_the_whole_list(songs, raw):
    one, two = songs.objects.get(1), songs.objects.get(2)
    songs.deleter.deleteByPk(2)
    one.title, two.title = 'x', 'y'
    new = songs(title='z')
    before = dump(raw)
    del before[f'_ir_|{songs.KEY_NAME}:next'.encode()]  # a reserved pk may stay unused
    with pytest.raises(ObjectGoneError, match='pk 2 '):
        songs.saver.save([new, one, two])
    after = dump(raw)
    assert int(after.pop(f'_ir_|{songs.KEY_NAME}:next'.encode())) >= 6
    assert after == before
    assert new.getPk() is None
    assert one.getUpdatedFields() == {'title': ('Waterloo', 'x')}


def test_the_same_object_twice_is_refused(song, raw):
    obj = song(title='a')
    with pytest.raises(UsageError, match='twice'):
        song.saver.save([obj, obj])
    assert dump(raw) == {}
    assert obj.save() == [1]


def test_two_objects_of_one_pk_are_refused(song, raw):
    song(title='a').save()
    one, other = song.objects.get(1), song.objects.get(1)
    one.title, other.title = 'b', 'c'
    before = dump(raw)
    with pytest.raises(UsageError, match='pk 1 '):
        song.saver.save([one, other])
    assert dump(raw) == before


def test_a_result_saves_itself(songs):
    found = songs.objects.filter(artist='Abba').allByAge()
    for obj in found:
        obj.artist = 'ABBA'
    assert found.save() == [1, 2, 3]
    assert songs.objects.filter(artist='ABBA').count() == 3
    assert songs.objects.filter(artist='nobody').all().save() == []
