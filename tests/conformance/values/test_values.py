"""Unusual values. The rule: a value is data, in the row, in the index and in a filter."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import FieldValueError, IRField

TEXTS = {
    'empty': '',
    'newline': 'a\nb\r\n',
    'NUL': '\0a\0',
    'colon': ':a::b:idx:c:',
    'glob': '*?[a-z]\\^',
    'RESP': '*2\r\n$3\r\nDEL\r\n$1\r\na\r\n',
    'Lua': "'..redis.call('FLUSHALL')..'",
    'percent': '%s %d %1 {0} {}',
    'spaces': '  a  ',
    'unicode': 'é☃𝄞\u202e\ufeff',
    'number': '007',
    'None': 'None',
    'nearly null': 'IRNullType',
    'a megabyte': 'x' * 2**20,
}


@pytest.mark.parametrize('hashed', [False, True], ids=['plain', 'hashed'])
@pytest.mark.parametrize('text', TEXTS)
def test_a_text_goes_through_everything_unchanged(make_model, text, hashed):
    model = make_model([IRField('t', hashIndex=hashed), 'u'], indexed=['t', 'u'])
    value = TEXTS[text]
    model.saver.save([model(t=value, u='1'), model(t='other'), model(t=value)])
    assert model.objects.get(1).t == value
    for filters, pks in (
        ({'t': value}, [1, 3]),
        ({'t__ne': value}, [2]),
        ({'t': value, 'u': '1'}, [1]),
        ({'t': value, 'u__ne': '1'}, [3]),
    ):
        query = model.objects.filter(**filters)
        assert query.getPrimaryKeys(sortByAge=True) == pks
        assert [obj._id for obj in query.allByAge()] == pks
        assert query.count() == len(pks)
        assert query.random()._id in pks
    obj = model.objects.get(3)
    obj.t, obj.u = 'changed', value
    obj.save()
    assert model.objects.filter(t=value).getPrimaryKeys() == [1]
    assert model.objects.filter(u=value).first().t == 'changed'
    assert model.objects.filter(t=value).delete() == 1
    model.reset([model(t=value, u=value)])
    assert model.objects.filter(t=value, u=value).count() == 1
    assert model.objects.all()[0].t == value


def test_bytes_that_are_no_text_stay_what_they_are(make_model):
    model = make_model([IRField('b', valueType=bytes), IRField('n', valueType=None)])
    everything = bytes(range(256))
    model(b=everything, n=b'IRNullType').save()
    assert (model.objects.get(1).b, model.objects.get(1).n) == (everything, b'IRNullType')


@pytest.mark.plain_model
def test_a_lone_surrogate_is_refused_and_the_object_saved_once_it_was_corrected(song, raw):
    obj = song(title='good', artist='x')
    obj.artist = 'lone \ud800'
    with pytest.raises(FieldValueError, match=rf'{song.__name__}\.artist') as caught:
        obj.save()
    assert isinstance(caught.value, ValueError)
    assert dump(raw) == {}
    assert obj.getPk() is None
    obj.artist = 'right'
    assert obj.save() == [1]
    obj.artist = 'again \udfff'
    with pytest.raises(FieldValueError):
        obj.save()
    assert obj.hasUnsavedChanges()
    obj.artist = 'right again'
    obj.save()
    assert song.objects.filter(artist='right again').count() == 1
    assert song.objects.filter(artist='right').count() == 0


@pytest.mark.parametrize('value', ['IRNullType()', b'IRNullType()'])
def test_the_text_that_means_null_is_refused_as_a_value(make_model, raw, value):
    model = make_model(['t', IRField('b', valueType=bytes), IRField('n', valueType=None)])
    for name in ('t', 'b', 'n'):
        with pytest.raises(FieldValueError, match=rf'{model.__name__}\.{name}.*null'):
            model(**{name: value}).save()
    assert dump(raw) == {}


def test_a_text_that_is_json_stays_text(make_model):
    model = make_model([IRField('j', valueType=dict)])
    model(j={'a': '{"b": 1}', 'é': [None, True, 2, 2.5, '☃😀']}).save()
    assert model.objects.get(1).j == {'a': '{"b": 1}', 'é': [None, True, 2, 2.5, '☃😀']}
