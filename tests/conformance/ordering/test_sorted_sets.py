"""Sorted sets beside the index sets. The rule: whatever writes, the checker finds each object in
each sorted set, with the score of what it stores."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from judge import damages
from judge.checker import check_model
from judge.damages import BASE
from support.keyspace import but_counters, key_names

import IndexedRedis as IR
from IndexedRedis import IRField, WrongKeyTypeError, irNull
from IndexedRedis._core.resets import index_fill
from IndexedRedis.cli.exact import exact
from IndexedRedis.fields import IRDatetimeField, IRDecimalField, IRFixedPointField

FIELDS = [
    IRField('name'),
    IRField('genre', hashIndex=True),
    IRField('year', valueType=int),
    IRDecimalField('price'),
    IRFixedPointField('rating', decimalPlaces=1),
    IRDatetimeField('added', aware=True),
    IRField('released', valueType=datetime.date),
]
SORTED = ['name', 'year', 'price', 'rating', 'added', 'released']
VALUES: dict[str, list[Any]] = {
    'name': ['Hells Bells', 'Hells Angels', '', 'Ågren', irNull],
    'genre': ['rock', 'pop', irNull],
    'year': [1974, -5, 0, 2**60, irNull],
    'price': [Decimal('19.90'), Decimal('-0.01'), Decimal(10**40), irNull],
    'rating': [1.5, 0.0, irNull],
    'added': [datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC), irNull],
    'released': [datetime.date(1969, 12, 31), datetime.date(2024, 2, 29)],
}


@pytest.fixture
def song(make_model):
    return make_model(FIELDS, indexed=['genre', 'year'], SORTED_FIELDS=SORTED)


def objects(model, count, start=0):
    """New objects of all sorts of values."""
    numbers = range(start, start + count)
    return [model(**{name: each[n % len(each)] for name, each in VALUES.items()}) for n in numbers]


def ordered(raw, model, name):
    """The pks in the order of a sorted field."""
    return [int(pk) for pk in raw.zrange(f'_ir_|{model.KEY_NAME}:keys:sorted:{name}', 0, -1)]


def write_all_ways(model, check):
    """Insert, update, put and delete, one by one and in lists."""
    one, *others = objects(model, 12)
    one.save()
    model.saver.save(others)
    check()
    one.year, one.name = 1, irNull
    one.save()
    one.price = Decimal(3)
    one.genre = 'jazz'
    one.save()
    check()
    for n, obj in enumerate(others):
        obj.year, obj.rating, obj.genre = n, -n, 'pop'
    model.saver.save(others)
    check()
    model(_id=one._id, name='put', year=7).save()
    model(_id=99, name='put').save()
    partial = model.objects.getOnlyFields(2, ['genre'])
    partial.year = 5
    partial.save()
    check()
    assert model.objects.filter(genre='pop').update(year=6, name='updated', genre='rap') > 3
    check()
    assert model.objects.update(price=None) == model.objects.count()
    check()
    assert model.objects.filter(genre='rap').delete() > 3
    one.delete()
    model.deleter.deleteByPk(99)
    check()
    model.saver.save(objects(model, 9))
    model.deleter.deleteMultiple(model.objects.all()[:4])
    model.deleter.deleteMultipleByPks(model.objects.getPrimaryKeys())
    assert key_names(model._raw) == [f'_ir_|{model.KEY_NAME}:next'.encode()]


@pytest.mark.plain_model
def test_every_way_to_write(song, raw, check):
    song._raw = raw
    write_all_ways(song, check)


@pytest.mark.plain_model
@pytest.mark.usefixtures('in_steps')
def test_every_way_to_write_a_long_list(song, raw, check):
    song._raw = raw
    write_all_ways(song, check)


@pytest.mark.plain_model
def test_members_are_in_the_order_of_the_values_and_nulls_are_last(song, raw):
    years = [irNull, 3, -1, 2**60, 3, 2**60 + 1]
    song.saver.save([song(year=year) for year in years])
    assert ordered(raw, song, 'year') == [3, 2, 5, 4, 6, 1]
    song.saver.save([song(name=name) for name in ('b', 'Zebra', 'a', '')])
    assert ordered(raw, song, 'name')[:4] == [10, 8, 9, 7]
    assert len(ordered(raw, song, 'name')) == 10


@pytest.mark.plain_model
@pytest.mark.parametrize('most', [0, 2, 1000])
def test_resets(song, check, raw, monkeypatch, most):
    monkeypatch.setattr(index_fill, 'MOST', most)
    song.reset(objects(song, 12))
    check()
    song.reset(objects(song, 7, 3))
    check()
    assert len(ordered(raw, song, 'year')) == 7
    kept = song.objects.all()
    for obj in kept:
        obj.year = 4
    song.reset([*kept[:3], *objects(song, 3), song(_id=500, name='brought')])
    check()
    song.reset(obj for obj in objects(song, 5))
    check()
    song.objects.reset([])
    check()
    assert not [key for key in key_names(raw) if b'sorted' in key]


def test_resets_of_several_models(song, make_model, check):
    other = make_model([IRField('title')], SORTED_FIELDS=['title'])
    plain = make_model(['title'], indexed=['title'])
    for size in (4, 2, 0, 3):
        models = [other(title=str(n)) for n in range(size)]
        groups = [(song, objects(song, size)), (other, models), (plain, [plain(title='x')])]
        IR.resetMany(groups)
        check()


def test_a_save_of_plain_and_sorted_models(make_model, check):
    """One script stores rows of both."""
    name = 'SortedTarget'
    target = make_model([IRField('title')], SORTED_FIELDS=['title'], key_name=name)
    plain = make_model(['title', IR.fields.IRForeignLinkField('to', target)], indexed=['title'])
    obj = plain(title='a', to=target(title='b'))
    obj.save()
    check()
    obj.title = obj.to.title = 'c'
    obj.save()
    check()


@pytest.mark.plain_model
def test_resets_of_what_changed(make_model, check, raw):
    song = make_model(FIELDS, indexed=['name', 'genre'], SORTED_FIELDS=SORTED)
    keys = {song: 'name'}
    song.reset([song(name=name, year=n, price=n) for n, name in enumerate('abcde')])
    new = [song(name=name, year=n, price=7) for n, name in enumerate('cdexy')]
    (counts,) = IR.resetChanged({song: new}, keys)
    assert counts == (2, 3, 0, 2)
    check()
    assert len(ordered(raw, song, 'price')) == 5
    IR.resetChanged({song: [song(name='c', year=None)]}, keys)
    check()
    assert ordered(raw, song, 'price') == [3]


@pytest.mark.plain_model
def test_a_field_that_is_sorted_from_now_on(make_model, raw, check):
    model = make_model(FIELDS, indexed=['genre'])
    pks = model.saver.save(objects(model, 60))
    model.SORTED_FIELDS = ['year', 'genre', 'price']
    assert check_model(raw, model)
    assert model.objects.check().counts == {'entry_missing': 180}
    assert model.objects.reindex() == 60
    check()
    assert model.objects.check().ok
    raw.delete(f'_ir_|{model.KEY_NAME}:keys:sorted:year')
    assert model.saver.reindex(model.objects.getMultiple(pks)) == 60
    check()
    model.SORTED_FIELDS = ['price']
    report = model.objects.check()
    assert report.counts == {'sorted_unused': 2}
    assert f'_ir_|{model.KEY_NAME}:keys:sorted:genre is the sorted set of no field' in str(report)
    assert model.objects.repair().ok
    check()


@pytest.mark.plain_model
def test_a_model_that_is_sorted_but_not_indexed(make_model, check):
    model = make_model([IRField('year', valueType=int)], SORTED_FIELDS=['year'])
    model.saver.save([model(year=n) for n in range(9)])
    model.SORTED_FIELDS = []
    for obj in model.objects.all():
        obj.year += 5
        obj.save()
    model.SORTED_FIELDS = ['year']
    assert model.objects.check().counts == {'score_wrong': 9}
    assert model.objects.reindex() == 9
    check()


def test_a_conversion_of_hashed_indexes(make_model, check):
    model = make_model([IRField('genre')], indexed=['genre'], SORTED_FIELDS=['genre'])
    model.saver.save([model(genre=genre) for genre in ('rock', 'pop')])
    model.FIELDS = [IRField('genre', hashIndex=True)]
    model.objects.compat_convertHashedIndexes()
    check()


@pytest.mark.plain_model
def test_destroyModel_removes_sorted_sets_of_former_fields_too(song, raw):
    song.saver.save(objects(song, 5))
    raw.zadd(f'_ir_|{song.KEY_NAME}:keys:sorted:former', {'1': 1})
    raw.set(f'_ir_|{song.KEY_NAME}:keys:sortedx', 'of another')
    count = len(but_counters(raw)) - 1
    assert song.deleter.destroyModel() == count
    assert but_counters(raw) == [f'_ir_|{song.KEY_NAME}:keys:sortedx'.encode()]
    raw.flushdb()


@pytest.mark.plain_model
@pytest.mark.damaged
@pytest.mark.parametrize(
    'write',
    [
        lambda model: model(year=1).save(),
        lambda model: model.saver.save(objects(model, 300)),
        lambda model: change(model.objects.get(1)),
        lambda model: model.saver.save([change(obj, save=False) for obj in model.objects.all()]),
        lambda model: model.objects.get(1).delete(),
        lambda model: model.deleter.deleteMultiple(model.objects.all()),
        lambda model: model.reset([model(year=1)]),
        lambda model: model.objects.reindex(),
        lambda model: IR.resetChanged({model: [model(name='x')]}, {model: 'year'}),
    ],
)
@pytest.mark.parametrize('way', ['short', 'in steps'])
def test_a_sorted_set_of_another_type_is_refused(song, raw, request, write, way):
    song.saver.save(objects(song, 3))
    key = f'_ir_|{song.KEY_NAME}:keys:sorted:year'
    raw.delete(key)
    raw.set(key, 'x')
    if way == 'in steps':
        request.getfixturevalue('in_steps')
    before = raw.smembers(f'_ir_|{song.KEY_NAME}:keys'), raw.hgetall(f'_ir_|{song.KEY_NAME}:data:1')
    with pytest.raises(WrongKeyTypeError, match="keys:sorted:year' holds a string"):
        write(song)
    after = raw.smembers(f'_ir_|{song.KEY_NAME}:keys'), raw.hgetall(f'_ir_|{song.KEY_NAME}:data:1')
    assert after == before
    assert raw.get(key) == b'x'


def change(obj, save=True):
    obj.year = 12345
    return obj.save() if save else obj


# -- check and repair --------------------------------------------------------------------------

SET, BY_NAME = f'{BASE}keys:sorted:year', f'{BASE}keys:sorted:title'
DAMAGES = {
    'score of another value': damages._damage(
        'ZADD K:keys:sorted:year 5 1',
        f"{SET} has another score for pk 1 than its year has, stored as '1974'",
        score_wrong=1,
    ),
    'score of null': damages._damage('ZADD K:keys:sorted:year inf 1', score_wrong=1),
    'score of another text': damages._damage('ZINCRBY K:keys:sorted:title 1 2', score_wrong=1),
    'member gone': damages._damage(
        'ZREM K:keys:sorted:year 1',
        f"{SET} does not list pk 1, whose year is stored as '1974'",
        entry_missing=1,
    ),
    'set gone': damages._damage('DEL K:keys:sorted:year', entry_missing=3),
    'members of strangers': damages._damage(
        'ZADD K:keys:sorted:year 5 9 6 abc 7 01',
        f'{SET} lists pk abc, which is no stored',
        entry_gone=3,
    ),
    'a value changed by 6.0.3': damages._damage(
        'HSET K:data:1 year 1999\nSREM K:idx:year:1974 1\nSADD K:idx:year:1999 1',
        f"{SET} has another score for pk 1 than its year has, stored as '1999'",
        score_wrong=1,
    ),
    'an object deleted by 6.0.3': damages._damage(
        'SREM K:keys 1\nDEL K:data:1\nSREM K:idx:year:1974 1', f'{SET} lists pk 1', entry_gone=2
    ),
    'an object inserted by 6.0.3': damages._damage(
        'HSET K:data:4 title x year 5\nSADD K:keys 4\nSADD K:idx:year:5 4\nSET K:next 4',
        f"{SET} does not list pk 4, whose year is stored as '5'",
        entry_missing=2,
    ),
    'set that expires': damages._damage(
        'EXPIRE K:keys:sorted:year 1000', f'{SET} is going', key_expiring=1
    ),
    'set of no field': damages._damage('ZADD K:keys:sorted:gone 1 1', sorted_unused=1),
}


@pytest.fixture
def sound(make_model):
    model = make_model(
        ['title', 'artist', IRField('year', valueType=int), 'album'],
        indexed=['year'],
        key_name=damages.NAME,
        SORTED_FIELDS=['title', 'year'],
    )
    return damages.fill(model)


@pytest.mark.names_keys
@pytest.mark.damaged
@pytest.mark.parametrize('damage', DAMAGES)
def test_each_kind_of_damage_is_found_and_repaired(sound, raw, damage):
    assert sound.objects.check().ok
    DAMAGES[damage].do(raw)
    assert check_model(raw, sound)
    report = sound.objects.check()
    assert report.counts == DAMAGES[damage].counts, str(report)
    for text in DAMAGES[damage].texts:
        assert text in str(report)
    report = sound.objects.repair()
    assert report.ok and report.repaired == DAMAGES[damage].counts, str(report)
    assert check_model(raw, sound) == []
    assert sound.objects.check().ok


@pytest.mark.plain_model
def test_check_counts_the_entries_of_sorted_sets(sound):
    report = sound.objects.check()
    assert (report.objects, report.entries) == (3, 9)


@pytest.mark.names_keys
@pytest.mark.damaged
def test_a_sorted_set_of_another_type_is_for_people(sound, raw):
    raw.delete(SET)
    raw.set(SET, 'x')
    report = sound.objects.repair()
    assert report.counts == {'wrong_type': 1} and not report.repaired


# -- info --------------------------------------------------------------------------------------


@pytest.mark.names_keys
def test_info_tells_of_sorted_sets(sound, raw):
    info = sound.objects.info()
    by_name = {field.name: field for field in info.fields}
    assert by_name['title'].sorted.entries == by_name['year'].sorted.entries == 3
    assert by_name['artist'].sorted is None
    assert info.sortedMemory == sum(raw.memory_usage(key) for key in (SET, BY_NAME))
    parts = (info.rowMemory, info.keysMemory, info.indexMemory, info.sortedMemory)
    assert info.memory == sum(parts)
    assert info.asDict()['memory']['sorted'] == info.sortedMemory
    assert info.asDict()['fields'][0]['sorted']['entries'] == 3
    assert 'title: IRField(str), sorted: 3 entries' in str(info)
    (found,) = IR.findModels()
    assert found.sortedFields == ['title', 'year']
    assert 'sorted sets: title, year' in str(found)


@pytest.mark.names_keys
@pytest.mark.damaged
def test_info_advises_what_to_do_with_an_empty_sorted_set(sound, raw):
    raw.delete(SET)
    raw.zrem(BY_NAME, 1)
    advice = '\n'.join(sound.objects.info().advice)
    assert 'year: its sorted set is empty; call objects.reindex().' in advice
    assert 'title: its sorted set has 2 entries for 3 objects; call objects.check()' in advice


@pytest.mark.plain_model
def test_fields_that_say_it_themselves(make_model, raw):
    model = make_model([IRField('name', unique=True), IRField('year', valueType=int, sorted=True)])
    model.saver.save([model(name=name, year=year) for name, year in (('a', 9), ('b', 7))])
    assert model.objects.orderBy('year').valuesList('name', flat=True) == ['b', 'a']
    assert model.objects.filter(year__gte=8, name='a').count() == 1
    assert key_names(raw, '*:keys:sorted:*') == [f'_ir_|{model.KEY_NAME}:keys:sorted:year'.encode()]
    with pytest.raises(IR.UniqueError, match='name'):
        model(name='a').save()
    twin = exact(model)._validated()
    assert [column.name for column in twin.sorted] == ['year']
    assert [unique.names for unique in twin.uniques] == [('name',)]
