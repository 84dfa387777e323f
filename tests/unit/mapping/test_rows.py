"""Rows become objects, and objects rows and commands, by generated code. The rule: the quick ways
say just what the columns say, one by one, however many rows there are."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from IndexedRedis import IRField, irNull, setDefaultIREncoding
from IndexedRedis._core.mapping.decoder import ROWS_WITHOUT_MEMO
from IndexedRedis._core.mapping.encoder import compile_packer
from IndexedRedis._core.mapping.resp import compile_setter, get_rows, unpacked
from IndexedRedis.encoding import getDefaultIREncoding
from IndexedRedis.errors import UnreadableValueError
from unit.build import define

NULL = b'IRNullType()'
TYPES = {'s': str, 'i': int, 'f': float, 'b': bool, 'y': bytes, 'listed': str, 'counted': int}
ODD = [None, NULL, b'', b'7', b'-12', b' 3 ', b'1_0', b'x', b'1.5', b'nan', b'\xff', b'True']
STORED = st.sampled_from(ODD) | st.binary(max_size=3)
ROW = st.tuples(*[STORED] * len(TYPES))
VALUES = {
    'text': st.text(max_size=5) | st.sampled_from([irNull, '潒汵', 'x' * 300]),
    'number': st.integers() | st.just(irNull),
    'truth': st.sampled_from([True, False, irNull]),
}


def things():
    fields = [IRField(name, valueType=kind) for name, kind in TYPES.items()]
    fields[1] = IRField('i', valueType=int, defaultValue=5)
    return define(*fields, indexed=['listed', 'counted'], name='Thing')


def tracks():
    return define('text', IRField('number', valueType=int), IRField('truth', valueType=bool))


@pytest.fixture
def no_utf8():
    before = getDefaultIREncoding()
    setDefaultIREncoding('utf-16-le')
    yield
    setDefaultIREncoding(before)


def says(read, *args):
    """What comes of it, in a form that can be compared."""
    try:
        value = read(*args)
    except UnreadableValueError:
        return 'unreadable'
    return repr(value)


def agree(rows):
    model = things()
    schema = model._validated()
    objs = schema.builder(schema.all).objects(range(1, len(rows) + 1), rows, b'')
    for pk, (obj, row) in enumerate(zip(objs, rows, strict=True), 1):
        assert obj._id == pk
        for column, stored in zip(schema.all, row, strict=True):
            assert says(getattr, obj, column.name) == says(column.decode, stored)


@given(st.lists(ROW, max_size=ROWS_WITHOUT_MEMO))
def test_few_rows_are_decoded_as_columns_do(rows):
    agree(rows)


@given(st.lists(ROW, min_size=ROWS_WITHOUT_MEMO + 1, max_size=3 * ROWS_WITHOUT_MEMO))
def test_many_rows_are_decoded_as_columns_do(rows):
    agree(rows)


@pytest.mark.parametrize('count', [1, ROWS_WITHOUT_MEMO + 1])
def test_rows_in_another_encoding(no_utf8, count):
    schema = things()._validated()
    row = ['é'.encode('utf-16-le'), b'1', b'1', b'true', b'y', 'ß'.encode('utf-16-le'), b'2']
    for obj in schema.builder(schema.all).objects(range(count), [row] * count, b''):
        assert (obj.s, obj.listed, obj.i, obj.counted) == ('é', 'ß', 1, 2)


def encoded(rows):
    model = tracks()
    schema = model._validated()
    objs = [model(**row) for row in rows]
    expected = [tuple(c.encode(obj.__dict__[c.slot]) for c in schema.all) for obj in objs]
    return schema.encoder.rows(objs, {}), expected


@given(st.lists(st.fixed_dictionaries(VALUES), max_size=3 * ROWS_WITHOUT_MEMO))
def test_objects_are_encoded_as_columns_do(rows):
    found, expected = encoded(rows)
    assert found == expected


@pytest.mark.parametrize('count', [1, ROWS_WITHOUT_MEMO + 1])
def test_objects_in_another_encoding(no_utf8, count):
    found, expected = encoded([{'text': 'é', 'number': 1, 'truth': True}] * count)
    assert found == expected
    assert found[0] == ('é'.encode('utf-16-le'), b'1', b'True')


@given(st.lists(st.tuples(*[st.binary(max_size=300)] * 3), max_size=4))
def test_rows_are_packed_as_they_are(rows):
    columns = tracks()._validated().all
    names = [b'row:%d' % number for number in range(len(rows))]
    parts = [[x for pair in zip((b'text', b'number', b'truth'), row, strict=True) for x in pair]
             for row in rows]  # fmt: skip
    sets = compile_setter(columns)(names, rows)
    assert [unpacked(each) for each in sets] == [
        ('HSET', name, *some) for name, some in zip(names, parts, strict=True)
    ]
    assert [msgpack.unpackb(each, raw=True) for each in compile_packer(columns)(rows)] == parts


@given(st.lists(st.integers(1, 2**53 - 1), max_size=5), st.lists(st.binary(max_size=300)))
def test_rows_are_asked_for_by_pk(pks, fields):
    commands = get_rows(b'prefix:', [b'%d' % pk for pk in pks], tuple(fields))
    assert [unpacked(each) for each in commands] == [
        ('HMGET', b'prefix:%d' % pk, *fields) for pk in pks
    ]
