"""reset(). The rule: one data set takes the place of another, whole, and what was is gone."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import (
    ConflictError,
    FieldValueError,
    IRField,
    ObjectGoneError,
    ResetInProgressError,
    UsageError,
)
from IndexedRedis._core.resets import index_fill, swap
from IndexedRedis._core.script import readable
from IndexedRedis.fields import IRBase64Field


def titles(model):
    return {obj._id: obj.title for obj in model.objects.all()}


@pytest.mark.parametrize('reset', [lambda m: m.reset, lambda m: m.objects.reset])
@pytest.mark.parametrize('kind', [list, tuple, iter])
def test_new_objects_get_fresh_pks_in_the_order_of_the_list(songs, reset, kind):
    objs = [songs(title=name, artist='new') for name in 'abc']
    assert reset(songs)(kind(objs)) == [7, 8, 9]
    assert titles(songs) == {7: 'a', 8: 'b', 9: 'c'}
    assert [obj._id for obj in objs] == [7, 8, 9]
    assert songs.objects.filter(artist='new').count() == 3
    assert songs.objects.filter(artist='Abba').all() == []


def test_a_first_reset_begins_with_pk_1(song):
    assert song.reset([song(title='a')]) == [1]
    assert song(title='b').save() == [2]


def test_the_objects_are_saved_objects_afterwards(song):
    obj = song(title='a', artist='x', tags=[1])
    song.reset([obj])
    assert not obj.hasUnsavedChanges()
    obj.artist = 'y'
    obj.tags.append(2)
    obj.save()
    assert song.objects.filter(artist='y').first().tags == [1, 2]


def test_an_object_that_brings_a_pk_keeps_it(songs):
    objs = [songs(title='a'), songs(_id=3, title='b', artist='x'), songs(_id=40, title='c')]
    pks = songs.reset(objs)
    assert pks[1:] == [3, 40]
    assert titles(songs) == dict(zip(pks, 'abc', strict=True))
    assert songs.objects.filter(artist='x').getPrimaryKeys() == [3]
    assert songs.objects.filter(artist='Abba').count() == 0
    assert songs(title='d').save()[0] > 40


@pytest.mark.parametrize('brought', [1, 2, 3, 4, 9])
def test_a_brought_pk_never_meets_a_fresh_one(song, brought):
    objs = [song(title='a'), song(title='b'), song(_id=brought, title='c'), song(title='d')]
    pks = song.reset(objs)
    assert len(set(pks)) == 4
    assert pks[2] == brought
    assert titles(song) == dict(zip(pks, 'abcd', strict=True))


def test_fetched_objects_can_be_put_back_changed(songs):
    objs = songs.objects.filter(artist='Abba').allByAge()
    objs[0].artist = 'ABBA'
    assert songs.reset(objs) == [1, 2, 3]
    assert titles(songs) == {1: 'Waterloo', 2: 'Honey, Honey', 3: 'Fernando'}
    assert songs.objects.filter(artist='ABBA').getPrimaryKeys() == [1]
    assert songs.objects.filter(artist='Abba').getPrimaryKeys(True) == [2, 3]
    objs[1].artist = 'ABBA'
    objs[1].save()
    assert songs.objects.filter(artist='ABBA').count() == 2


@pytest.mark.plain_model
def test_a_reset_with_all_that_is_stored_changes_nothing(songs, raw):
    before = dump(raw)
    assert sorted(songs.reset(songs.objects.all())) == [1, 2, 3, 4, 5, 6]
    assert dump(raw, expiring=False) == before


def test_an_empty_reset_leaves_an_empty_model(songs):
    assert songs.reset([]) == []
    assert songs.objects.all() == []
    assert songs.objects.count() == songs.objects.filter(artist='Abba').count() == 0
    assert songs.reset([]) == []
    assert songs(title='next').save() == [7]


def test_resets_in_a_row(song):
    for turn in range(5):
        objs = [song(title=f'{turn}.{i}', artist=str(i)) for i in range(turn + 1)]
        song.reset(objs)
        assert sorted(titles(song).values()) == [obj.title for obj in objs]
        assert song.objects.filter(artist='0').count() == 1
    assert min(titles(song)) == 11  # no pk was used twice


def test_thousands_of_objects(song):
    song.saver.save([song(title='old', artist=str(i)) for i in range(1200)])
    objs = [song(title=f't{i}', artist=f'a{i % 5}', year=i) for i in range(2600)]
    assert song.reset(objs) == list(range(1201, 3801))
    assert song.objects.count() == 2600
    assert song.objects.filter(artist='a2').count() == 520
    assert song.objects.filter(year=77).first().title == 't77'
    assert song.objects.filter(artist='77').count() == 0


def test_old_handles_are_gone(songs):
    stale, deleted = songs.objects.get(1), songs.objects.get(2)
    songs.reset([songs(title=name, artist='new') for name in 'abcdef'])
    stale.title = 'changed'
    with pytest.raises(ObjectGoneError):
        stale.save()
    with pytest.raises(ObjectGoneError):
        stale.reload()
    deleted.delete()
    assert sorted(titles(songs).values()) == list('abcdef')


@pytest.mark.plain_model
def test_nothing_is_left_but_what_expires(songs, raw):
    base = f'_ir_|{songs.KEY_NAME}:'
    old = [f'{base}data:{pk}' for pk in range(1, 7)]
    songs.reset([songs(_id=1, title='kept'), songs(title='new', artist='x')])
    for name in dump(raw):
        if name.startswith(f'{base}tmp:'.encode()):
            assert raw.ttl(name) > 0, name
    assert [0 < raw.ttl(name) <= 10 for name in old] == [False] + 5 * [True]
    assert raw.ttl(old[0]) == -1
    kept = {key.decode().removeprefix(base) for key in dump(raw, expiring=False)}
    assert kept == {
        *('next', 'keys', 'data:1', 'data:7'),
        *('idx:artist:x', 'idx:artist:IRNullType()', 'idx:year:IRNullType()'),
        'idx:album:563e746fa69bd6749e2b7f83dadc17d4',
    }


@pytest.mark.plain_model
def test_the_counter_never_goes_back(songs, raw):
    counter = f'_ir_|{songs.KEY_NAME}:next'
    for objs in ([], [songs(_id=2, title='x')], [songs(title='y')]):
        before = int(raw.get(counter))
        songs.reset(objs)
        assert int(raw.get(counter)) >= before


BAD = {
    'a value that cannot be stored': lambda model, other: model(title='\ud800'),
    'an object of another model': lambda model, other: other(title='x'),
    'no object': lambda model, other: 'text',
    'None': lambda model, other: None,
}


@pytest.mark.plain_model
@pytest.mark.parametrize('bad', BAD)
@pytest.mark.parametrize('size', [2, 600])
def test_a_reset_that_fails_leaves_everything_as_it_was(songs, make_model, raw, bad, size):
    good = [songs(title=str(i)) for i in range(size)]
    fetched = songs.objects.get(1)
    fetched.title = 'local'
    before = dump(raw)
    with pytest.raises((FieldValueError, UsageError), match=songs.__name__):
        songs.reset([*good, fetched, BAD[bad](songs, make_model(['title']))])
    after = dump(raw)
    counter = f'_ir_|{songs.KEY_NAME}:next'.encode()
    assert int(after.pop(counter)) >= int(before.pop(counter))
    assert after == before
    assert {obj.getPk() for obj in good} == {None}
    assert fetched.getUpdatedFields() == {'title': ('Waterloo', 'local')}
    assert len(songs.reset([*good, fetched])) == size + 1


def test_an_object_listed_twice_is_refused(songs):
    obj = songs(title='x')
    for objs in ([obj, obj], [songs(_id=9), songs(_id=9)], [songs.objects.get(1)] * 2):
        with pytest.raises(UsageError):
            songs.reset(objs)
    assert songs.objects.count() == 6


def test_what_is_no_list_is_refused(songs):
    with pytest.raises(UsageError, match=songs.__name__):
        songs.reset(5)
    assert songs.objects.count() == 6


def test_filters_are_refused(songs):
    for query in (songs.objects.filter(artist='Abba'), songs.objects.filter(year__ne=1974)):
        with pytest.raises(UsageError, match=r'reset\(\) .*\.objects, without filters'):
            query.reset([])
    assert songs.objects.count() == 6


def test_a_single_object_is_no_list(songs):
    with pytest.raises(UsageError, match=songs.__name__):
        songs.reset(songs(title='x'))
    assert songs.objects.count() == 6


@pytest.mark.plain_model
def test_a_model_without_indexes_and_one_with_many_values(make_model, raw):
    plain = make_model(['a'])
    plain.reset([plain(a='x')])
    plain.reset([plain(a='y'), plain(a='z')])
    assert sorted(obj.a for obj in plain.objects.all()) == ['y', 'z']
    many = make_model([IRField('n', valueType=int)], indexed=['n'])
    many.reset([many(n=n) for n in range(1500)])
    many.reset([many(n=n) for n in range(1000, 2500)])
    names = list(raw.scan_iter(f'_ir_|{many.KEY_NAME}:idx:n:*', count=1000))
    assert len(names) == many.objects.count() == 1500


@pytest.mark.plain_model
@pytest.mark.parametrize('most', [1, 5, 1000])
def test_index_sets_of_all_sizes_are_replaced(make_model, raw, monkeypatch, most):
    """Smaller ones are filled before the swap, larger ones are moved by it."""
    monkeypatch.setattr(index_fill, 'MOST', most)
    model = make_model(['title', 'genre', 'isrc'], indexed=['genre', 'isrc'])
    base = f'_ir_|{model.KEY_NAME}:'
    for size in (9, 4, 12, 1, 12):
        objs = [model(title='x', genre=f'g{i % 2}', isrc=str(i)) for i in range(size)]
        pks = model.reset(objs)
        raw.sadd(base + 'idx:isrc:0', 999)  # an entry of nothing, which 6.0.3 could leave
        assert model.objects.filter(genre='g0').getPrimaryKeys(True) == pks[::2]
        assert model.objects.filter(genre='g0').count() == len(pks[::2])
        assert [obj._id for obj in model.objects.filter(isrc='0').all()] == pks[:1]
    model.reset(objs[:2])
    assert sorted(key.decode() for key in raw.keys(base + 'idx:*')) == [
        base + f'idx:{rest}' for rest in ('genre:g0', 'genre:g1', 'isrc:0', 'isrc:1')
    ]


@pytest.mark.plain_model
@pytest.mark.parametrize('kept', [False, True], ids=['fresh pks', 'pks in use'])
def test_other_writers_touch_more_index_sets_than_one_swap_clears(songs, raw, trips, kept):
    """They save 1,500 objects with values of their own, while the iterator of the reset pauses."""
    base = f'_ir_|{songs.KEY_NAME}:'
    raw.incrby(base + 'next', 1500)

    def objs():
        yield songs(_id=3 if kept else None, title='new', artist='Abba')
        writer = raw.pipeline()
        for pk in range(7, 1507):
            index = base + f'idx:artist:artist {pk}'
            writer.hset(base + f'data:{pk}', mapping={'title': 'old', 'artist': f'artist {pk}'})
            writer.sadd(index, pk).sadd(base + 'tmp:touched', index).sadd(base + 'keys', pk)
        writer.execute()
        raw.sadd(base + 'tmp:touched', base + 'idx:artist:damaged')
        raw.set(base + 'idx:artist:damaged', 'no set')

    songs.reset(objs())
    swaps = [each for trip in trips for each in trip if readable(each)[1:2] == ('swap',)]
    assert len(swaps) == 2
    raw.delete(base + 'idx:artist:damaged')
    assert [obj.title for obj in songs.objects.all()] == ['new']
    assert songs.objects.filter(artist='Abba').count() == 1
    assert songs.objects.filter(artist='artist 7').getPrimaryKeys() == []


@pytest.mark.plain_model
def test_writers_who_touch_index_sets_without_end_stop_a_reset(songs, raw, monkeypatch):
    base = f'_ir_|{songs.KEY_NAME}:'
    monkeypatch.setattr(swap, 'SWAPS', 3)

    def settle(switch, extend):
        yield from ()
        return switch

    def objs():
        yield songs(title='new')
        raw.sadd(base + 'tmp:touched', *(base + f'idx:artist:{n}' for n in range(1001)))

    monkeypatch.setattr(swap, 'settle_touched', settle)
    before = titles(songs)
    with pytest.raises(ConflictError, match=r'Nothing was changed; try again\.'):
        songs.reset(objs())
    assert titles(songs) == before


@pytest.fixture(params=[True, False], ids=['with its lock', 'that pauses for long'])
def running_reset(request, song, raw):
    """As if a reset were under way; its lock runs out while its iterator pauses."""
    base = f'_ir_|{song.KEY_NAME}:tmp:'
    raw.hset(base + 'resets', 'another', 'staging')
    if request.param:
        raw.set(base + 'lock', 'another', px=60_000)
    yield
    raw.delete(base + 'resets', base + 'lock', base + 'touched')


@pytest.mark.plain_model
@pytest.mark.usefixtures('running_reset')
def test_an_object_does_not_get_a_pk_that_a_running_reset_has_staged(song, raw):
    base = f'_ir_|{song.KEY_NAME}:'
    raw.hset(base + 'data:1', 'title', 'staged')
    assert song(title='mine', artist='x').save() == [2]
    assert raw.hgetall(base + 'data:1') == {b'title': b'staged'}
    raw.delete(base + 'data:1')


@pytest.mark.plain_model
@pytest.mark.usefixtures('running_reset')
def test_a_filtered_delete_leaves_what_a_running_reset_has_filled_in(song, raw):
    base = f'_ir_|{song.KEY_NAME}:'
    song(title='mine', artist='x').save()
    raw.hset(base + 'data:2', mapping={'title': 'staged', 'artist': 'x'})
    raw.sadd(base + 'idx:artist:x', 2)
    assert song.objects.filter(artist='x').delete() == 1
    assert raw.smembers(base + 'idx:artist:x') == {b'2'}
    assert raw.exists(base + 'data:2')
    raw.delete(base + 'data:2', base + 'idx:artist:x')


@pytest.mark.plain_model
@pytest.mark.usefixtures('running_reset')
def test_a_given_pk_that_a_running_reset_has_staged_is_refused(song, raw):
    base = f'_ir_|{song.KEY_NAME}:'
    raw.hset(base + 'data:5', 'title', 'staged')
    obj = song(_id=5, title='mine', artist='x')
    with pytest.raises(ResetInProgressError, match='pk 5'):
        obj.save()
    assert raw.hgetall(base + 'data:5') == {b'title': b'staged'}
    assert not raw.exists(base + 'idx:artist:x')
    raw.delete(base + 'tmp:resets', base + 'data:5')
    assert obj.save() == [5]
    assert titles(song) == {5: 'mine'}


@pytest.mark.names_keys
@pytest.mark.parametrize('way', ['fresh pks', 'the same pk'])
def test_entries_that_6_0_3_left_in_wrong_sets_go_with_the_old_data(make_model, raw, way):
    model = make_model([IRBase64Field('blob')], ['blob'], key_name='Blobs')
    model.reset([model(blob=b'a')])
    column = model._validated().columns['blob']
    (wrong,) = column.legacy_indexes(b'YQ==')
    raw.sadd(b'_ir_|Blobs:idx:blob:' + wrong, 1)
    model.reset([model(blob=b'b') if way == 'fresh pks' else model(_id=1, blob=b'b')])
    assert not raw.exists(b'_ir_|Blobs:idx:blob:' + wrong)
    assert model.objects.check().ok
