"""The types of ``valueType=`` and the fields of their own, through everything that an object goes
through. The rule: what comes back equals what went in, and has its type."""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import ipaddress
import pickle
import sys
import uuid

import pytest

from IndexedRedis import FieldValueError, IRField, irNull
from IndexedRedis.fields import IRDatetimeField, IRDecimalField, IREnumField


class Color(enum.Enum):
    RED = 'red'
    BLUE = 'blue'


NOON = datetime.datetime(2024, 2, 29, 12, 0, 0, 250000, tzinfo=datetime.UTC)
TOKYO = datetime.timezone(datetime.timedelta(hours=9))
VALUES = {
    'amount': decimal.Decimal('19.90'),
    'cents': decimal.Decimal('19.90'),
    'day': datetime.date(2024, 2, 29),
    'clock': datetime.time(23, 59, 59, 999999),
    'span': -datetime.timedelta(hours=1),
    'key': uuid.UUID(int=7),
    'host': ipaddress.IPv4Address('10.0.0.1'),
    'at': NOON,
    'color': Color.RED,
}
# Each of these is equal to the value above.
RESPELLED = {
    'amount': decimal.Decimal('19.9'),
    'cents': '19.9',
    'day': '2024-02-29',
    'clock': '23:59:59.999999',
    'span': '-1:00:00',
    'key': str(uuid.UUID(int=7)),
    'host': '10.0.0.1',
    'at': NOON.astimezone(TOKYO),
    'color': 'red',
}


FIELDS = [
    IRField('amount', valueType=decimal.Decimal),
    IRDecimalField('cents', decimalPlaces=2),
    IRField('day', valueType=datetime.date),
    IRField('clock', valueType=datetime.time),
    IRField('span', valueType=datetime.timedelta),
    IRField('key', valueType=uuid.UUID),
    IRField('host', valueType=ipaddress.IPv4Address),
    IRDatetimeField('at', aware=True, microseconds=True),
    IREnumField('color', Color),
]


@pytest.fixture
def model(make_model):
    return make_model([field.copy() for field in FIELDS], indexed=list(VALUES), key_name='Typed')


def found(model, filters):
    return model.objects.filter(**filters).getPrimaryKeys(sortByAge=True)


def values(obj):
    shown = obj.asDict(strKeys=True)
    return shown, {name: type(value) for name, value in shown.items()}


EXPECTED = VALUES, {name: type(value) for name, value in VALUES.items()}


def test_what_is_stored_comes_back(model, check, monkeypatch):
    monkeypatch.setattr(sys.modules[model.__module__], model.__name__, model, raising=False)
    model.saver.save([model(**VALUES), model(), model(**RESPELLED)])
    check()
    for pk in (1, 3):
        obj = model.objects.get(pk)
        assert values(obj) == EXPECTED
        assert not obj.hasUnsavedChanges()
        assert values(copy.deepcopy(obj)) == values(pickle.loads(pickle.dumps(obj))) == EXPECTED
        assert obj.copy() == obj.copy()
    assert set(model.objects.get(2).asDict(nullAs=irNull).values()) == {irNull}


@pytest.mark.parametrize('name', VALUES)
def test_equal_values_are_found_by_each_other(model, name):
    model.reset([model(**VALUES), model(), model(**RESPELLED)])
    first, null, last = model.objects.getPrimaryKeys(sortByAge=True)
    for given in (VALUES[name], RESPELLED[name]):
        assert found(model, {name: given}) == [first, last]
        assert found(model, {f'{name}__ne': given}) == [null]
    assert found(model, {name: None}) == [null]
    obj = model.objects.get(last)
    setattr(obj, name, None)
    obj.save()
    assert found(model, {name: VALUES[name]}) == [first]
    assert model.objects.check().ok


def test_the_choice_of_hashing_can_change(model, check):
    model.saver.save([model(**VALUES), model(**RESPELLED)])
    hashed = model.copyModel()
    for field in hashed.FIELDS:
        field.hashIndex = True
    for now in (hashed, model):
        assert now.objects.compat_convertHashedIndexes() == 2
        check(now)
        assert [found(now, {name: given}) for name, given in RESPELLED.items()] == [[1, 2]] * 9


@pytest.mark.names_keys
def test_a_lost_index_is_repaired(model, raw):
    model.saver.save([model(**VALUES), model(**RESPELLED)])
    raw.delete(*raw.keys('_ir_|Typed:idx:*'))
    assert not model.objects.check().ok
    model.objects.repair()
    assert [found(model, {name: given}) for name, given in RESPELLED.items()] == [[1, 2]] * 9


@pytest.mark.parametrize(
    ('kind', 'given'), [(int, 5.5), (int, decimal.Decimal('5.9')), (str, [1]), (str, float('nan'))]
)
def test_a_filter_refuses_what_the_field_does(make_model, kind, given):
    model = make_model([IRField('stock', valueType=kind)], ['stock'])
    model.reset([model(stock=5), model(stock=6)])
    for lookup in ('stock', 'stock__ne'):
        with pytest.raises(FieldValueError, match=r'\.stock: cannot hold'):
            model.objects.filter(**{lookup: given}).count()
    with pytest.raises(FieldValueError, match=r'\.stock: cannot hold'):
        model(stock=given)
    assert model.objects.filter(stock=5.0 if kind is int else 5).count() == 1


def test_zeros_at_the_end_of_a_decimal_are_no_change(model):
    model(**VALUES).save()
    obj = model.objects.first()
    obj.amount = decimal.Decimal('19.900')
    assert not obj.hasUnsavedChanges()
    assert found(model, {'amount': decimal.Decimal('19.9')}) == [1]
