"""info() and findModels() of models with partitions. The rule: they add up what partitions hold,
and tell how evenly that is spread."""

from __future__ import annotations

import json

import pytest
from support.keyspace import dump

import IndexedRedis as IR
from conformance.partitions.made import COUNT, NAME, POINTER, RECORD, fill, goods, keys_of, songs


@pytest.fixture
def stored(redis_params):
    model = songs()
    fill(model)
    return model


def field(info, name):
    return next(each for each in info.fields if each.name == name)


def test_partitions_add_up(stored, raw):
    before, seen = dump(raw), []
    info = stored.objects.info(progress=lambda *step: seen.append(step))
    assert dump(raw) == before
    assert (info.objects, info.rowsOfPartitions, info.edition) == (400, [100] * COUNT, 1)
    assert info.rowsSampled == 400
    assert info.next == max(int(raw.get(key)) for key in keys_of(raw, 'next', 0))
    genre, year = field(info, 'genre').index, field(info, 'year').sorted
    assert (genre.sets, genre.entries, genre.average) == (3 * COUNT, 400, 400 / 3 / COUNT)
    assert genre.top == [(b'g0', 134), (b'g1', 133), (b'g2', 133)]
    assert year.entries == 400
    assert (info.workKeys, dict(info.unused), info.advice) == (0, {}, [])
    assert info.memory == info.rowMemory + info.keysMemory + info.indexMemory + info.sortedMemory
    rows = keys_of(raw, 'data:*')
    assert info.rowMemory == sum(raw.memory_usage(key) for key in rows)
    assert info.keysMemory == sum(raw.memory_usage(key) for key in keys_of(raw, 'keys'))
    assert {step for step, *_ in seen} == {'rows', 'keys'}
    assert all(done <= total for _, done, total in seen)


def test_the_text_and_plain_data(stored):
    info = stored.objects.info()
    text = str(info)
    assert f'{COUNT} partitions of 100 to 100 objects, 100.0 on average; edition 1' in text
    assert (
        f'indexed: {3 * COUNT} index sets in partitions, objects in each: 33.3 on average' in text
    )
    plain = json.loads(json.dumps(info.asDict()))
    assert plain['partitions'] == {
        'edition': 1,
        'count': COUNT,
        'smallest': 100,
        'largest': 100,
        'average': 100.0,
        'rows': [100] * COUNT,
    }


def test_a_plain_model_has_no_partitions(redis_params):
    model = songs(PARTITIONS=0, KEY_NAME='{shop}Plain')
    model(title='x').save()
    info = model.objects.info()
    assert (info.rowsOfPartitions, info.edition, info.asDict()['partitions']) == ([], None, None)
    assert 'partition' not in str(info)


def test_a_model_that_was_never_written(redis_params):
    info = songs().objects.info()
    assert (info.objects, info.rowsOfPartitions, info.next) == (0, [0] * COUNT, None)


def test_uneven_partitions_are_advised_on(redis_params):
    model = goods()
    model.saver.save([model(shop='large', number=n) for n in range(500)])
    (text,) = (text for text in model.objects.info().advice if 'partition' in text)
    assert text.startswith('The largest partition has 500 objects, 4.0 times the average')


def test_fields_that_are_unique_together(redis_params):
    model = goods()
    model.saver.save([model(shop=f's{n % 5}', number=n) for n in range(30)])
    index = model.objects.info().together['shop, number']
    assert (index.sets, index.entries) == (30, 30)


def test_a_small_sample_is_shared_by_the_partitions(stored):
    info = stored.objects.info(sample=10)
    assert info.rowsSampled == COUNT * 3
    assert 0.8 < info.rowMemory / stored.objects.info().rowMemory < 1.2


def test_after_a_reset(stored):
    stored.reset([stored(title=str(n), genre='new', year=n) for n in range(60)])
    info = stored.objects.info()
    assert (info.objects, info.edition, sum(info.rowsOfPartitions)) == (60, 2, 60)
    assert field(info, 'genre').index.top == [(b'new', 60)]


# -- findModels ------------------------------------------------------------------------------


def test_a_model_is_found_once(stored, raw):
    goods()(shop='a', number=1).save()
    songs(PARTITIONS=0, KEY_NAME='{shop}Plain')(title='x', genre='y').save()
    before = dump(raw)
    found = {model.keyName: model for model in IR.findModels()}
    assert dump(raw) == before
    assert sorted(found) == ['{shop}Goods', '{shop}Plain', NAME]
    model = found[NAME]
    assert (model.objects, model.rows, model.partitions, model.edition) == (400, 400, COUNT, 1)
    assert model.indexSets == {'genre': 3 * COUNT}
    assert model.sortedFields == ['year']
    assert model.workKeys == 0
    # A sample of 100 rows and 12 index sets.
    assert model.sampled == 112
    assert 0.8 < model.memory / stored.objects.info().memory < 1.2
    assert model.asDict()['partitions'] == COUNT
    assert str(model).startswith(f'{NAME}: 400 objects in {COUNT} partitions, about ')
    plain = found['{shop}Plain']
    assert (plain.partitions, plain.edition, plain.objects) == (0, None, 1)


def test_other_editions_are_work_keys(stored, raw):
    raw.sadd(keys_of(raw, 'keys')[0].replace(':keys:1:', ':keys:7:'), 1)
    raw.hset(RECORD, '7', f'staged {COUNT}')
    (model,) = IR.findModels()
    assert (model.objects, model.workKeys, model.edition) == (400, 1, 1)


def test_without_a_pointer_the_latest_edition_counts(stored, raw):
    raw.delete(POINTER)
    (model,) = IR.findModels()
    assert (model.objects, model.partitions, model.edition) == (400, COUNT, 1)


def test_a_model_that_holds_nothing_is_not_found(stored):
    stored.deleter.destroyModel()
    assert IR.findModels() == []


def test_plain_objects_under_the_same_name_are_listed_besides(stored, raw):
    raw.sadd(f'_ir_|{NAME}:keys', 1)
    raw.hset(f'_ir_|{NAME}:data:1', 'title', 'x')
    one, other = IR.findModels()
    assert (one.partitions, one.objects) == (COUNT, 400)
    assert (other.partitions, other.objects) == (0, 1)


def test_when_a_model_was_mirrored(stored, raw):
    raw.set(f'_ir_|{NAME}:tmp:mirrored', '2026-01-02T03:04:05+00:00')
    (model,) = IR.findModels()
    assert model.mirroredAt.startswith('2026-01-02')
    assert model.mirroredAt == stored.objects.info().mirroredAt.isoformat()
