"""Saving one object. The rule: what is written is what changed, once, and only if it is still
there; in memory nothing changes before the server said yes."""

from __future__ import annotations

import pytest
from support.keyspace import dump, served

from IndexedRedis import ObjectGoneError, UsageError, irNull


def test_a_first_save_gives_the_object_the_next_pk(song):
    first, second = song(title='a'), song(title='b')
    assert (first.getPk(), first.save(), first.getPk()) == (None, [1], 1)
    assert second.save() == [2]


def test_what_was_saved_is_fetched_back(song):
    song(title='Waterloo', artist='Abba', year='1974', tags=['pop', {'a': [1]}]).save()
    found = song.objects.get(1)
    assert (found.title, found.artist, found.year) == ('Waterloo', 'Abba', 1974)
    assert found.tags == ['pop', {'a': [1]}]
    assert found.album is irNull
    assert not found.hasUnsavedChanges()


def test_saving_again_without_a_change_sends_nothing(song, raw):
    obj = song(title='a', tags=[1])
    obj.save()
    fetched = song.objects.get(1)
    with served(raw) as commands:
        assert obj.save() == [1]
        assert fetched.save() == [1]
        assert song.saver.save([obj]) == [1]
    assert not commands


def test_an_assignment_of_the_same_value_is_no_change(song, raw):
    song(title='a', year=5, tags=[1]).save()
    obj = song.objects.get(1)
    obj.title, obj.year, obj.tags = 'a', '5', [1]
    with served(raw) as commands:
        obj.save()
    assert not commands


@pytest.mark.plain_model
@pytest.mark.parametrize('fetched', [True, False], ids=['fetched', 'just saved'])
def test_only_the_changed_fields_are_written(song, raw, fetched):
    obj = song(title='a', artist='x', year=1, tags=[1])
    obj.save()
    obj = song.objects.get(1) if fetched else obj
    data = f'_ir_|{song.KEY_NAME}:data:1'
    raw.hset(data, mapping={'title': 'touched by another', 'tags': '[9]'})
    obj.year = 2
    obj.save()
    assert raw.hgetall(data) == {
        b'title': b'touched by another',
        b'artist': b'x',
        b'year': b'2',
        b'album': b'IRNullType()',
        b'tags': b'[9]',
    }


def test_a_list_changed_in_place_is_seen_and_stored(song):
    obj = song(tags=['a'])
    obj.save()
    obj.tags.append('b')
    assert obj.hasUnsavedChanges()
    obj.save()
    fetched = song.objects.get(1)
    assert fetched.tags == ['a', 'b']
    fetched.tags.append('c')
    fetched.save()
    assert song.objects.get(1).tags == ['a', 'b', 'c']


@pytest.mark.parametrize(('before', 'after'), [([1], [True]), ([1], [1.0]), ([{}], [[]])])
def test_a_list_of_equal_looking_values_of_another_type_is_a_change(song, raw, before, after):
    song(tags=before).save()
    obj = song.objects.get(1)
    obj.tags[0] = after[0]
    obj.save()
    assert repr(song.objects.get(1).tags) == repr(after)


def test_two_handles_that_change_different_fields_both_win(song):
    song(title='a', artist='x', year=1).save()
    one, other = song.objects.get(1), song.objects.get(1)
    one.artist, other.year = 'y', 2
    one.save()
    other.save()
    found = song.objects.filter(artist='y', year=2).all()
    assert [(obj.artist, obj.year) for obj in found] == [('y', 2)]
    assert song.objects.filter(artist='x').count() == song.objects.filter(year=1).count() == 0


def test_on_one_field_the_last_of_two_handles_wins_and_the_index_knows(song):
    song(artist='old').save()
    one, other = song.objects.get(1), song.objects.get(1)
    one.artist, other.artist = 'one', 'other'
    one.save()
    other.save()
    counts = {name: song.objects.filter(artist=name).count() for name in ('old', 'one', 'other')}
    assert counts == {'old': 0, 'one': 0, 'other': 1}


def test_a_handle_whose_value_was_taken_back_by_another_writes_it_again(song):
    song(artist='old').save()
    mine = song.objects.get(1)
    mine.artist = 'new'
    mine.save()
    other = song.objects.get(1)
    other.artist = 'old'
    other.save()
    mine.artist = 'newer'
    mine.save()
    assert song.objects.filter(artist='newer').first().artist == 'newer'
    assert song.objects.filter(artist='old').count() == 0


@pytest.mark.parametrize('how', ['by another handle', 'by pk', 'by a filter', 'by a reset'])
def test_an_object_that_is_gone_cannot_be_saved_and_nothing_is_stored(song, raw, how):
    song(title='a', artist='x').save()
    obj = song.objects.get(1)
    {
        'by another handle': lambda: song.objects.get(1).delete(),
        'by pk': lambda: song.deleter.deleteByPk(1),
        'by a filter': lambda: song.objects.filter(artist='x').delete(),
        'by a reset': lambda: song.reset([song(title='new')]),
    }[how]()
    before = dump(raw, expiring=False)
    obj.artist = 'y'
    with pytest.raises(ObjectGoneError, match=f'{song.__name__}.* pk 1 ') as caught:
        obj.save()
    assert isinstance(caught.value, KeyError)
    assert dump(raw, expiring=False) == before
    assert obj.hasUnsavedChanges()
    assert obj.getUpdatedFields() == {'artist': ('x', 'y')}


def test_a_copy_of_an_object_that_is_gone_can_be_saved(song):
    obj = song(title='a')
    obj.save()
    song.deleter.deleteByPk(1)
    obj.title = 'b'
    with pytest.raises(ObjectGoneError):
        obj.save()
    assert obj.copy().save() == [2]
    assert song.objects.get(2).title == 'b'


@pytest.mark.plain_model
def test_an_object_made_with_a_pk_is_inserted_whole_and_the_counter_moves(song):
    assert song(_id=7, title='x', artist='Abba').save() == [7]
    assert song.objects.filter(artist='Abba').first().title == 'x'
    assert song(title='next').save() == [8]


def test_an_object_made_with_the_pk_of_a_stored_one_is_written_over_it(songs):
    assert songs(_id=4, title='x', artist='Abba').save() == [4]
    assert songs.objects.count() == 6
    stored = songs.objects.get(4)
    assert (stored.title, stored.artist, stored.year, stored.tags) == (
        *('x', 'Abba'),
        *(irNull, irNull),
    )
    assert songs.objects.filter(artist='AC/DC').getPrimaryKeys() == [5]
    assert songs.objects.filter(year=1980).count() == 0
    assert songs(title='next').save() == [7]


@pytest.mark.parametrize('pk', [0, '', None])
def test_an_empty_pk_means_none(song, pk):
    obj = song(_id=pk, title='x')
    assert obj.getPk() is None
    assert obj.save() == [1]


@pytest.mark.parametrize('pk', ['7', b'7'])
def test_a_pk_may_be_given_as_digits(song, pk):
    assert song(_id=pk, title='x').save() == [7]


@pytest.mark.parametrize('pk', [-3, 2**63, 'x', '-1'])
def test_a_number_that_cannot_be_a_pk_is_refused(song, raw, pk):
    with pytest.raises(UsageError, match=r'pk|primary key'):
        song(_id=pk, title='x').save()
    assert dump(raw) == {}


def test_a_copy_with_the_pk_of_a_changed_object_saves_the_changes(song):
    song(title='a', artist='x').save()
    obj = song.objects.get(1)
    obj.artist = 'y'
    obj.copy(copyPrimaryKey=True).save()
    assert song.objects.filter(artist='y').getPrimaryKeys() == [1]
    assert song.objects.filter(artist='x').count() == 0


@pytest.mark.plain_model
def test_a_pk_in_the_place_of_a_row_that_a_reset_replaced_stays_stored(song, raw):
    song(title='old', artist='x').save()
    song.reset([song(title='new')])
    assert raw.ttl(f'_ir_|{song.KEY_NAME}:data:1') > 0
    song(_id=1, title='again', artist='y').save()
    assert raw.ttl(f'_ir_|{song.KEY_NAME}:data:1') == -1
    assert song.objects.get(1).title == 'again'


def test_an_object_of_another_model_is_refused(song, make_model, raw):
    other = make_model(['title'])
    subclass = type(song)('Live', (song,), {'KEY_NAME': 'Live'})
    with pytest.raises(UsageError, match=song.__name__):
        song.saver.save(other(title='x'))
    with pytest.raises(UsageError, match=song.__name__):
        song.saver.save(subclass(title='x'))
    with pytest.raises(UsageError):
        song.saver.save(['no object'])
    with pytest.raises(UsageError):
        song.saver.save(5)
    assert dump(raw) == {}
