"""`IRDatetimeValue` and `IRJsonValue`, called directly. The rule: they give native values."""

from __future__ import annotations

import copy
import datetime
import enum
import json
import pickle

import pytest

from IndexedRedis import IRField, irNull
from IndexedRedis.fields import IRDatetimeValue, IRJsonValue

NOON = datetime.datetime(2015, 5, 12, 12, 0, 1)
SECONDS = NOON.timestamp()
AWARE = NOON.replace(tzinfo=datetime.UTC)


class Moment(datetime.datetime):
    """Somebody's own datetime."""


@pytest.mark.parametrize(
    'given',
    [
        NOON,
        NOON.replace(microsecond=999999),
        Moment(2015, 5, 12, 12, 0, 1, 5),
        '2015-05-12 12:00:01',
        '2015-05-12 12:00:01.999',
        '2015-05-12T12:00:01',
        '20150512 12:00:01',
        '2015-W20-2 12:00:01',
        '2015-05-12 12:00:01,5',
        b'2015-05-12T12:00:01.123456000',
        b'2015-05-12 12:00:01.5',
        SECONDS,
        SECONDS + 0.75,
        int(SECONDS),
        str(int(SECONDS)),
        f'{SECONDS + 0.5}',
        f'{int(SECONDS)}.',
        str(int(SECONDS)).encode(),
    ],
    ids=repr,
)
def test_a_naive_datetime_without_microseconds(given):
    value = IRDatetimeValue(given)
    assert value == NOON
    assert value.tzinfo is None
    assert str(value) == '2015-05-12 12:00:01'


def test_a_date_is_its_midnight():
    assert (
        IRDatetimeValue(NOON.date())
        == IRDatetimeValue('2015-05-12')
        == NOON.replace(hour=0, second=0)
    )


def test_arguments_of_datetime_itself():
    value = IRDatetimeValue(2015, 5, 12, 12, 0, 1, 203511)
    assert (type(value), value) == (datetime.datetime, NOON)
    assert IRDatetimeValue(year=2015, month=5, day=12) == datetime.datetime(2015, 5, 12)


@pytest.mark.parametrize(
    ('given', 'error', 'fragment'),
    [
        ('2015-05-12 12:00+01', ValueError, 'IRDatetimeField(aware=True)'),
        ('2015-05-12 12+01:00', ValueError, 'IRDatetimeField(aware=True)'),
        ('2015-05-12 12:00:01+01:00', ValueError, 'IRDatetimeField(aware=True)'),
        ('2015-05-12 12:00:01.5Z', ValueError, 'IRDatetimeField(aware=True)'),
        ('2015-05-12 12:00:01.', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        ('2015-05-12 12:00:01.noon', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        ('2015-05-12 12:00:01.5 noon', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        ('2015-05-12x12:00:01', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        ('2015-05-12Z', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        ('2015-05-12 12:00:01.1234567', ValueError, 'microsecond'),
        ('٢015-05-12 12:00:01', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        ('2015-02-30 12:00:01', ValueError, 'day'),
        ('1.2.3', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        ('', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        ('noon', ValueError, 'YYYY-MM-DD HH:MM:SS'),
        (b'\xff', ValueError, 'ascii'),
        (float('nan'), ValueError, 'NaN'),
        (10**20, ValueError, ''),
        (AWARE, ValueError, 'astimezone'),
        (Moment(2015, 5, 12, tzinfo=datetime.UTC), ValueError, 'aware'),
        (None, TypeError, 'NoneType'),
        (True, TypeError, 'bool'),
        ([], TypeError, 'list'),
    ],
    ids=repr,
)
def test_no_datetime_is_made_of_anything_else(given, error, fragment):
    with pytest.raises((error, OverflowError) if isinstance(given, int) else error) as caught:
        IRDatetimeValue(given)
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ('given', 'value', 'native', 'text'),
    [
        ({'a': (1, 2)}, {'a': (1, 2)}, dict, '{"a": [1, 2]}'),
        ([1, None], [1, None], list, '[1, null]'),
        ((1, 2), [1, 2], list, '[1, 2]'),
        ([], [], list, '[]'),
        (14, 14, int, '14'),
        (2.5, 2.5, float, '2.5'),
        ('"text"', 'text', str, '"text"'),
        ('"\u00e9"', '\u00e9', str, '"\\u00e9"'),
        ('{"a": 1}', {'a': 1}, dict, '{"a": 1}'),
        (b'[1, 2]', [1, 2], list, '[1, 2]'),
        ('14', 14, int, '14'),
        ('14.0', 14.0, float, '14.0'),
        ('""', '', str, '""'),
    ],
    ids=repr,
)
def test_json_is_a_native_value_that_prints_as_json(given, value, native, text):
    made = IRJsonValue(given)
    assert made == value
    assert isinstance(made, native)
    assert str(made) == f'{made}' == text
    assert repr(made) == repr(value)
    assert json.dumps(made) == text


@pytest.mark.parametrize(('given', 'value'), [(True, True), ('false', False)])
def test_a_json_bool_is_a_bool(given, value):
    assert IRJsonValue(given) is value


@pytest.mark.parametrize('given', [None, irNull, '', b'', 'null', b'null'], ids=repr)
def test_json_without_a_value_is_null(given):
    assert IRJsonValue(given) is irNull
    assert IRJsonValue() is irNull


@pytest.mark.parametrize(
    ('given', 'error'),
    [
        ('text', ValueError),
        ('{', ValueError),
        (b'\xff\xfe\xfd', ValueError),
        ({1}, TypeError),
        (object(), TypeError),
        (1j, TypeError),
        (NOON, TypeError),
        ({1: 'a'}, TypeError),
        ({'a': 1, None: 2}, TypeError),
        ('{"a": 1, "a": 1}', ValueError),
    ],
    ids=lambda value: getattr(value, '__name__', repr(value)[:20]),
)
def test_what_is_no_json_is_refused(given, error):
    with pytest.raises(error):
        IRJsonValue(given)


class Word(enum.StrEnum):
    KEY = 'key'


def test_keys_of_json_may_be_any_text():
    assert IRJsonValue({Word.KEY: {Word.KEY: 1}}) == {'key': {'key': 1}}


def test_stored_json_with_a_key_twice_can_be_read():
    assert IRField('x', valueType=dict).fromStorage(b'{"a": 1, "a": 2}') == {'a': 2}


@pytest.mark.parametrize('given', ['{"a": [1]}', '[1]', '14', '2.5', '"14"', '"null"', '""'])
def test_json_made_twice_or_copied_stays_what_it_is(given):
    once = IRJsonValue(given)
    for again in (IRJsonValue(once), copy.deepcopy(once), pickle.loads(pickle.dumps(once))):
        assert (type(again), again, str(again)) == (type(once), once, given)


@pytest.mark.parametrize('given', [[1], {'a': 1}], ids=repr)
def test_each_json_container_is_its_own(given):
    once = IRJsonValue(given)
    again = IRJsonValue(once)
    again.clear()
    assert once == given


@pytest.mark.parametrize('given', [set, frozenset, 'int', 5, [int], int | None], ids=repr)
def test_a_value_type_without_a_stored_form_is_refused(given):
    with pytest.raises(TypeError, match='valueType='):
        IRField('name', valueType=given)
