"""Rows become plain values by generated code. The rule: they are what objects of these rows say,
however many rows there are."""

from __future__ import annotations

from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from IndexedRedis import UnreadableValueError, setDefaultIREncoding
from IndexedRedis._core.mapping.plain_values import Shape
from IndexedRedis._core.mapping.schema import MAX_DECODERS
from unit.build import define, load
from unit.fields.test_fields_contract import SAMPLES, alike, column, label
from unit.mapping.test_rows import ROW, TYPES, says, things

KNOWN = [row for row in SAMPLES if not column(row.make).is_link]


@pytest.mark.parametrize('row', KNOWN, ids=lambda row: f'{label(row.make)}-{row.stored!r:.20}')
@pytest.mark.parametrize('count', [1, 20])
def test_each_type_of_field(row, count):
    field = row.make()
    model = define(field)
    decoder = model._validated().value_decoder((field.name,), Shape.SINGLE)
    expected = load(model, **{field.name: row.stored}).asDict(strKeys=True)[field.name]
    for found in decoder.items(range(1, count + 1), [[row.stored]] * count, b''):
        assert found is None if expected is None else alike(found, expected)


@given(st.lists(ROW, min_size=1, max_size=12))
def test_values_are_those_of_objects(rows):
    model = things()
    schema = model._validated()
    names = tuple(TYPES)
    objs = schema.builder(schema.all).objects(range(len(rows)), rows, b'')
    for shape, plain in ((Shape.DICT, dict), (Shape.TUPLE, lambda each: tuple(each.values()))):
        decoder = schema.value_decoder(names, shape)
        found = says(decoder.items, range(len(rows)), rows, b'')
        assert found == says(lambda plain=plain: [plain(o.asDict(strKeys=True)) for o in objs])


def test_an_error_names_the_object():
    schema = define('a', 'b', name='Song')._validated()
    decoder = schema.value_decoder(('b', 'a'), Shape.TUPLE)
    for count in (2, 20):
        rows = [[b'x', b'y']] * count + [[b'\xff', b'y']]
        with pytest.raises(UnreadableValueError, match=f'Song.b of the object with pk {count}'):
            decoder.items(range(count + 1), rows, b'')


def test_decoders_are_kept_but_not_without_end():
    schema = define('a', 'b')._validated()
    kept = schema.value_decoder(('a',), Shape.TUPLE)
    assert schema.value_decoder(('a',), Shape.TUPLE) is kept
    assert schema.value_decoder(('a',), Shape.SINGLE) is not kept
    for names in islice(product('ab', repeat=12), 2 * MAX_DECODERS):
        schema.value_decoder(names, Shape.TUPLE)
        assert len(schema._decoders) <= MAX_DECODERS


def test_another_default_encoding_takes_effect():
    schema = define('a')._validated()
    assert schema.value_decoder(('a',), Shape.SINGLE).items([1], [[b'\xc3\xa9']], b'') == ['é']
    setDefaultIREncoding('latin-1')
    try:
        assert schema.value_decoder(('a',), Shape.SINGLE).items([1], [[b'\xc3\xa9']], b'') == ['Ã©']
    finally:
        setDefaultIREncoding('utf-8')
