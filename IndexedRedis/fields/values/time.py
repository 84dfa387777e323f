"""``valueType=datetime.time``, stored as ``HH:MM:SS`` or ``HH:MM:SS.ffffff``."""

from __future__ import annotations

import datetime
from typing import Any

from .value_type import ASCII, ascii_text

__all__ = ('TYPE',)


def _from_input(value: Any) -> datetime.time:
    if not isinstance(value, datetime.time):
        value = _from_text(ascii_text(value, 'a time'))
    if value.tzinfo is not None:
        raise ValueError(
            'it has a zone, which would be lost. Assign value.replace(tzinfo=None), or use a text '
            'field'
        )
    return datetime.time(value.hour, value.minute, value.second, value.microsecond)


def _from_text(text: str) -> datetime.time:
    _, _, fraction = text.replace(',', '.').partition('.')
    digits = fraction[: len(fraction) - len(fraction.lstrip('0123456789'))]
    if ':' not in text or digits[6:].strip('0'):
        raise ValueError('a time as text has the form HH:MM:SS, or HH:MM:SS.ffffff')
    return datetime.time.fromisoformat(text)


def _from_storage(stored: Any) -> datetime.time:
    return datetime.time.fromisoformat(ascii_text(stored, 'a time'))


def _score(value: datetime.time) -> float:
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    return (seconds * 10**6 + value.microsecond) / 10**6


TYPE = ASCII(_from_input, str, _from_storage, can_index=True, canonical=True, score=_score)
