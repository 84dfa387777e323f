"""What other versions left behind. The rule: no read and no write stumbles over it, and nothing
that is not a whole, stored object is ever given out by pk."""

from __future__ import annotations

import pytest
from support.keyspace import but_counters

from IndexedRedis import IRField, ObjectGoneError, UnreadableValueError, irNull

pytestmark = pytest.mark.damaged
BASE = '_ir_|Old:'


@pytest.fixture
def old(make_model, raw):
    """A database as years of IndexedRedis 6.0.3 leave it.

    1 is sound; 2 lacks fields that came later and has one that is gone; 3 is listed and has no
    data; 4 holds the texts `None` and `x` where a number should be; 5 lacks everything but the
    title. Of 8 there is a half that is not listed, 9 is long gone, and the counter is behind.
    """
    rows = {
        1: {'title': 'one', 'artist': 'Abba', 'year': '1974', 'tags': '["a"]'},
        2: {'title': 'two', 'artist': 'Abba', 'removed': 'x'},
        4: {'title': 'None', 'artist': 'None', 'year': 'x', 'tags': 'no json'},
        5: {'title': 'five'},
        8: {'artist': 'half'},
    }
    for pk, row in rows.items():
        raw.hset(f'{BASE}data:{pk}', mapping=row)
    raw.sadd(f'{BASE}keys', 1, 2, 3, 4, 5)
    raw.set(f'{BASE}next', 3)
    entries = {
        'artist:Abba': (1, 2, 9),
        'artist:None': (4,),
        'artist:half': (8,),
        'artist:stale': (1, 3, 9),
        'year:1974': (1, 9),
        'year:x': (4,),
        'year:1900': (1, 2),
    }
    for entry, pks in entries.items():
        raw.sadd(f'{BASE}idx:{entry}', *pks)
    return make_model(
        [
            IRField('title'),
            IRField('artist', defaultValue='unknown'),
            IRField('year', valueType=int),
            IRField('tags', valueType=list, defaultValue=['none']),
        ],
        indexed=['artist', 'year'],
        key_name='Old',
    )


def test_all_gives_what_is_listed_and_has_data(old):
    assert [obj._id for obj in old.objects.allByAge()] == [1, 2, 4, 5]
    assert sorted(obj._id for obj in old.objects.allOnlyFields(['year'])) == [1, 2, 4, 5]
    assert (old.objects.first()._id, old.objects.last()._id) == (1, 5)
    assert {old.objects.random()._id for _ in range(200)} == {1, 2, 4, 5}


def test_a_field_that_the_row_lacks_reads_as_its_default(old):
    two, five = old.objects.get(2), old.objects.get(5)
    assert (two.title, two.artist, two.year, two.tags) == ('two', 'Abba', irNull, ['none'])
    assert (five.title, five.artist, five.year, five.tags) == ('five', 'unknown', irNull, ['none'])
    assert not two.hasUnsavedChanges()
    assert not hasattr(two, 'removed')


def test_a_text_None_is_text(old):
    four = old.objects.get(4)
    assert (four.title, four.artist) == ('None', 'None')
    assert [obj._id for obj in old.objects.filter(artist='None').all()] == [4]


def test_unreadable_values_wait_until_they_are_touched(old):
    four = old.objects.get(4)
    with pytest.raises(UnreadableValueError, match=rf"{old.__name__}\.year .*pk 4.*b'x'"):
        four.year
    with pytest.raises(UnreadableValueError, match=rf'{old.__name__}\.tags .*pk 4.*no json'):
        four.tags
    assert four.title == 'None'
    assert '<unreadable>' in repr(four)


def test_filters_give_only_objects_that_match(old):
    for filters, pks in (
        ({'artist': 'Abba'}, [1, 2]),
        ({'artist': 'stale'}, []),
        ({'year': 1900}, []),
        ({'year': 1974}, [1]),
        ({'artist': 'Abba', 'year': 1974}, [1]),
        ({'artist': 'Abba', 'year__ne': 1974}, [2]),
        ({'artist__ne': 'Abba'}, [4, 5]),
    ):
        query = old.objects.filter(**filters)
        assert [obj._id for obj in query.allByAge()] == pks, filters
        assert getattr(query.first(), '_id', None) == next(iter(pks), None), filters
        assert getattr(query.last(), '_id', None) == next(reversed(pks), None), filters
        assert getattr(query.random(), '_id', None) in (pks or [None]), filters


def test_what_is_not_whole_is_not_there(old):
    for pk in (3, 8, 9):
        assert old.objects.get(pk) is None
        assert old.objects.getOnlyFields(pk, ['artist']) is None
    assert old.objects.exists(8) is old.objects.exists(9) is False
    assert [getattr(obj, '_id', None) for obj in old.objects.getMultiple([8, 1, 3])] == [
        *(None, 1, None),
    ]


@pytest.mark.parametrize('pk', [1, 2, 4, 5])
def test_every_object_can_be_updated_and_is_found_by_its_new_values(old, raw, pk):
    obj = old.objects.get(pk)
    obj.artist, obj.year, obj.tags = 'new', 2000, ['x']
    assert set(obj.getUpdatedFields()) <= {'artist', 'year', 'tags'} if pk != 4 else True
    obj.save()
    found = old.objects.filter(artist='new', year=2000).all()
    assert [(o._id, o.tags) for o in found] == [(pk, ['x'])]
    for entry in ('artist:Abba', 'artist:None', 'year:1974', 'year:x'):
        assert not raw.sismember(f'{BASE}idx:{entry}', pk)


@pytest.mark.parametrize('pk', [1, 2, 4, 5])
def test_every_object_can_be_deleted(old, raw, pk):
    assert old.objects.get(pk).delete() == 1
    assert old.objects.get(pk) is None
    assert not raw.exists(f'{BASE}data:{pk}')
    assert pk not in [obj._id for obj in old.objects.filter(artist='Abba').all()]


def test_a_ghost_and_a_half_can_be_deleted_by_pk(old, raw):
    assert old.deleter.deleteByPk(3) == 1  # it was listed
    assert old.deleter.deleteByPk(8) == 0
    assert not raw.exists(f'{BASE}data:8')
    assert not raw.exists(f'{BASE}idx:artist:half')


@pytest.mark.parametrize('way', ['pk', 'filter'])
def test_a_half_that_an_index_lists_is_not_given_out_and_can_be_cleared(old, raw, way):
    query = old.objects.filter(artist='half')
    assert [query.first(), query.last(), query.random()] == [None] * 3
    assert (query.all(), query.allOnlyFields(['artist']), query.getPrimaryKeys()) == ([], [], [])
    assert raw.hgetall(f'{BASE}data:8') == {b'artist': b'half'}
    assert (old.deleter.deleteByPk(8) if way == 'pk' else query.delete()) == 0
    assert not raw.exists(f'{BASE}data:8', f'{BASE}idx:artist:half')


def test_a_half_that_somebody_still_holds_is_never_saved(old, raw):
    half = old.objects.get(2)
    raw.srem(f'{BASE}keys', 2)
    half.title = 'x'
    with pytest.raises(ObjectGoneError):
        half.save()
    assert raw.hget(f'{BASE}data:2', 'title') == b'two'
    half.delete()
    assert not raw.exists(f'{BASE}data:2')


@pytest.mark.parametrize('artist', ['Abba', 'half', 'stale', 'None'])
def test_a_filtered_delete_clears_what_is_gone(old, raw, artist):
    matching = {'Abba': 2, 'None': 1}.get(artist, 0)
    assert old.objects.filter(artist=artist).delete() == matching
    # What is listed and does not match stays, and with it the entry that is wrong about it.
    left = {b'1', b'3'} if artist == 'stale' else set()
    assert raw.smembers(f'{BASE}idx:artist:{artist}') == left
    assert old.objects.filter(artist=artist).all() == []


def test_everything_can_be_deleted(old, raw):
    assert old.objects.delete() == 5
    assert raw.keys(f'{BASE}data:*') == [f'{BASE}data:8'.encode()]
    assert old.objects.all() == []


def test_reindex_adds_what_is_missing(old, raw):
    assert old.objects.reindex() == 5
    assert [obj._id for obj in old.objects.filter(artist='unknown').all()] == [5]
    assert [obj._id for obj in old.objects.filter(year=irNull).allByAge()] == [2, 5]


FOUND = {
    **{'row_missing': 1, 'row_unlisted': 1, 'counter_low': 1},
    **{'entry_stale': 3, 'entry_gone': 5, 'entry_missing': 3},
}


def test_check_finds_all_of_it(old, raw):
    report = old.objects.check()
    assert report.counts == FOUND, str(report)
    assert f'{BASE}idx:year:1900 lists pk 2, whose year is stored as nothing' in str(report)


def test_repair_mends_all_of_it(old, raw, watch):
    rows = {pk: raw.hgetall(f'{BASE}data:{pk}') for pk in (1, 2, 4, 5)}
    assert watch.findings()
    report = old.objects.repair()
    assert (report.ok, report.repaired) == (True, FOUND), str(report)
    assert watch.findings() == []
    assert old.objects.check().counts == {}
    assert {pk: raw.hgetall(f'{BASE}data:{pk}') for pk in rows} == rows
    assert old.objects.filter(artist='Abba').count() == 2
    assert old(title='new').save() == [6]


def test_new_objects_get_no_pk_that_is_in_use(old):
    pks = old.saver.save([old(title='new') for _ in range(4)])
    assert not set(pks) & {1, 2, 3, 4, 5}
    assert old(title='newer').save()[0] not in {1, 2, 3, 4, 5, *pks}
    assert [old.objects.get(pk).title for pk in (1, 2, 5)] == ['one', 'two', 'five']


def test_an_object_put_on_top_of_a_half_is_whole(old, raw):
    assert old(_id=8, title='eight', artist='whole').save() == [8]
    assert old.objects.get(8).title == 'eight'
    assert not raw.exists(f'{BASE}idx:artist:half')


def test_a_reset_replaces_it_all(old):
    stale = old.objects.get(1)
    kept = old.objects.get(2)
    (new, _) = old.reset([old(title='new', artist='Abba'), kept])
    assert [obj._id for obj in old.objects.allByAge()] == sorted([new, 2])
    assert [obj._id for obj in old.objects.filter(artist='Abba').allByAge()] == sorted([new, 2])
    for artist in ('stale', 'None'):
        assert old.objects.filter(artist=artist).all() == []
    stale.title = 'x'
    with pytest.raises(ObjectGoneError):
        stale.save()


def test_destroyModel_leaves_nothing(old, raw):
    old.deleter.destroyModel()
    assert but_counters(raw) == []
