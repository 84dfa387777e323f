"""``valueType=datetime.timedelta``, stored as seconds: ``-3600``, ``0.25``.

The rule: the stored digits are exact, and without zeros at the end of the fraction.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from .value_type import ASCII, ascii_text, missing

__all__ = ('TYPE',)

_SECONDS = re.compile(r'(-?)(\d+)(?:\.(\d{1,6}))?', re.ASCII)
# The form of str(), and that of SQL: the sign of days is theirs alone, else that of all.
_CLOCK = re.compile(
    r'(?:([+-]?\d+) days?, |(-?))(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?',
    re.ASCII,
)


def _from_input(value: Any) -> datetime.timedelta:
    if not isinstance(value, datetime.timedelta):
        return _from_text(ascii_text(value, 'a timedelta'))
    if missing(value):
        raise ValueError('it is no time span; assign None for null')
    if getattr(value, 'nanoseconds', 0):
        raise ValueError('it has nanoseconds; a timedelta ends at microseconds. Round it first')
    return datetime.timedelta(value.days, value.seconds, value.microseconds)


def _from_text(text: str) -> datetime.timedelta:
    if form := _SECONDS.fullmatch(text):
        span = datetime.timedelta(seconds=int(form[2]), microseconds=_microseconds(form[3]))
        return -span if form[1] else span
    if form := _CLOCK.fullmatch(text):
        span = datetime.timedelta(
            hours=int(form[3]),
            minutes=int(form[4]),
            seconds=int(form[5]),
            microseconds=_microseconds(form[6]),
        )
        return -span if form[2] else span + datetime.timedelta(days=int(form[1] or 0))
    raise ValueError('a timedelta as text is seconds, such as 90.5, or has the form HH:MM:SS')


def _microseconds(digits: str | None) -> int:
    return int((digits or '').ljust(6, '0'))


def _to_storage(value: datetime.timedelta) -> str:
    total = (value.days * 86400 + value.seconds) * 10**6 + value.microseconds
    seconds, rest = divmod(abs(total), 10**6)
    fraction = f'.{rest:06d}'.rstrip('0') if rest else ''
    return f'{"-" if total < 0 else ""}{seconds}{fraction}'


def _from_storage(stored: Any) -> datetime.timedelta:
    return _from_text(ascii_text(stored, 'a timedelta'))


def _score(value: datetime.timedelta) -> float:
    return value / datetime.timedelta(seconds=1)


TYPE = ASCII(
    _from_input,
    _to_storage,
    _from_storage,
    can_index=True,
    eager=False,
    canonical=True,
    score=_score,
)
