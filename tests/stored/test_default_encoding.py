"""The default encoding and stored data. The rule: it holds both ways, for values only; a field with
an encoding of its own, names, index keys of plain text and nulls do not depend on it."""

from __future__ import annotations

import zlib
from base64 import b64encode
from hashlib import md5

import pytest

from IndexedRedis import IRField, getDefaultIREncoding, irNull, setDefaultIREncoding
from IndexedRedis.fields import (
    IRBase64Field,
    IRBytesField,
    IRCompressedField,
    IRFieldChain,
    IRUnicodeField,
)

# The text as it is stored, in each default encoding.
STORED = {'utf-8': b'\xc3\xa9', 'latin-1': b'\xe9', 'utf-16': b'\xff\xfe\xe9\x00'}
OTHER = {'utf-8': b'\xc3\xb8', 'latin-1': b'\xf8', 'utf-16': b'\xff\xfe\xf8\x00'}
NULL = b'IRNullType()'

# Without an encoding of their own: the field, what is stored of encoded text, the fetched value
# (None: the text).
FOLLOWING = {
    'text': (IRField('f'), lambda encoded: encoded, None),
    'hashed': (IRField('f', hashIndex=True), lambda encoded: encoded, None),
    'unicode': (IRUnicodeField('f'), lambda encoded: encoded, None),
    'bytes': (IRBytesField('f'), lambda encoded: encoded, bytes),
    'base64': (IRBase64Field('f'), b64encode, bytes),
    'zlib': (IRCompressedField('f'), lambda encoded: zlib.compress(encoded, 9), bytes),
    'chain': (IRFieldChain('f', [IRField(), IRBase64Field()]), b64encode, None),
}
OWN = {
    'unicode': (IRUnicodeField('f', encoding='utf-8'), b'\xc3\xa9', 'é'),
    'utf-16': (IRUnicodeField('f', encoding='utf-16'), b'\xff\xfe\xe9\x00', 'é'),
    'bytes': (IRBytesField('f', encoding='latin-1'), b'\xe9', b'\xe9'),
    'base64': (IRBase64Field('f', encoding='latin-1'), b'6Q==', b'\xe9'),
    'chain': (
        IRFieldChain('f', [IRUnicodeField(encoding='latin-1'), IRBase64Field()]),
        *(b'6Q==', 'é'),
    ),
}
pytestmark = pytest.mark.damaged  # the checker knows of utf-8 only


@pytest.fixture(params=STORED)
def encoding(request):
    before = getDefaultIREncoding()
    setDefaultIREncoding(request.param)
    yield request.param
    setDefaultIREncoding(before)


def index_key(kind, stored):
    index = 'é'.encode() if kind == 'text' else md5(stored).hexdigest().encode()
    return b'_ir_|Encoded:idx:f:' + index


def one_model(make_model, field):
    return make_model([field.copy(), IRField('n', valueType=int)], ['f', 'n'], key_name='Encoded')


@pytest.mark.parametrize('kind', FOLLOWING)
def test_what_is_written_is_in_the_default_encoding(make_model, raw, encoding, kind):
    field, form, _ = FOLLOWING[kind]
    stored = form(STORED[encoding])
    one_model(make_model, field)(f='é', n=5).save()
    assert raw.hgetall('_ir_|Encoded:data:1') == {b'f': stored, b'n': b'5'}
    assert raw.smembers(index_key(kind, stored)) == {b'1'}
    assert raw.smembers('_ir_|Encoded:idx:n:5') == {b'1'}
    assert len(raw.keys('_ir_|Encoded:idx:*')) == 2


@pytest.mark.parametrize('kind', FOLLOWING)
def test_what_others_wrote_in_it_is_read_filtered_changed_and_deleted(
    make_model, raw, encoding, kind
):
    field, form, as_bytes = FOLLOWING[kind]
    stored = form(STORED[encoding])
    raw.sadd('_ir_|Encoded:keys', 1, 2)
    raw.set('_ir_|Encoded:next', 2)
    raw.hset('_ir_|Encoded:data:1', mapping={'f': stored, 'n': '5'})
    raw.hset('_ir_|Encoded:data:2', mapping={'f': NULL, 'n': NULL})
    raw.sadd(index_key(kind, stored), 1)
    model = one_model(make_model, field)
    assert model.objects.reindex() == 2
    assert len(raw.keys('_ir_|Encoded:idx:*')) == 4
    (obj,) = model.objects.filter(f='é').all()
    assert (obj._id, obj.n) == (1, 5)
    assert obj.f == (STORED[encoding] if as_bytes else 'é')
    (empty,) = model.objects.filter(f=irNull).all()
    assert (empty._id, empty.f) == (2, irNull)
    assert not obj.hasUnsavedChanges()
    obj.f = 'ø'
    obj.save()
    assert raw.hget('_ir_|Encoded:data:1', 'f') == form(OTHER[encoding])
    assert not raw.exists(index_key(kind, stored))
    assert model.objects.filter(f='é').count() == 0
    assert model.objects.filter(f='ø').delete() == 1
    assert model.objects.get(2).delete() == 1
    assert raw.keys('_ir_|Encoded:idx:*') == []


@pytest.mark.parametrize('kind', OWN)
def test_an_encoding_of_its_own_goes_first(make_model, raw, encoding, kind):
    field, stored, value = OWN[kind]
    model = one_model(make_model, field)
    model(f='é', n=5).save()
    model().save()
    assert raw.hget('_ir_|Encoded:data:1', 'f') == stored
    assert raw.hget('_ir_|Encoded:data:2', 'f') == NULL
    assert raw.smembers(index_key(kind, stored)) == {b'1'}
    assert [obj.f for obj in model.objects.allByAge()] == [value, irNull]
    assert model.objects.filter(f='é').getPrimaryKeys() == [1]


@pytest.mark.parametrize('kind', FOLLOWING)
def test_a_reset_moves_every_index_entry(make_model, raw, encoding, kind):
    model = one_model(make_model, FOLLOWING[kind][0])
    model.saver.save([model(f='é'), model(f='ø')])
    model.objects.reset([model(f='ø', n=1)])
    assert model.objects.filter(f='é').all() == []
    assert model.objects.filter(f='ø', n=1).count() == 1
    assert len(raw.keys('_ir_|Encoded:idx:*')) == 2


def test_it_can_change_while_a_model_is_in_use(make_model, raw, encoding):
    model = one_model(make_model, FOLLOWING['text'][0])
    model(f='é').save()
    setDefaultIREncoding('utf-8')
    model(f='é').save()
    assert raw.hget('_ir_|Encoded:data:2', 'f') == b'\xc3\xa9'
    setDefaultIREncoding(encoding)
    assert model.objects.get(1).f == 'é'
