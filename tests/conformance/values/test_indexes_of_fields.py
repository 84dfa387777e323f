"""Indexes of every kind of field. The rule: after each write an object is in the index set of what
it stores and in no other, whatever field it is, and whatever 6.0.3 made of it before."""

from __future__ import annotations

import base64
import datetime
import enum
import ipaddress
import uuid
import zlib
from decimal import Decimal
from hashlib import md5

import pytest

from IndexedRedis import IRClassicField, IRField, irNull
from IndexedRedis.fields import (
    IRBase64Field,
    IRBytesField,
    IRCompressedField,
    IRDatetimeField,
    IRDecimalField,
    IREnumField,
    IRFieldChain,
    IRFixedPointField,
    IRUnicodeField,
)

DAY = datetime.datetime(2015, 5, 12)
UTC = DAY.replace(tzinfo=datetime.UTC)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


# A field, and two values of it.
FIELDS = {
    'text': (IRField('f'), 'a:b', 'é☃'),
    'hashed text': (IRField('f', hashIndex=True), 'a', 'é'),
    'classic': (IRClassicField('f'), 'a', 'b'),
    'int': (IRField('f', valueType=int), 5, -3),
    'hashed int': (IRField('f', valueType=int, hashIndex=True), 5, -3),
    'bool': (IRField('f', valueType=bool), True, False),
    'datetime': (IRField('f', valueType=datetime.datetime), DAY, DAY.replace(day=13)),
    'decimal': (IRField('f', valueType=Decimal), Decimal('1.50'), Decimal('-0.0')),
    'hashed decimal': (IRField('f', valueType=Decimal, hashIndex=True), Decimal('1.50'), 0),
    'cents': (IRDecimalField('f', decimalPlaces=2), Decimal('1.5'), Decimal('-0')),
    'date': (IRField('f', valueType=datetime.date), DAY.date(), datetime.date(1, 1, 1)),
    'time': (IRField('f', valueType=datetime.time), datetime.time(1, 2, 3, 4), datetime.time()),
    'span': (
        IRField('f', valueType=datetime.timedelta),
        *(-datetime.timedelta(microseconds=1), datetime.timedelta(hours=1)),
    ),
    'uuid': (IRField('f', valueType=uuid.UUID), uuid.UUID(int=1), uuid.UUID(int=2**127)),
    'address': (
        IRField('f', valueType=ipaddress.IPv6Address),
        *map(ipaddress.IPv6Address, ('::1', 'fe80::1')),
    ),
    'aware': (IRDatetimeField('f', aware=True), UTC, UTC.replace(day=13)),
    'fine': (
        IRDatetimeField('f', aware=True, microseconds=True),
        *(UTC, UTC + datetime.timedelta(microseconds=1)),
    ),
    'enum': (IREnumField('f', Level), Level.LOW, Level.HIGH),
    'hashed enum': (IREnumField('f', Level, by='name', hashIndex=True), Level.LOW, Level.HIGH),
    'decimal base64': (
        IRFieldChain('f', [IRField(valueType=Decimal), IRBase64Field]),
        *(Decimal('1.50'), Decimal(2)),
    ),
    'fixed': (IRFixedPointField('f', decimalPlaces=2), 2.5, 0.0),
    'bytes': (IRBytesField('f'), b'\x00\xff', b''),
    'base64': (IRBase64Field('f'), b'\x00\xff', b'QUJD'),
    'unicode': (IRUnicodeField('f', encoding='utf-16'), 'é', ''),
    'zlib': (IRCompressedField('f'), b'hello', b'x\xdaabc'),
    'bz2': (IRCompressedField('f', 'bz2'), b'hello', b''),
    'lzma': (IRCompressedField('f', 'lzma'), b'hello', b'\xfd7zXZ'),
    'int base64': (IRFieldChain('f', [IRField(valueType=int), IRBase64Field]), 14, 15),
    'text base64': (IRFieldChain('f', [IRField(), IRBase64Field]), 'Hello', 'QUJD'),
    'text zlib base64': (IRFieldChain('f', [IRField, IRCompressedField, IRBase64Field]), 'a', ''),
    'utf-16 zlib': (
        IRFieldChain('f', [IRUnicodeField(encoding='utf-16'), IRCompressedField]),
        *'aé',
    ),
    'fixed zlib': (IRFieldChain('f', [IRFixedPointField, IRCompressedField]), 1.5, 2.25),
    'day zlib': (
        IRFieldChain('f', [IRField(valueType=datetime.datetime), IRCompressedField]),
        *(DAY, DAY.replace(day=13)),
    ),
    'text text': (IRFieldChain('f', [IRField, IRField]), 'a', 'b'),
    'text text hashed': (IRFieldChain('f', [IRField, IRField], hashIndex=True), 'a', 'b'),
}


@pytest.fixture(params=FIELDS)
def kind(request):
    return request.param


@pytest.fixture
def model(kind, make_model):
    return make_model([FIELDS[kind][0].copy(), 'other'], indexed=['f'])


def found(model, value):
    """Pks found by the filter, the same by every way of asking."""
    query = model.objects.filter(f=value)
    pks = query.getPrimaryKeys(sortByAge=True)
    assert [obj._id for obj in query.allByAge()] == pks
    assert query.count() == len(pks)
    others = model.objects.filter(f__ne=value).getPrimaryKeys()
    assert sorted([*pks, *others]) == model.objects.getPrimaryKeys(sortByAge=True)
    return pks


@pytest.mark.plain_model
def test_from_insert_to_delete(model, kind, check, raw):
    _, one, two = FIELDS[kind]
    null = '' if kind == 'classic' else irNull
    objs = [model(f=one), model(f=two), model()]
    model.saver.save(objs[:2])
    objs[2].save()
    check()
    assert (found(model, one), found(model, two), found(model, null)) == ([1], [2], [3])
    stored = model.objects.allByAge()
    stored[0].f, stored[1].f, stored[2].f = two, null, one
    stored.save()
    check()
    assert (found(model, one), found(model, two), found(model, null)) == ([3], [1], [2])
    objs[2].f = two  # set while the object in hand is out of date
    objs[2].save()
    check()
    assert (found(model, one), found(model, two), found(model, null)) == ([], [1, 3], [2])
    assert model.objects.reindex() == model.saver.reindex(model.objects.all()) == 3
    check()
    assert model.objects.filter(f=two).delete() == 2
    assert model.objects.get(2).delete() == 1
    assert not raw.keys(f'_ir_|{model.KEY_NAME}:idx:*')


@pytest.mark.plain_model
def test_reindex_brings_back_what_is_missing(model, kind, check, raw):
    _, one, two = FIELDS[kind]
    model.saver.save([model(f=value) for value in (one, two, one)])
    raw.delete(*raw.keys(f'_ir_|{model.KEY_NAME}:idx:*'))
    assert found(model, one) == []
    assert model.saver.reindex([model.objects.get(1)]) == 1
    assert found(model, one) == [1]
    assert model.objects.reindex() == 3
    check()
    assert (found(model, one), found(model, two)) == ([1, 3], [2])


def test_the_update_of_another_field_leaves_the_index_alone(model, kind, check):
    one = FIELDS[kind][1]
    model(f=one, other='x').save()
    obj = model.objects.filter(f=one).first()
    obj.other = 'y'
    assert list(obj.getUpdatedFields()) == ['other']
    obj.save()
    check()
    assert found(model, one) == [1]


def hexmd5(stored):
    return md5(stored).hexdigest()


WRONG = {
    'base64': hexmd5(base64.b64encode(base64.b64encode(b'\x00\xff'))),
    'text base64': hexmd5(base64.b64encode(base64.b64encode(b'Hello'))),
    'text zlib base64': hexmd5(
        base64.b64encode(zlib.compress(base64.b64encode(zlib.compress(b'a', 9)), 9))
    ),
}


@pytest.mark.plain_model
@pytest.mark.parametrize('kind', WRONG)
@pytest.mark.parametrize('right_too', [True, False])
@pytest.mark.parametrize(
    'way', ['reindex', 'reindex objects', 'update', 'delete', 'by pk', 'filtered', 'convert']
)
def test_entries_that_were_encoded_twice_go(model, kind, raw, check, way, right_too):
    _, one, two = FIELDS[kind]
    model(f=one).save()
    base = f'_ir_|{model.KEY_NAME}:idx:'
    (right,) = raw.keys(f'{base}*')
    raw.sadd(f'{base}f:{WRONG[kind]}', 1)
    if not right_too and way != 'filtered':
        raw.srem(right, 1)
    obj = model.objects.get(1)
    if way == 'update':
        obj.f = two
        obj.save()
        assert found(model, two) == [1]
    else:
        {
            'reindex': model.objects.reindex,
            'reindex objects': lambda: model.saver.reindex([obj]),
            'delete': obj.delete,
            'by pk': lambda: model.deleter.deleteByPk(1),
            'filtered': model.objects.filter(f=one).delete,
            'convert': model.objects.compat_convertHashedIndexes,
        }[way]()
    assert not raw.exists(f'{base}f:{WRONG[kind]}')
    check()


@pytest.mark.plain_model
def test_a_filter_does_not_follow_an_entry_that_was_encoded_twice(make_model, raw):
    model = make_model([IRBase64Field('f')], indexed=['f'])
    model.saver.save([model(f=b'\x00\xff'), model(f=base64.b64encode(b'\x00\xff'))])
    assert raw.sismember(f'_ir_|{model.KEY_NAME}:idx:f:{WRONG["base64"]}', 2)
    assert (found(model, b'\x00\xff'), found(model, b'AP8=')) == ([1], [2])
    model.objects.reindex()
    assert (found(model, b'\x00\xff'), found(model, b'AP8=')) == ([1], [2])


@pytest.mark.plain_model
def test_a_name_with_a_colon(make_model, check, raw):
    fields = [IRField('a:b'), IRBase64Field('c:d'), IRField('x')]
    model = make_model(fields, indexed=['a:b', 'c:d'])
    obj = model(**{'a:b': '1:2', 'c:d': b'z', 'x': ''})
    obj.save()
    assert raw.smembers(f'_ir_|{model.KEY_NAME}:idx:a:b:1:2') == {b'1'}
    assert model.objects.filter(**{'a:b': '1:2', 'c:d': b'z'}).getPrimaryKeys() == [1]
    assert model.objects.filter(**{'a:b__ne': '1:2'}).getPrimaryKeys() == []
    setattr(obj, 'a:b', ':')
    obj.save()
    check()
    assert model.objects.filter(**{'a:b': ':'}).delete() == 1
