"""The text of assigned values: ``valueType=str``.

The rule: text, and what has one obvious text. Anything else is refused with the field that fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ...encoding import to_unicode
from .value_type import missing

__all__ = (
    'ADDRESSES',
    'bytes_score',
    'class_names',
    'for_class',
    'plain_notation',
    'text_of',
    'text_score',
)

# Digits of the longest number of PostgreSQL. A Decimal of a few bytes can have a billion.
MAX_DIGITS = 200_000
# The kinds of numbers and bools of numpy.
_NUMBERS = ('b', 'i', 'u', 'f')
# The full names of the classes of ipaddress.
ADDRESSES = [
    f'ipaddress.IPv{n}{kind}' for n in '46' for kind in ('Address', 'Interface', 'Network')
]

# Bytes of a text that its score holds: a double holds whole numbers of 53 bits exactly.
SCORE_BYTES = 6

V = TypeVar('V')


def text_of(value: Any, encoding: str | None = None) -> str:
    """Return the text that a text field stores for a value.

    :param encoding: encoding of bytes; None means the default one
    :raises TypeError: if the type of ``value`` has no obvious text; the message names a field
    :raises ValueError: if ``value`` is a NaN, or bytes that are not text
    """
    if isinstance(value, bytes):
        return to_unicode(value, encoding)
    if isinstance(value, str):
        # The str() of a member of an Enum with text values names the class.
        return str.__str__(value) if 'enum.Enum' in class_names(value) else str(value)
    convert = for_class(value, _TEXTS)
    if convert is not None:
        return convert(value)
    if _is_numpy_number(value):
        return _text_if_equal(value)
    raise TypeError(_refusal(value))


def class_names(value: Any) -> list[str]:
    """Return the full names of the classes that a value is an instance of, its own first.

    Names, so that modules such as uuid are not imported before a program uses them.
    """
    return [f'{cls.__module__}.{cls.__qualname__}' for cls in type(value).__mro__]


def for_class(value: Any, table: Mapping[str, V]) -> V | None:
    """Return the entry of a table for the class of a value, else for its nearest base, else None.

    :param table: entries by the full names of classes
    """
    return next((table[name] for name in class_names(value) if name in table), None)


def plain_notation(value: Any) -> str:
    """Return a Decimal as digits without an exponent.

    :raises ValueError: if it is infinite or a NaN, or has more digits than a database can store
    """
    if not value.is_finite():
        raise ValueError('it is not a number that has digits; assign None for null')
    if abs(value.as_tuple().exponent) > MAX_DIGITS:
        raise ValueError(f'it has more than {MAX_DIGITS:,} digits')
    return format(value, 'f')


def text_score(value: str) -> float:
    """Return the first six bytes of a text in UTF-8 as a number. They order as characters do."""
    return bytes_score(value[:SCORE_BYTES].encode('utf-8', 'surrogatepass'))


def bytes_score(value: bytes) -> float:
    """Return the first six bytes as a number; missing ones count as zeros."""
    return float(int.from_bytes(value[:SCORE_BYTES].ljust(SCORE_BYTES, b'\0'), 'big'))


def _text_if_equal(value: Any) -> str:
    if missing(value):
        raise ValueError(
            'a text field does not take NaN or NaT; assign None for null, or use a field of '
            'valueType=float'
        )
    return str(value)


def _float_text(value: Any) -> str:
    _text_if_equal(value)
    return float.__repr__(value)


def _is_numpy_number(value: Any) -> bool:
    kind = getattr(getattr(value, 'dtype', None), 'kind', '')
    return kind in _NUMBERS and getattr(value, 'shape', None) == ()


_TEXTS: dict[str, Callable[[Any], str]] = {
    'builtins.bool': str,
    'builtins.int': int.__repr__,
    'builtins.float': _float_text,
    'decimal.Decimal': plain_notation,
    'uuid.UUID': str,
    'datetime.date': _text_if_equal,
    'datetime.datetime': _text_if_equal,
    'datetime.time': str,
    **dict.fromkeys(ADDRESSES, str),
}

# What to use instead, by the full names of classes.
_REMEDIES = {
    'builtins.dict': 'Use a field of valueType=dict',
    'builtins.list': 'Use a field of valueType=list',
    'builtins.tuple': 'Use a field of valueType=list',
    'builtins.set': 'Use a field of valueType=list and assign sorted(value), or IRPickleField',
    'builtins.frozenset': 'Use a field of valueType=list and assign sorted(value), or '
    'IRPickleField',
    'builtins.bytearray': 'Use IRBytesField',
    'builtins.memoryview': 'Use IRBytesField',
    'enum.Enum': 'Use IREnumField, or assign its name or its value',
    'datetime.timedelta': 'Use a field of valueType=datetime.timedelta',
    'builtins.function': 'A default is a value; call the function',
    'builtins.method': 'A default is a value; call the method',
    'builtins.builtin_function_or_method': 'A default is a value; call the function',
    'builtins.type': 'A class is no value',
    'pandas._libs.missing.NAType': 'Assign None for null',
    'fractions.Fraction': 'Use a field of valueType=float or Decimal',
}


def _refusal(value: Any) -> str:
    other = 'Assign str(value), or use IRPickleField or a field type of your own'
    remedy = for_class(value, _REMEDIES) or other
    return f'a text field does not take a {type(value).__name__}. {remedy}'
