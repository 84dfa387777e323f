"""reload, refetch and reindex. The rule: they bring what is stored, and say what differed."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import IRField, ObjectGoneError, UnreadableValueError, irNull


def test_reload_overwrites_local_values_and_tells_both(song):
    song(title='a', artist='x', year=1, tags=[1]).save()
    mine, other = song.objects.get(1), song.objects.get(1)
    other.title, other.year, other.tags = 'b', irNull, [2]
    other.save()
    mine.artist = 'local'
    assert mine.reload() == {
        'title': ('a', 'b'),
        'artist': ('local', 'x'),
        'year': (1, irNull),
        'tags': ([1], [2]),
    }
    assert (mine.title, mine.artist, mine.year, mine.tags) == ('b', 'x', irNull, [2])
    assert not mine.hasUnsavedChanges()
    assert mine.reload() == {}


def test_a_local_value_that_another_stored_meanwhile_is_no_change_any_more(song):
    song(title='a').save()
    mine, other = song.objects.get(1), song.objects.get(1)
    mine.title = other.title = 'b'
    other.save()
    assert mine.reload() == {}
    assert not mine.hasUnsavedChanges()


def test_after_a_reload_a_save_knows_what_is_stored(song):
    song(artist='a').save()
    mine, other = song.objects.get(1), song.objects.get(1)
    other.artist = 'b'
    other.save()
    mine.reload()
    mine.artist = 'c'
    mine.save()
    counts = [song.objects.filter(artist=name).count() for name in 'abc']
    assert counts == [0, 0, 1]


def test_reload_of_what_is_not_stored_is_a_KeyError(song):
    obj = song(title='a')
    with pytest.raises(ObjectGoneError, match='never saved') as caught:
        obj.reload()
    assert isinstance(caught.value, KeyError)
    obj.save()
    song.deleter.deleteByPk(1)
    with pytest.raises(ObjectGoneError, match='pk 1 '):
        obj.reload()
    assert obj.title == 'a'


@pytest.mark.plain_model
@pytest.mark.damaged
def test_a_value_that_could_not_be_read_can_be_reloaded_once_it_was_mended(make_model, raw):
    model = make_model([IRField('n', valueType=int), IRField('s')])
    model(n=1, s='a').save()
    data = f'_ir_|{model.KEY_NAME}:data:1'
    raw.hset(data, 'n', 'x')
    obj = model.objects.get(1)
    with pytest.raises(UnreadableValueError):
        obj.n
    raw.hset(data, 'n', '2')
    obj.reload()
    assert (obj.n, obj.s) == (2, 'a')


def test_a_list_reloads_each_object_and_gives_the_exception_of_those_gone(songs):
    found = songs.objects.filter(artist='Abba').allByAge()
    other = songs.objects.get(2)
    other.title = 'changed'
    other.save()
    songs.deleter.deleteByPk(3)
    first, second, third = found.reload()
    assert (first, second) == ({}, {'title': ('Honey, Honey', 'changed')})
    assert isinstance(third, ObjectGoneError)
    assert found[1].title == 'changed'


def test_refetch_gives_a_new_list_by_the_same_pks(songs):
    found = songs.objects.filter(artist='Abba').allByAge()
    found[0].title = 'local'
    songs.deleter.deleteByPk(2)
    fresh = found.refetch()
    assert [getattr(obj, 'title', None) for obj in fresh] == ['Waterloo', None, 'Fernando']
    assert found[0].title == 'local'
    found.append(songs(title='never saved'))
    assert len(found.refetch()) == 3
    assert found[:0].refetch() == []


@pytest.mark.plain_model
@pytest.mark.damaged
def test_reindex_puts_objects_into_the_indexes_of_their_values(songs, raw):
    prefix = f'_ir_|{songs.KEY_NAME}:'
    before = dump(raw)
    indexes = [key for key in before if key.startswith(f'{prefix}idx:'.encode())]
    raw.delete(*indexes)
    assert songs.objects.filter(artist='Abba').all() == []
    assert songs.objects.reindex() == 6
    assert dump(raw) == before


def test_a_field_that_became_indexed_is_found_after_reindex(make_model):
    old = make_model(['a', IRField('b', hashIndex=True)], indexed=['a'], key_name='Grown')
    old.saver.save([old(a='x', b='y'), old(a='x')])
    new = make_model(['a', IRField('b', hashIndex=True)], indexed=['a', 'b'], key_name='Grown')
    assert new.objects.filter(b='y').all() == []
    assert new.objects.reindex() == 2
    assert [obj._id for obj in new.objects.filter(b='y').all()] == [1]
    assert [obj._id for obj in new.objects.filter(a='x', b__ne='y').all()] == [2]
    old.KEY_NAME = 'Elsewhere'  # the old definition does not know the new index


def test_reindex_of_a_query_takes_only_its_objects(songs, raw):
    assert songs.objects.filter(artist='Abba').reindex() == 3
    assert songs.objects.filter(artist='nobody').reindex() == 0


def test_a_model_without_indexes_can_be_reindexed(make_model):
    model = make_model(['a'])
    model(a='x').save()
    assert model.objects.reindex() == 0
    assert model.objects.all()[0].a == 'x'


def test_a_list_with_places_of_gone_objects_can_be_reloaded_saved_and_deleted(song):
    song.saver.save([song(title='a'), song(title='b')])
    found = song.objects.getMultiple([1, 99, 2])
    first, gone, second = found.reload()
    assert (first, second) == ({}, {})
    assert isinstance(gone, KeyError)
    found[0].title = 'c'
    assert found.save() == [1, 2]
    assert song.objects.get(1).title == 'c'
    assert found.delete() == 2
    assert song.objects.count() == 0
