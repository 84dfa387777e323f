"""Models with near names. The rule: a model owns its keys by their exact names; whatever KEY_NAME
contains, no other model's data is read, changed or removed."""

from __future__ import annotations

import pytest
from support.keyspace import but_counters, dump

NAMES = [
    *(
        'A',
        'a',
        'AA',
        'A:B',
        'A:B:C',
        'A*',
        'A?',
        '[AB]',
        '[x]',
        'A\\',
        'A^',
        'A-B',
        '{A}',
        '{A}:B',
    ),
    *("A'", 'A"', "'; redis.call('FLUSHALL') --", 'A\r\nFLUSHALL\r\n', 'A\0', ' ', 'A B', '%s{0}'),
    *('Ä', '歌', '🎵', 'data', 'A:datum', 'A:index', 'A:next1', '_ir_|A', 'x' * 500),
]


@pytest.fixture
def models(make_model):
    """One model for each name, all of the same fields and with two objects."""
    made = [make_model(['a', 'b'], indexed=['a'], key_name=name) for name in NAMES]
    for number, model in enumerate(made):
        model.saver.save([model(a='same', b=str(number)), model(a=f'own {number}', b='second')])
    return made


def own_data(model, keyspace):
    """What of the database belongs to a model: its keys begin with its name and a kind of key."""
    base = f'_ir_|{model.KEY_NAME}:'.encode()
    kinds = (b'data:', b'idx:', b'tmp:')
    return {
        key: content
        for key, content in keyspace.items()
        if key in (base + b'keys', base + b'next')
        or (key.startswith(base) and key.removeprefix(base).startswith(kinds))
    }


def test_each_model_sees_its_own_objects_only(models):
    for number, model in enumerate(models):
        assert [obj.b for obj in model.objects.allByAge()] == [str(number), 'second']
        assert [obj.b for obj in model.objects.filter(a='same').all()] == [str(number)]
        assert model.objects.count() == 2
        assert model.objects.filter(a__ne=f'own {number}').getPrimaryKeys() == [1]


CHANGES = {
    'destroyModel': lambda model: model.deleter.destroyModel(),
    'delete': lambda model: model.objects.delete(),
    'filtered delete': lambda model: model.objects.filter(a='same').delete(),
    'reset': lambda model: model.reset([model(a='same', b='new')]),
    'empty reset': lambda model: model.reset([]),
    'save': lambda model: model(a='same', b='new').save(),
    'reindex': lambda model: model.objects.reindex(),
    'check': lambda model: model.objects.check(),
    'repair': lambda model: model.objects.repair(),
}


@pytest.mark.plain_model
@pytest.mark.parametrize('change', CHANGES)
def test_a_change_of_one_model_touches_no_key_of_another(models, raw, change):
    before = dump(raw)
    for model in models:
        CHANGES[change](model)
        after = dump(raw)
        mine = own_data(model, before).keys() | own_data(model, after).keys()
        others = [{k: v for k, v in data.items() if k not in mine} for data in (before, after)]
        assert others[0] == others[1]
        before = after


@pytest.mark.plain_model
def test_a_repair_puts_back_what_was_damaged_and_nothing_else(models, raw):
    sound = dump(raw)
    for model in models:
        base = f'_ir_|{model.KEY_NAME}:'
        raw.sadd(f'{base}idx:a:stale', 1)
        raw.srem(f'{base}idx:a:same', 1)
        raw.set(f'{base}next', 1)
        raw.hset(f'{base}data:9', 'a', 'ghost')
    expected = dump(raw)
    for model in models:
        report = model.objects.repair()
        assert report.counts == report.repaired
        assert set(report.counts) == {'entry_stale', 'entry_missing', 'counter_low', 'row_unlisted'}
        for key in own_data(model, expected):
            del expected[key]
        expected.update(own_data(model, sound))
        assert dump(raw) == expected
    assert expected == sound


@pytest.mark.plain_model
def test_destroyModel_leaves_nothing_of_its_own(models, raw):
    left = len(models)
    for model in models:
        assert model.deleter.destroyModel() == 5  # :keys, two rows, two index sets
        left -= 1
        assert len(but_counters(raw)) == 5 * left


@pytest.mark.plain_model
@pytest.mark.damaged
def test_keys_that_are_none_of_the_model_are_left_alone(song, raw):
    song(title='a').save()
    strangers = [f'_ir_|{song.KEY_NAME}{end}' for end in ('', ':', ':other', ':keys:x', 'x:keys')]
    for name in strangers:
        raw.set(name, 'mine')
    song.reset([song(title='b')])
    song.deleter.destroyModel()
    counter = {f'_ir_|{song.KEY_NAME}:next'.encode(): b'2'}
    assert dump(raw) == {name.encode(): b'mine' for name in strangers} | counter
