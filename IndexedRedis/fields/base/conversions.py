"""The conversions of ``IRField(valueType=...)``. A new value type is a file in ``values/``."""

from __future__ import annotations

import datetime
from importlib import import_module
from typing import Any

from ...encoding import to_unicode, tobytes
from ..FieldValueTypes import IRDatetimeValue, IRJsonValue, json_from_text, json_to_text
from ..null import IR_NULL_STR, irNull, means_null
from ..values.exact import exact_float, exact_int, number_score
from ..values.moment import moment_score
from ..values.own import own_type
from ..values.text import bytes_score, text_of, text_score
from ..values.value_type import ASCII, ValueType

__all__ = ('ValueType', 'class_of', 'value_type_of')


def text_from_input(value: Any, encoding: str | None = None) -> str:
    """Return a value as text.

    :param encoding: encoding of bytes; None means the default one
    :raises TypeError: if the type of the value has no obvious text
    :raises ValueError: if it is the text that means null, or a NaN
    """
    text: str = refuse_null_text(text_of(value, encoding))
    return text


def refuse_null_text(text: Any) -> Any:
    """Return text or bytes unchanged.

    :raises ValueError: if they mean null in the database
    """
    if means_null(text):
        raise ValueError(f'the text {IR_NULL_STR!r} means null in the database; assign irNull')
    return text


_BOOLS = {'true': True, '1': True, 'false': False, '0': False}


def _bool_from_input(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    text = to_unicode(value).lower()
    if text == '':
        return irNull
    try:
        return _BOOLS[text]
    except KeyError:
        raise ValueError('a bool is true, false, 1 or 0') from None


def _bool_from_storage(stored: Any) -> Any:
    return _bool_from_input(to_unicode(stored, 'utf-8'))


def _bytes_from_input(value: Any) -> bytes:
    if isinstance(value, (bytearray, memoryview)):
        value = bytes(value)
    if not isinstance(value, (bytes, str)):
        raise TypeError(f'needs bytes or text, not {type(value).__name__}')
    encoded: bytes = refuse_null_text(tobytes(value))
    return encoded


def plain_from_input(value: Any) -> Any:
    """Return a value unchanged.

    :raises TypeError: if Redis cannot store it without conversion
    """
    if isinstance(value, bool) or not isinstance(value, (bytes, str, int, float)):
        raise TypeError(f'needs bytes, text or a number, not {type(value).__name__}')
    return value


def _plain_or_null_from_input(value: Any) -> Any:
    return refuse_null_text(plain_from_input(value))


def plain_to_storage(value: Any) -> Any:
    """Return bytes and text as they are, numbers as their text."""
    return value if isinstance(value, (bytes, str)) else repr(value)


def _same(value: Any) -> Any:
    return value


def _json_from_storage(stored: bytes) -> Any:
    return json_from_text(stored) if stored else irNull


_VALUE_TYPES: dict[Any, ValueType] = {
    str: ValueType(
        text_from_input, _same, to_unicode, can_index=True, canonical=True, score=text_score
    ),
    int: ASCII(
        exact_int,
        repr,
        int,
        can_index=True,
        canonical=True,
        score=number_score,
        exact=True,
    ),
    float: ASCII(exact_float, repr, float, can_index=False, score=number_score, exact=True),
    bool: ASCII(
        _bool_from_input,
        str,
        _bool_from_storage,
        can_index=True,
        canonical=True,
        score=number_score,
        exact=True,
    ),
    bytes: ValueType(_bytes_from_input, _same, _same, can_index=False, score=bytes_score),
    None: ValueType(_plain_or_null_from_input, plain_to_storage, _same, can_index=False),
    IRDatetimeValue: ASCII(
        IRDatetimeValue,
        str,
        IRDatetimeValue,
        can_index=True,
        eager=False,
        score=moment_score,
    ),
    IRJsonValue: ASCII(
        IRJsonValue, json_to_text, _json_from_storage, can_index=False, immutable=False, eager=False
    ),
}
_ALIASES: dict[Any, Any] = {
    datetime.datetime: IRDatetimeValue,
    dict: IRJsonValue,
    list: IRJsonValue,
    tuple: IRJsonValue,
}


# Types that most programs do not store, by full name: the file in ``values/``, which is imported by
# those that do. Some import modules that take long.
_LATER = {
    'datetime.date': 'date',
    'datetime.time': 'time',
    'datetime.timedelta': 'timedelta',
    'decimal.Decimal': 'decimal',
    'uuid.UUID': 'uuid',
}


def _made_later(cls: Any) -> ValueType | None:
    """Return the conversions of a type whose file a program imports only if it needs it."""
    file = _LATER.get(f'{cls.__module__}.{cls.__qualname__}')
    if file is not None:
        kind: ValueType = import_module(f'..values.{file}', __package__).TYPE
        return kind
    if cls.__module__ == 'ipaddress' and not cls.__name__.startswith('_'):
        made: ValueType = import_module('..values.address', __package__).address_type(cls)
        return made
    return None


def _with_places(cls: Any, places: int) -> ValueType:
    if getattr(cls, '__module__', '') != 'decimal':
        raise TypeError('decimalPlaces= needs valueType=Decimal; use IRFixedPointField for floats.')
    if places < 0:
        raise ValueError(f'decimalPlaces={places!r} is negative; use 0 or more.')
    kind: ValueType = import_module('..values.decimal', __package__).with_places(places)
    return kind


def class_of(value_type: Any) -> Any:
    """Return the class of the values of a value type; ``Any`` if they can be of several."""
    if value_type is IRDatetimeValue:
        return datetime.datetime
    return Any if value_type in (None, IRJsonValue) else value_type


def value_type_of(given: Any, places: int | None = None) -> tuple[Any, ValueType]:
    """Return a value type and its conversions.

    :param given: the ``valueType`` argument of a field
    :param places: the ``decimalPlaces`` argument
    :raises TypeError: if ``given`` is not a type, or is a set type, or has no decimal places
    :raises ValueError: if ``places`` is negative
    """
    if places is not None:
        return given, _with_places(given, places)
    if given in (set, frozenset):
        raise TypeError(f'valueType={given.__name__} has no stored form; use list, or pickle.')
    if given is not None and not isinstance(given, type):
        raise TypeError(f'valueType={given!r} is not a type; give a class such as int or str.')
    named: Any = _ALIASES.get(given, given)
    return named, _VALUE_TYPES.get(named) or _made_later(named) or own_type(named)
