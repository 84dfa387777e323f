"""``valueType=decimal.Decimal``, stored in plain notation.

The rule: exact. Equal numbers such as ``1.5`` and ``1.50`` have one stored form: without zeros at
the end of the fraction, or with a fixed number of decimal places.
"""

from __future__ import annotations

import functools
import operator
from decimal import Decimal, InvalidOperation
from typing import Any

from .exact import digits_of, number_score
from .text import plain_notation
from .value_type import ASCII, ValueType, ascii_text, missing

__all__ = ('TYPE', 'with_places')


def _from_input(value: Any) -> Decimal:
    text = plain_notation(_exact(value))
    if '.' in text:
        text = text.rstrip('0').rstrip('.')
    return Decimal(text) or Decimal(0)


def _exact(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return Decimal(value)
    if hasattr(value, '__index__'):  # whole numbers, also those of numpy
        return Decimal(operator.index(value))
    if isinstance(value, float):
        number = Decimal(float.__repr__(value))
        if not missing(value) and number != value:
            raise ValueError(
                f'a float is not exact. Assign Decimal({str(number)!r}), or use IRFixedPointField'
            )
        return number
    try:
        return Decimal(ascii_text(value, 'a Decimal').strip())
    except InvalidOperation:
        raise ValueError('it is no number') from None


def _from_storage(stored: Any) -> Decimal:
    value = Decimal(ascii_text(stored, 'a Decimal'))
    if not value.is_finite():
        raise ValueError('it is not a number that has digits')
    return value


TYPE = ASCII(
    _from_input,
    plain_notation,
    _from_storage,
    can_index=True,
    canonical=True,
    score=number_score,
)


def _padded(places: int, value: Any) -> Decimal:
    number = _exact(value)
    padded = Decimal(digits_of(number, places))
    if padded != number:
        raise ValueError(
            f'it has more than {places} decimal places. Round it first, such as by '
            f'round(value, {places})'
        )
    return padded or abs(padded)


def with_places(places: int) -> ValueType:
    """Return the conversions of Decimals that are stored with so many decimal places."""
    from_input = functools.partial(_padded, places)
    fixed: ValueType = TYPE._replace(from_input=from_input)
    return fixed
