"""Text of moments: ISO 8601. The rule: the whole text is understood, or refused."""

from __future__ import annotations

import datetime
import re

from .value_type import missing

__all__ = ('moment_of_text', 'moment_score', 'plain_datetime')

# fromisoformat takes any separator before the time, and drops digits after the sixth.
_FORM = re.compile(
    r'(\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d-?\d)'
    r'(?:[T ]([\d:]+)(?:[.,](\d+))?)?'
    r'(?: ?(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?))?',
    re.ASCII,
)
_EPOCH, _SECOND = datetime.datetime(1970, 1, 1), datetime.timedelta(seconds=1)
_WANTED = 'a moment as text has the form YYYY-MM-DD HH:MM:SS, or another one of ISO 8601'


def moment_of_text(text: str) -> datetime.datetime:
    """Return the moment of text in ISO 8601; aware if the text has an offset.

    :param text: a date, or a date and a time after ``T`` or a space, with or without a fraction and
        an offset
    :raises ValueError: if a part of the text is not understood, has less than a microsecond, or is
        digits only, which could be a number as well
    """
    form = _FORM.fullmatch(text)
    if form is None or (form[4] and not form[2]) or text.isdigit():
        raise ValueError(_WANTED)
    if form[3] and form[3][6:].strip('0'):
        raise ValueError('its fraction is finer than a microsecond')
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(_WANTED if str(exc).startswith('Invalid') else str(exc)) from None


def plain_datetime(value: datetime.datetime) -> datetime.datetime:
    """Return a moment as a ``datetime.datetime`` of exactly this class.

    :raises ValueError: if it is a NaT, or has nanoseconds, as those of pandas can
    """
    if type(value) is datetime.datetime:
        return value
    if missing(value):
        raise ValueError('it is no moment; assign None for null')
    if getattr(value, 'nanosecond', 0):
        raise ValueError('it has nanoseconds; a datetime ends at microseconds. Round it first')
    return datetime.datetime.combine(value.date(), value.timetz())


def moment_score(value: datetime.datetime) -> float:
    """Return the seconds from 1970 to a moment that is naive, or in UTC."""
    return (value.replace(tzinfo=None) - _EPOCH) / _SECOND
