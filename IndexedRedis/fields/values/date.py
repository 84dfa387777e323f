"""``valueType=datetime.date``, stored as ``YYYY-MM-DD``."""

from __future__ import annotations

import datetime
from typing import Any

from .moment import moment_of_text, plain_datetime
from .value_type import ASCII, ascii_text

__all__ = ('TYPE',)

_EPOCH = datetime.date(1970, 1, 1)


def _from_input(value: Any) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return _day_of(plain_datetime(value))
    if isinstance(value, datetime.date):
        return datetime.date(value.year, value.month, value.day)
    text = ascii_text(value, 'a date')
    try:
        return _day_of(moment_of_text(text))
    except ValueError as exc:
        raise ValueError(f'a date as text has the form YYYY-MM-DD ({exc})') from None


def _day_of(moment: datetime.datetime) -> datetime.date:
    if moment.timetz() != datetime.time():
        raise ValueError('it has a time or a zone, which a date cannot hold')
    return moment.date()


def _from_storage(stored: Any) -> datetime.date:
    return datetime.date.fromisoformat(ascii_text(stored, 'a date'))


def _score(value: datetime.date) -> float:
    return float((value - _EPOCH).days)


TYPE = ASCII(
    _from_input,
    str,
    _from_storage,
    can_index=True,
    canonical=True,
    score=_score,
    exact=True,
)
