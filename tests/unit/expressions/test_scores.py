"""The scores of values in sorted sets. The rule: of two values, the lower one never has the higher
score, whatever the type of the field."""

from __future__ import annotations

import datetime
import enum
import ipaddress
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from IndexedRedis import IRClassicField, IRField, IRRawField, irNull
from IndexedRedis._core.column import Column
from IndexedRedis.cli.exact import ExactField
from IndexedRedis.fields import (
    IRBase64Field,
    IRBytesField,
    IRCompressedField,
    IREnumField,
    IRFieldChain,
    IRFixedPointField,
    IRForeignLinkField,
    IRForeignMultiLinkField,
    IRPickleField,
    IRUnicodeField,
)
from unit.fields.test_conversion_properties import BYTES, TEXTS, TYPES

MAX = sys.float_info.max


def column(field):
    return Column('Song', field, indexed=False, sorted=True)


def score(it, value):
    """The score of a value, by its stored bytes."""
    return float(it.score_of_stored(it.encode(it.from_input(value))))


class Mood(enum.Enum):
    LOW = 'z'
    HIGH = 'a'


class Name(str, enum.Enum):  # noqa: UP042, as programs for older Pythons write it
    ABBA = 'abba'
    ACDC = 'acdc'


MORE = [
    pytest.param(column(IRFixedPointField('name')), st.floats(-1e9, 1e9), id='fixed point'),
    pytest.param(column(IRUnicodeField('name', encoding='utf-16')), TEXTS, id='utf-16'),
    pytest.param(column(IRBytesField('name')), BYTES, id='bytes field'),
    pytest.param(column(IRBase64Field('name')), BYTES, id='base64'),
    pytest.param(column(IRCompressedField('name')), BYTES, id='compressed'),
    pytest.param(
        column(IRFieldChain('name', [IRField(valueType=int), IRBase64Field()])),
        st.integers(-(10**30), 10**30),
        id='chain',
    ),
    pytest.param(column(IREnumField('name', Name)), st.sampled_from(Name), id='enum of texts'),
    *(
        pytest.param(
            column(IRField('name', valueType=kind)),
            st.builds(
                lambda address, bits, kind=kind: kind((address, bits), **strict(kind)),
                st.ip_addresses(v=version),
                st.integers(0, 32 if version == 4 else 128),
            ),
            id=kind.__name__,
        )
        for version, kind in (
            (4, ipaddress.IPv4Interface),
            (4, ipaddress.IPv4Network),
            (6, ipaddress.IPv6Interface),
        )
    ),
]


def strict(kind):
    return {} if 'Interface' in kind.__name__ else {'strict': False}


SORTABLE = [each for each in TYPES if each.values[0].field.canSort] + MORE


@pytest.mark.parametrize(('it', 'values'), SORTABLE)
@given(data=st.data())
def test_a_lower_value_never_has_the_higher_score(it, values, data):
    one, other = (it.from_input(data.draw(values)) for _ in range(2))
    for low, high in (one, other), (other, one):
        assert not low <= high or score(it, low) <= score(it, high)
    for value in (one, other):
        assert math.isfinite(score(it, value)) or math.isnan(value)
        assert it.field.toScore(it.decode(it.encode(value))) == score(it, value)


@given(texts=st.lists(TEXTS, min_size=2, max_size=9))
def test_texts_that_differ_in_their_first_six_bytes_differ_in_their_scores(texts):
    it = column(IRField('name'))
    heads = {text.encode()[:6].ljust(6, b'\0') for text in texts}
    assert len({score(it, text) for text in texts}) == len(heads)
    assert score(it, 'abc') < score(it, 'abcd') < score(it, 'b')
    assert score(it, 'abcdef') == score(it, 'abcdefg')


@pytest.mark.parametrize(
    ('field', 'value', 'expected'),
    [
        (IRField('n', valueType=int), 2**53, 2.0**53),
        (IRField('n', valueType=int), -7, -7),
        (IRField('n', valueType=int), 10**400, MAX),
        (IRField('n', valueType=int), -(10**400), -MAX),
        (IRField('n', valueType=float), math.inf, MAX),
        (IRField('n', valueType=float), -0.0, 0),
        (IRField('n', valueType=float), 0.1, 0.1),
        (IRField('n', valueType=float), math.nan, math.inf),
        (IRField('n', valueType=bool), True, 1),
        (IRField('n', valueType=datetime.date), '1970-01-02', 1),
        (IRField('n', valueType=datetime.datetime), '1970-01-02 00:00:01', 86401),
        (IRField('n', valueType=datetime.time), '00:01:00.5', 60.5),
        (IRField('n', valueType=datetime.timedelta), '-1', -1),
        (IRField('n', valueType=ipaddress.IPv4Address), '0.0.1.0', 256),
        (IREnumField('n', Mood), Mood.HIGH, 1),
        (IRClassicField('n'), '', 0),
        (IRClassicField('n'), '\x01', 2.0**40),
    ],
    ids=str,
)
def test_the_scores_of_the_reference(field, value, expected):
    it = column(field)
    assert score(it, value) == expected
    assert it.score_of_stored(it.encode(it.from_input(value))) == b'%.17g' % expected


@pytest.mark.parametrize('value_type', [str, int, float, datetime.date])
def test_null_and_what_cannot_be_read_have_the_score_above_all(value_type):
    it = column(IRField('name', valueType=value_type))
    assert it.score_of_stored(it.encode(irNull)) == it.score_of_stored(None) == b'inf'
    assert it.score_of_stored(b'\xff\xfe') == b'inf'


def test_a_field_that_a_row_lacks_has_the_score_of_its_default():
    assert column(IRField('n', valueType=int, defaultValue=5)).score_of_stored(None) == b'5'
    assert column(IRClassicField('n')).score_of_stored(None) == b'0'


@pytest.mark.parametrize(
    'field',
    [
        IRField('n', valueType=list),
        IRField('n', valueType=None),
        IRField('n', valueType=ZeroDivisionError),
        IRRawField('n'),
        IRPickleField('n'),
        IRForeignLinkField('n', 'Song'),
        IRForeignMultiLinkField('n', 'Song'),
        IRFieldChain('n', [IRPickleField(), IRCompressedField()]),
    ],
    ids=lambda field: type(field).__name__,
)
def test_a_field_without_an_order_says_so(field):
    assert not field.canSort


class Length(IRField):
    """A field type of a user's: texts by their length."""

    def _toScore(self, value):
        return len(value)


def test_a_field_type_of_ones_own_gives_its_scores():
    assert score(column(Length('n')), 'abc') == 3
    assert column(Length('n')).score_of_stored(column(Length('n')).encode(irNull)) == b'inf'


@pytest.mark.parametrize(
    'inner', [IRField('n', valueType=int, defaultValue=3), IRClassicField('n')]
)
def test_the_twin_that_holds_stored_bytes_has_the_same_scores(inner):
    it, twin = column(inner), column(ExactField(inner))
    assert twin.field.canSort
    for stored in (None, b'12', b'IRNullType()', b'\xff'):
        assert twin.score_of_stored(stored) == it.score_of_stored(stored)
