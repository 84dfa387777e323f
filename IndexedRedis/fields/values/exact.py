"""Whole numbers and floats. The rule: a conversion is exact, or the value is refused."""

from __future__ import annotations

import math
from typing import Any

from .text import class_names, plain_notation

__all__ = ('digits_of', 'exact_float', 'exact_int', 'is_decimal', 'number_score')


def is_decimal(value: Any) -> bool:
    """Return whether a value is a Decimal, without importing ``decimal``."""
    return 'decimal.Decimal' in class_names(value)


def exact_int(value: Any) -> int:
    """Return a number, or its digits as text or bytes, as a whole number.

    :raises ValueError: if it is no whole number
    :raises TypeError: if ``value`` is neither a number nor text
    """
    if isinstance(value, (int, str, bytes, bytearray)):
        return int(value)
    if is_decimal(value):
        plain_notation(value)
    number = int(value)
    if number != value:
        raise ValueError(
            'it is no whole number. Round it first, or use IRFixedPointField, IRDecimalField, or '
            'a field of valueType=float'
        )
    return number


def exact_float(value: Any) -> float:
    """Return a number as the float that prints like it. Text is rounded to the nearest float.

    :raises ValueError: if no float is the number, or text is no number
    :raises TypeError: if ``value`` is neither a number nor text
    """
    number = float(value)
    if isinstance(value, (float, str, bytes, bytearray)) or math.isnan(number):
        return number
    if number != value and not (is_decimal(value) and type(value)(repr(number)) == value):
        raise ValueError(
            f'a float cannot hold it exactly, {number!r} is the nearest one. Use IRDecimalField '
            'or a field of valueType=int, or assign float(value)'
        )
    return number


def digits_of(value: Any, places: int) -> str:
    """Return a number with fixed decimal places, rounded half to even from its exact value.

    :param value: a Decimal
    :raises ValueError: if it is infinite, a NaN, or very long
    """
    from decimal import ROUND_HALF_EVEN, Context, Decimal

    plain_notation(value)
    context = Context(prec=abs(value.adjusted()) + abs(places) + 2, rounding=ROUND_HALF_EVEN)
    return plain_notation(value.quantize(Decimal(1).scaleb(-places), context=context))


def number_score(value: Any) -> float:
    """Return the double nearest to a number; an infinity for one that is larger than any."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
