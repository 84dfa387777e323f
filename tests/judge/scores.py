"""What the checker knows of scores. The rule: it shares no code with the library.

A score is worked out from the stored bytes alone, in another way than the library does.
"""

from __future__ import annotations

import calendar
import datetime
import decimal
import ipaddress
import math
import uuid
from collections.abc import Callable
from fractions import Fraction
from typing import Any

# Whether stored bytes have a score.
Score = Callable[[bytes, float], bool]

NULL = b'IRNullType()'
HIGHEST = Fraction(2) ** 1024 - Fraction(2) ** 970


def score_of(field: Any) -> Score:
    """How the stored bytes of a field are scored; of a field type that is not known here, anything
    but null may have any finite score."""
    by_type = {
        **{str: _text, int: _number, float: _number, decimal.Decimal: _number, uuid.UUID: _uuid},
        **{bool: lambda stored: {b'True': 1, b'False': 0}[stored], datetime.date: _date},
        **{datetime.time: _time, datetime.timedelta: _number, ipaddress.IPv4Address: _address},
    }
    kind, named = type(field).__name__, getattr(field.valueType, '__name__', '')
    known = kind in ('IRField', 'IRClassicField', 'IRDecimalField', 'IRFixedPointField')
    exact = by_type.get(field.valueType) if known else None
    if named == 'IRDatetimeValue':
        exact = _moment

    def fits(stored: bytes, score: float) -> bool:
        if stored == NULL:
            return score == math.inf
        if exact is None:
            return math.isfinite(score)
        return _is_nearest(exact(stored), score)

    return fits


def _is_nearest(exact: Any, score: float) -> bool:
    """Whether no double is nearer to a number."""
    if exact is None or math.isinf(score):
        return exact is None and score == math.inf  # no number
    exact = max(-HIGHEST, min(HIGHEST, exact))
    beside = (math.nextafter(score, way) for way in (-math.inf, math.inf))
    return all(
        abs(Fraction(score) - exact) <= abs(Fraction(other) - exact)
        for other in beside
        if math.isfinite(other)
    )


def _text(stored: bytes) -> int:
    return sum(byte << 8 * (5 - place) for place, byte in enumerate(stored[:6]))


def _number(stored: bytes) -> Fraction | None:
    text = stored.decode()
    if text == 'nan':
        return None
    if text.endswith('inf'):
        return -2 * HIGHEST if text.startswith('-') else 2 * HIGHEST
    return Fraction(text)


def _uuid(stored: bytes) -> int:
    return int(stored.replace(b'-', b''), 16)


def _date(stored: bytes) -> int:
    day = datetime.date.fromisoformat(stored.decode())
    return day.toordinal() - datetime.date(1970, 1, 1).toordinal()


def _time(stored: bytes) -> Fraction:
    hours, minutes, seconds = stored.decode().split(':')
    return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)


def _address(stored: bytes) -> int:
    first, second, third, last = map(int, stored.split(b'.'))
    return ((first * 256 + second) * 256 + third) * 256 + last


def _moment(stored: bytes) -> Fraction:
    moment = datetime.datetime.fromisoformat(stored.decode())
    return calendar.timegm(moment.utctimetuple()) + Fraction(moment.microsecond, 10**6)
