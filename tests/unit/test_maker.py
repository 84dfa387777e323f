"""Objects from rows of values, by generated code. The rule: they equal what the constructor makes
of the same values, or the same error is raised."""

from __future__ import annotations

import pytest
import samples
import samples_types

from IndexedRedis import IRField, irNull
from IndexedRedis.errors import FieldValueError
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField

from .build import define

ODD = [None, irNull, 'IRNullType()', '', 0, True, 7, -1, 2**53, 2**70, 'x', b'x', 1.5, [], [3, 4]]


def outcome(make):
    """The values of an object, or the error."""
    try:
        obj = make()
    except FieldValueError as error:
        return str(error)
    return {name: (type(v), v) for name, v in obj.__dict__.items()}


def check(model, names, row):
    nulls = [irNull if value is None else value for value in row]
    named = {name: v for name, v in zip(names, nulls, strict=True) if name is not None}
    made = outcome(lambda: model._maker(names)(row))
    assert repr(made) == repr(outcome(lambda: model(**named)))
    return made


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
        IRField('truth', valueType=bool),
        IRForeignLinkField('one', target),
        IRForeignMultiLinkField('many', target),
    )
    for field in fields:
        check(define(field, name='Odd'), [field.name], [value])


def test_fields_and_values_without_each_other():
    model = define('a', IRField('b', valueType=int, defaultValue=5), 'c', name='Some')
    made = check(model, ['c', None, 'a'], ['x', object(), 'y'])
    assert (made['a'][1], made['b'][1], made['c'][1]) == ('y', 5, 'x')


def test_a_constructor_of_its_own_is_called():
    base = define('name', name='Base')

    class Own(base):
        def __init__(self, *args, **values):
            super().__init__(*args, **values)
            self.seen = values

    assert Own._maker(['name', None])(['x', 1]).seen == {'name': 'x'}
