"""The conversions of ``IRField(valueType=...)``. A new value type is a row of ``_VALUE_TYPES``."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from ...encoding import to_unicode, tobytes
from ..FieldValueTypes import IRDatetimeValue, IRJsonValue, json_from_text, json_to_text
from ..null import IR_NULL_STR, irNull, means_null

__all__ = ('ValueType', 'value_type_of')


class ValueType(NamedTuple):
    """The conversions of one value type. Null never reaches them.

    - ``immutable``: values cannot change in place, so they need no snapshot.
    - ``eager``: values are decoded while a result is fetched; else at the first read.
    - ``encoding``: that of stored text; None means the default one.
    - ``canonical``: equal values have equal stored bytes. Text and whole numbers do; the equal
      floats ``0.0`` and ``-0.0`` do not.
    """

    from_input: Callable[[Any], Any]
    to_storage: Callable[[Any], Any]
    from_storage: Callable[[bytes], Any]
    can_index: bool
    immutable: bool = True
    eager: bool = True
    encoding: str | None = None
    canonical: bool = False


def text_from_input(value: Any) -> str:
    """Return a value as text.

    :raises ValueError: if it is the text that means null
    """
    text: str = refuse_null_text(to_unicode(value))
    return text


def refuse_null_text(text: Any) -> Any:
    """Return text or bytes unchanged.

    :raises ValueError: if they mean null in the database
    """
    if means_null(text):
        raise ValueError(f'the text {IR_NULL_STR!r} means null in the database; assign irNull')
    return text


def _int_from_input(value: Any) -> int:
    return int(value)


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


# These types are stored in ASCII, whatever the default encoding is.
_FIXED: Any = functools.partial(ValueType, encoding='utf-8')

_VALUE_TYPES: dict[Any, ValueType] = {
    str: ValueType(text_from_input, _same, to_unicode, can_index=True, canonical=True),
    int: _FIXED(_int_from_input, repr, int, can_index=True, canonical=True),
    float: _FIXED(float, repr, float, can_index=False),
    bool: _FIXED(_bool_from_input, str, _bool_from_storage, can_index=True, canonical=True),
    bytes: ValueType(_bytes_from_input, _same, _same, can_index=False),
    None: ValueType(_plain_or_null_from_input, plain_to_storage, _same, can_index=False),
    IRDatetimeValue: _FIXED(IRDatetimeValue, str, IRDatetimeValue, can_index=True, eager=False),
    IRJsonValue: _FIXED(
        IRJsonValue, json_to_text, _json_from_storage, can_index=False, immutable=False, eager=False
    ),
}
_ALIASES: dict[Any, Any] = {
    datetime.datetime: IRDatetimeValue,
    dict: IRJsonValue,
    list: IRJsonValue,
    tuple: IRJsonValue,
}


def _made_into(cls: type, value: Any) -> Any:
    return value if isinstance(value, cls) else cls(value)


def _own_type(cls: type) -> ValueType:
    """Return the conversions of a user's type: called with input or bytes, stored by ``str()``."""
    return ValueType(
        from_input=functools.partial(_made_into, cls),
        to_storage=str,
        from_storage=cls,
        can_index=bool(getattr(cls, 'CAN_INDEX', False)),
        immutable=False,
        eager=False,
    )


def value_type_of(given: Any) -> tuple[Any, ValueType]:
    """Return a value type and its conversions.

    :param given: the ``valueType`` argument of a field
    :raises TypeError: if ``given`` is not a type, or is a set type
    """
    if given in (set, frozenset):
        raise TypeError(f'valueType={given.__name__} has no stored form; use list, or pickle.')
    if given is not None and not isinstance(given, type):
        raise TypeError(f'valueType={given!r} is not a type; give a class such as int or str.')
    named: Any = _ALIASES.get(given, given)
    return named, _VALUE_TYPES.get(named) or _own_type(named)
