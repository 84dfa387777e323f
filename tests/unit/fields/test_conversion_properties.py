"""Conversions on any values at all. The rule: each property holds for every value of the type."""

from __future__ import annotations

import datetime
import json
import math
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples.fields import NULL, Level

from IndexedRedis import FieldValueError, IRClassicField, IRField, IRRawField, irNull
from IndexedRedis._core.column import Column
from IndexedRedis.fields import IRDatetimeField, IRDecimalField, IREnumField, IRFixedPointField

# Python refuses to print or parse ints of more than 4,300 digits.
INTS = st.integers() | st.integers(0, 4299).map(lambda digits: -(10**digits) + 1)
TEXTS = st.text().filter(lambda text: text.encode() != NULL)
BYTES = st.binary().filter(lambda stored: stored != NULL)
LEAVES = st.none() | st.booleans() | INTS | st.floats(allow_nan=False) | TEXTS
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda number: abs(number.as_tuple().exponent) < 1000
)
ZONES = st.integers(-1439, 1439).map(
    lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
)
# Two days off the ends, so that the same moment exists in every zone.
AWARE = st.datetimes(datetime.datetime(1, 1, 3), datetime.datetime(9999, 12, 29), timezones=ZONES)
CONTAINERS = st.lists(TREES) | st.dictionaries(TEXTS, TREES)


def column(field: IRField) -> Column:
    return Column('Song', field, indexed=True)


TYPES = [
    pytest.param(column(IRField('name')), TEXTS, id='text'),
    pytest.param(column(IRField('name', hashIndex=True)), TEXTS, id='hashed text'),
    pytest.param(column(IRClassicField('name')), TEXTS, id='classic'),
    pytest.param(column(IRField('name', valueType=int)), INTS, id='int'),
    pytest.param(column(IRField('name', valueType=float)), st.floats(), id='float'),
    pytest.param(column(IRField('name', valueType=bool)), st.booleans(), id='bool'),
    pytest.param(column(IRField('name', valueType=dict)), CONTAINERS, id='json'),
    pytest.param(column(IRField('name', valueType=bytes)), BYTES, id='bytes'),
    pytest.param(column(IRField('name', valueType=None)), BYTES, id='plain'),
    pytest.param(column(IRRawField('name')), BYTES, id='raw'),
    pytest.param(
        column(IRField('name', valueType=datetime.datetime)),
        st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
        id='datetime',
    ),
    pytest.param(column(IRField('name', valueType=Decimal)), DECIMALS, id='decimal'),
    pytest.param(
        column(IRDecimalField('name', decimalPlaces=2)), st.decimals(-9, 9, places=2), id='cents'
    ),
    pytest.param(column(IRField('name', valueType=datetime.date)), st.dates(), id='date'),
    pytest.param(column(IRField('name', valueType=datetime.time)), st.times(), id='time'),
    pytest.param(column(IRField('name', valueType=datetime.timedelta)), st.timedeltas(), id='span'),
    pytest.param(column(IRField('name', valueType=UUID)), st.uuids(), id='uuid'),
    pytest.param(column(IRField('name', valueType=IPv4Address)), st.ip_addresses(v=4), id='ipv4'),
    pytest.param(column(IRField('name', valueType=IPv6Address)), st.ip_addresses(v=6), id='ipv6'),
    pytest.param(column(IRDatetimeField('name', microseconds=True)), st.datetimes(), id='moment'),
    pytest.param(
        column(IRDatetimeField('name', aware=True, microseconds=True)), AWARE, id='aware moment'
    ),
    pytest.param(column(IREnumField('name', Level)), st.sampled_from(Level), id='enum'),
]
every_type = pytest.mark.parametrize(('it', 'values'), TYPES)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


@every_type
@given(data=st.data())
def test_what_was_stored_comes_back(it, values, data):
    value = it.from_input(data.draw(values))
    stored = it.encode(value)
    fetched = it.decode(stored)
    assert same(fetched, value)
    assert isinstance(fetched, type(value))
    assert it.encode(fetched) == stored


@every_type
@given(data=st.data())
def test_no_value_is_stored_as_null(it, values, data):
    value = it.from_input(data.draw(values))
    assert it.encode(value) != NULL


@pytest.mark.parametrize(
    ('it', 'values'), [each for each in TYPES if each.values[0].field.CAN_INDEX]
)
@given(data=st.data())
def test_insert_update_and_filter_have_one_index_key(it, values, data):
    value = it.from_input(data.draw(values))
    expected = it.index_of(value)
    assert it.index_of_stored(it.encode(value)) == expected == it.indexes_of_filter(value)[0]


@every_type
@given(data=st.data())
def test_an_assigned_value_equals_what_was_given(it, values, data):
    value = data.draw(values)
    assigned = it.from_input(value)
    assert same(assigned, value)
    assert same(it.from_input(assigned), value)
    assert type(it.decode(it.encode(assigned))) is type(assigned)


CANONICAL = [each for each in TYPES if each.values[0].field.CAN_INDEX]


@pytest.mark.parametrize(('it', 'values'), CANONICAL)
@given(data=st.data())
def test_equal_values_and_no_others_share_an_index_key(it, values, data):
    one, other = data.draw(values), data.draw(values)
    keys = {it.index_of(it.from_input(value)) for value in (one, other)}
    assert (len(keys) == 1) is (one == other)


@given(number=DECIMALS, zeros=st.integers(0, 9))
def test_zeros_at_the_end_of_a_decimal_do_not_count(number, zeros):
    it = column(IRField('name', valueType=Decimal))
    longer = Decimal(f'{number:f}{"" if number.as_tuple().exponent < 0 else "."}{"0" * zeros}')
    assert longer == number
    assert it.encode(it.from_input(longer)) == it.encode(it.from_input(number))
    assert str(it.from_input(longer)) == str(it.from_input(number))


@given(moment=AWARE, zone=ZONES)
def test_a_moment_has_one_form_in_all_zones(moment, zone):
    it = column(IRDatetimeField('name', aware=True, microseconds=True))
    elsewhere = moment.astimezone(zone)
    for spelled in (elsewhere, elsewhere.isoformat(), str(elsewhere)):
        assert it.encode(it.from_input(spelled)) == it.encode(it.from_input(moment))


@given(number=st.decimals(-(10**12), 10**12, places=5), places=st.integers(0, 4))
def test_fixed_point_rounds_decimals_exactly(number, places):
    it = column(IRFixedPointField('name', decimalPlaces=places))
    try:
        stored = it.encode(it.from_input(number))
    except FieldValueError as error:
        assert 'IRDecimalField' in str(error)
    else:
        assert Decimal(stored.decode()) == round(number, places)


@given(before=TEXTS, after=TEXTS)
def test_values_differ_in_the_index_if_they_differ(before, after):
    it = column(IRField('name'))
    assert (it.index_of(before) == it.index_of(after)) is (before == after)


@given(value=TREES)
def test_json_stores_what_json_prints(value):
    it = column(IRField('name', valueType=list))
    if isinstance(value, str):
        value = json.dumps(value)
        assert it.encode(it.from_input(value)) == value.encode()
    elif value is None:
        assert it.encode(it.from_input(value)) == NULL
    else:
        assert it.encode(it.from_input(value)) == json.dumps(value).encode()


@given(moment=st.datetimes(), as_text=st.booleans())
def test_a_datetime_keeps_its_seconds(moment, as_text):
    it = column(IRField('name', valueType=datetime.datetime))
    assert it.from_input(str(moment) if as_text else moment) == moment.replace(microsecond=0)


@given(value=st.text(st.characters(categories=['Cs']), min_size=1))
def test_text_with_surrogates_is_refused_by_name(value):
    with pytest.raises(FieldValueError, match=r'Song\.name'):
        column(IRField('name')).encode(value)


@given(value=st.sampled_from(['IRNullType()', b'IRNullType()']))
@pytest.mark.parametrize('value_type', [str, bytes, None])
def test_the_null_text_is_refused_as_a_value(value_type, value):
    it = column(IRField('name', valueType=value_type))
    with pytest.raises(FieldValueError, match='null'):
        it.from_input(value)
    with pytest.raises(FieldValueError, match='null'):
        it.encode(value)


READABLE = [str, int, float, bool, datetime.datetime, dict, bytes]
READABLE += [Decimal, datetime.date, datetime.time, datetime.timedelta, UUID, IPv4Address]


@given(stored=st.binary())
@pytest.mark.parametrize('value_type', READABLE)
def test_any_bytes_are_read_or_refused_by_name(value_type, stored):
    it = column(IRField('name', valueType=value_type))
    try:
        value = it.decode(stored, pk=7)
    except ValueError as exc:
        assert str(exc).startswith('Song.name of the object with pk 7: the stored bytes')
    else:
        assert same(it.decode(it.encode(value)), value)
        assert value is not irNull or stored in (NULL, b'', b'null') or json.loads(stored) is None
