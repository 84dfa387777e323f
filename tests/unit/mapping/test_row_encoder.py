"""Rows of values, encoded by generated code. The rule: the stored bytes are those of an object that
is made of the same values, or the same error is raised."""

from __future__ import annotations

import math

import pytest
from samples import fields as samples
from samples import types as samples_types

from IndexedRedis import IRField, irNull
from IndexedRedis.errors import FieldValueError
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField
from unit.build import define

ODD = [None, irNull, 'IRNullType()', '', 0, True, 7, -1, 2**53, 2**70, 'x', b'x', [], [3, 4]]
ODD += [1.5, -0.0, 1e22, 5e-324, math.inf, math.nan]


def outcome(encode):
    """The stored bytes of a row, or the error."""
    try:
        return encode()
    except FieldValueError as error:
        return str(error)


def check(model, names, row):
    schema = model._validated()
    nulls = [irNull if value is None else value for value in row]
    named = {name: v for name, v in zip(names, nulls, strict=True) if name is not None}
    stored = outcome(lambda: schema.row_encoder(names, {})(row))
    assert stored == outcome(lambda: schema.encoder.rows([model(**named)], {})[0])
    return stored


@pytest.mark.parametrize('table', [samples, samples_types])
def test_samples_of_all_fields(table):
    for sample in table.SAMPLES:
        field = sample.make()
        for value in (sample.given, None):
            check(define(field), [field.name], [value])


@pytest.mark.parametrize('value', ODD, ids=repr)
def test_odd_values(value):
    target = define('name', name='Target')
    fields = (
        IRField('text'),
        IRField('number', valueType=int),
        IRField('real', valueType=float),
        IRField('truth', valueType=bool),
        IRForeignLinkField('one', target),
        IRForeignMultiLinkField('many', target),
    )
    for field in fields:
        check(define(field, name='Odd'), [field.name], [value])


def test_fields_and_values_without_each_other():
    model = define('a', IRField('b', valueType=int, defaultValue=5), 'c', name='Some')
    assert check(model, ['c', None, 'a'], ['x', object(), 'y']) == (b'y', b'5', b'x')


def test_converters_get_what_is_not_of_the_type_of_the_field():
    fields = IRField('number', valueType=int), IRField('real', valueType=float)
    names = 'text', 'number', 'real'
    encode = define('text', *fields, name='Some')._validated().row_encoder
    converters = dict.fromkeys(names, lambda value: b'<%s>' % repr(value).encode())
    quick = encode(names, converters)
    assert quick(['x', 1, 1.0]) == (b'x', b'1', b'1.0')
    assert quick([1, 'x', 1]) == (b'<1>', b"<'x'>", b'<1>')
    assert quick([None, True, True]) == (b'<None>', b'<True>', b'<True>')
    called = encode(names, converters, {'number', 'real'})
    assert called(['x', 1, 1.0]) == (b'x', b'<1>', b'<1.0>')


def test_a_field_with_a_reader_of_its_own_is_always_called():
    class Backwards(IRField):
        def _fromStorage(self, stored):
            return stored.decode()[::-1]

    schema = define(Backwards('text'), name='Some')._validated()
    assert schema.row_encoder(['text'], {'text': lambda value: b'called'})(['x']) == (b'called',)
