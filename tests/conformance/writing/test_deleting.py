"""Deleting. The rule: the row, the listing and every index entry go together, taken from what is
stored, and doing it twice is no error."""

from __future__ import annotations

import pytest
from support.keyspace import but_counters, dump

from IndexedRedis import UsageError
from IndexedRedis._core.bulk import delete
from IndexedRedis._core.links import saving as links_saving
from IndexedRedis._core.resets import destroy
from IndexedRedis._core.script import readable


def remains(model, raw):
    """Names of the model's keys that are left, without the counter."""
    prefix = f'_ir_|{model.KEY_NAME}:'.encode()
    return [key.removeprefix(prefix).decode() for key in dump(raw) if not key.endswith(b':next')]


WAYS = {
    'the object': lambda model: model.objects.get(1).delete(),
    'its deleter': lambda model: model.deleter.deleteOne(model.objects.get(1)),
    'a list': lambda model: model.deleter.deleteMultiple([model.objects.get(1)]),
    'a result': lambda model: model.objects.all().delete(),
    'its pk': lambda model: model.deleter.deleteByPk(1),
    'pks': lambda model: model.deleter.deleteMultipleByPks(['1', 99]),
    'a filter': lambda model: model.objects.filter(artist='x').delete(),
    'a filter ne': lambda model: model.objects.filter(artist__ne='y').delete(),
    'everything': lambda model: model.objects.delete(),
    'an old handle': lambda model: model(_id=1, artist='other').delete(),
    'a partial one': lambda model: model.objects.getOnlyFields(1, ['title']).delete(),
}


@pytest.mark.plain_model
@pytest.mark.parametrize('way', WAYS)
def test_every_way_removes_every_trace(song, raw, way):
    song(title='a', artist='x', year=1, album='y', tags=[1]).save()
    assert WAYS[way](song) == 1
    assert remains(song, raw) == []


def test_the_counter_stays(song):
    song().save()
    song.objects.delete()
    assert song().save() == [2]


def test_deleting_twice_is_no_error(songs):
    obj, again = songs.objects.get(1), songs.objects.get(1)
    assert (obj.delete(), obj.delete()) == (1, 0)
    assert again.delete() == 1  # it had a pk; that it was gone is no error
    assert songs.deleter.deleteByPk(1) == 0
    assert songs.deleter.deleteMultipleByPks([1, 2, 2, 3]) == 2
    assert songs.objects.count() == 3


def test_an_object_that_was_never_saved_counts_zero(songs):
    new = songs(title='x')
    assert new.delete() == songs.deleter.deleteOne(new) == 0
    assert songs.deleter.deleteMultiple([new, songs.objects.get(1)]) == 1
    assert songs.deleter.deleteMultiple([]) == songs.deleter.deleteMultipleByPks([]) == 0
    assert songs.objects.filter(artist='nobody').all().delete() == 0


def test_a_deleted_object_can_be_saved_anew(songs):
    obj = songs.objects.get(3)
    obj.delete()
    assert obj.getPk() is None
    assert obj.hasUnsavedChanges()
    assert obj.save() == [7]
    found = songs.objects.filter(artist='Abba', year=1976).first()
    assert (found._id, found.title, found.tags) == (7, 'Fernando', ['Fernando'])


@pytest.mark.plain_model
def test_what_another_process_stored_meanwhile_leaves_the_index_too(song, raw):
    song(artist='old', year=1).save()
    mine, other = song.objects.get(1), song.objects.get(1)
    other.artist, other.year = 'new', 2
    other.save()
    mine.delete()
    assert remains(song, raw) == []


@pytest.mark.plain_model
def test_unsaved_changes_of_the_object_do_not_mislead(song, raw):
    song(artist='stored', year=1).save()
    obj = song.objects.get(1)
    obj.artist, obj.year = 'changed', 2
    obj.delete()
    assert remains(song, raw) == []


def test_objects_that_do_not_match_stay(songs):
    assert songs.objects.filter(artist='Abba', year__ne=1976).delete() == 2
    assert songs.objects.getPrimaryKeys(sortByAge=True) == [3, 4, 5, 6]
    assert songs.objects.filter(year=1976).count() == 2


@pytest.mark.plain_model
@pytest.mark.parametrize('size', [1, 2, 3, 7])
def test_a_filtered_delete_in_several_chunks(song, raw, check, monkeypatch, size):
    monkeypatch.setattr(delete, 'CHUNK', size)
    artists = ['x', 'y', 'x', 'x', 'y', 'x', 'x', 'x', 'x']
    song.saver.save([song(title=f'{n}', artist=each) for n, each in enumerate(artists)])
    raw.srem(f'_ir_|{song.KEY_NAME}:keys', 3, 4)  # deleted long ago, and left behind in the index
    raw.delete(f'_ir_|{song.KEY_NAME}:data:3', f'_ir_|{song.KEY_NAME}:data:4')
    assert song.objects.filter(artist='x').delete() == 5
    assert sorted(song.objects.getPrimaryKeys()) == [2, 5]
    assert raw.exists(f'_ir_|{song.KEY_NAME}:idx:artist:x') == 0
    song.objects.repair()  # other index sets list these two still
    check(song)


def test_an_object_of_another_model_is_refused(songs, make_model):
    other = make_model(['title', 'artist', 'year', 'album', 'tags'])
    stranger = other(title='x')
    stranger.save()
    with pytest.raises(UsageError, match=songs.__name__):
        songs.deleter.deleteOne(stranger)
    with pytest.raises(UsageError, match=songs.__name__):
        songs.deleter.deleteMultiple([songs.objects.get(1), stranger])
    with pytest.raises(UsageError, match=songs.__name__):
        songs.deleter.deleteMultiple([songs.objects.get(1), None])
    assert songs.objects.count() == 6
    assert other.objects.count() == 1
    assert stranger.getPk() == 1


def test_a_result_with_gaps_deletes_what_is_there(songs):
    found = songs.objects.getMultiple([1, 99, 3])
    assert found.delete() == 2
    assert songs.objects.getPrimaryKeys(sortByAge=True) == [2, 4, 5, 6]
    assert found[1] is None
    assert [found[0].getPk(), found[2].getPk()] == [None, None]


@pytest.mark.plain_model
@pytest.mark.damaged
def test_ghosts_that_a_filter_meets_are_cleared(songs, raw):
    prefix = f'_ir_|{songs.KEY_NAME}:'
    raw.sadd(f'{prefix}idx:artist:Abba', 50, 51)
    raw.sadd(f'{prefix}idx:year:1974', 50)
    assert songs.objects.filter(artist='Abba', year=1974).delete() == 2
    assert raw.smembers(f'{prefix}idx:artist:Abba') == {b'3', b'51'}
    assert songs.objects.filter(artist='Abba').delete() == 1
    assert remains(songs, raw).count('idx:artist:Abba') == 0


@pytest.mark.plain_model
def test_destroyModel_removes_everything_but_the_counter(songs, raw):
    counter = f'_ir_|{songs.KEY_NAME}:next'
    last = int(raw.get(counter))
    assert songs.deleter.destroyModel() > 0
    assert [*dump(raw)] == [counter.encode()]
    assert songs.deleter.destroyModel() == 0
    assert songs(title='x').save() == [last + 1]


@pytest.mark.plain_model
def test_destroyModel_counts_the_keys(song, raw):
    song(artist='x').save()
    before = len(but_counters(raw))
    assert song.deleter.destroyModel() == before == 5


@pytest.mark.plain_model
def test_destroyModel_goes_through_index_sets_a_few_at_a_time(song, raw, monkeypatch, trips):
    """No script has to do with all of them, and only the large ones go in the swap."""
    monkeypatch.setattr(destroy, 'MOST', 50)
    monkeypatch.setattr(destroy, 'AT_ONCE', 100)
    song.saver.save([song(title=f't{n}', artist='Abba', year=n % 30) for n in range(300)])
    damaged = f'_ir_|{song.KEY_NAME}:idx:artist:damaged'.encode()
    raw.set(damaged, 'no set')
    large = {key for key, value in dump(raw).items() if b':idx:' in key and len(value) > 50}
    assert len(large) == 2  # the artist, and no album
    trips.clear()
    song.deleter.destroyModel()
    assert but_counters(raw) == []
    scripts = [readable(each) for trip in trips for each in trip if each[0] == 'EVALSHA']
    (swap,) = (command for command in scripts if command[1] == 'swap')
    assert {key for key in swap[3 : 3 + swap[2]] if b':idx:' in key} == {damaged, *large}
    assert len([command for command in scripts if command[1] == 'clear_sets']) > 3


@pytest.mark.plain_model
def test_what_is_saved_beside_destroyModel_is_stored_whole(song, monkeypatch, check):
    song.saver.save([song(title=str(n), artist=str(n % 3), year=n) for n in range(400)])
    monkeypatch.setattr(destroy, 'PAGE', 10)
    saved = []

    def with_saves(flow):
        def saving(*args):
            new = [song(title='new', artist='1', year=len(saved) + n) for n in range(4)]
            saved.extend(new if len(saved) < 600 else ())
            yield from links_saving.save(
                song._validated(), new if len(saved) < 600 else [], [None] * 4
            )
            yield from flow(*args)

        return saving

    walk, each_page = destroy.walk, destroy.each_page

    def each_page_with_saves(schema, act, *extend, **how):
        return each_page(schema, with_saves(act), *extend, **how)

    monkeypatch.setattr(destroy, 'each_page', each_page_with_saves)
    monkeypatch.setattr(destroy, 'walk', lambda key, act, hold: walk(key, with_saves(act), hold))
    song.deleter.destroyModel()
    assert len(saved) >= 50
    kept = song.objects.all()
    assert {obj.title for obj in kept} == {'new'}
    assert song.objects.filter(artist='1').count() == len(kept) >= 5
    check(song)
    assert song(title='next').save()[0] > 400
