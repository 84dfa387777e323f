"""The value types of ``valueType=datetime`` and of ``valueType=dict``, ``list`` and ``tuple``.

Both are called with one argument and return a native value, never an instance of themselves.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from .null import irNull

__all__ = ('IRDatetimeValue', 'IRJsonValue')

_EPOCH = re.compile(r'^[+-]?(\d+\.?\d*|\.\d+)$')
_TEXT = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', re.ASCII)


class IRDatetimeValue(datetime.datetime):
    """Return a naive ``datetime.datetime`` without microseconds.

    :param args: a datetime; text ``YYYY-MM-DD HH:MM:SS``, whose fraction is dropped; seconds since
        the epoch as number or text, in local time; or the arguments of ``datetime.datetime``
    :raises ValueError: if text has another form, or a datetime is aware
    :raises TypeError: if the value has another type
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> datetime.datetime:  # type: ignore[misc]
        if len(args) != 1 or kwargs:
            return datetime.datetime(*args, **kwargs).replace(microsecond=0)
        return _datetime_from(args[0])


def _datetime_from(value: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            raise ValueError(
                'aware datetimes are not stored, since the zone would be lost; convert first, for '
                'example value.astimezone(datetime.timezone.utc).replace(tzinfo=None)'
            )
        return value.replace(microsecond=0)
    if isinstance(value, bytes):
        value = value.decode('ascii')
    if isinstance(value, str):
        return _datetime_from_text(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.datetime.fromtimestamp(value).replace(microsecond=0)
    raise TypeError(f'cannot make a datetime of a {type(value).__name__}')


def _datetime_from_text(text: str) -> datetime.datetime:
    if _EPOCH.match(text):
        return datetime.datetime.fromtimestamp(float(text)).replace(microsecond=0)
    seconds = text.split('.', 1)[0]
    # fromisoformat takes 0.15 us, strptime 7 us. But it accepts more forms than the stored one,
    # such as those with a week number or a zone.
    if not _TEXT.fullmatch(seconds):
        raise ValueError('a datetime as text has the form YYYY-MM-DD HH:MM:SS')
    return datetime.datetime.fromisoformat(seconds)


def json_to_text(value: Any) -> str:
    """Return a value as json text.

    :raises TypeError: if it has no json form
    """
    import json  # takes longer to import than all fields together

    return json.dumps(value)


def json_from_text(text: str | bytes) -> Any:
    """Return the value of json text.

    :raises ValueError: if ``text`` is not json
    """
    import json

    return json_value(json.loads(text))


class _JsonText:
    """Mixin of a native type: ``str()`` returns json text, ``repr()`` stays Python's."""

    def __str__(self) -> str:
        return json_to_text(self)


class _JsonDict(_JsonText, dict):  # type: ignore[type-arg]
    __repr__ = dict.__repr__


class _JsonList(_JsonText, list):  # type: ignore[type-arg]
    __repr__ = list.__repr__


class _JsonInt(_JsonText, int):
    __repr__ = int.__repr__


class _JsonFloat(_JsonText, float):
    __repr__ = float.__repr__


class _JsonString(_JsonText, str):
    __repr__ = str.__repr__


def json_value(value: Any) -> Any:
    """Return a decoded json value as the type whose ``str()`` is json text; null as irNull.

    :raises TypeError: if ``value`` has no json form
    """
    if value is None or value is irNull:
        return irNull
    if isinstance(value, (bool, _JsonString)):
        return value
    for plain, wrapper in _WRAPPERS:
        if isinstance(value, plain):
            return wrapper(value)
    raise TypeError(f'a {type(value).__name__} has no json form')


_WRAPPERS: tuple[tuple[Any, Any], ...] = (
    (dict, _JsonDict),
    ((list, tuple), _JsonList),
    (int, _JsonInt),
    (float, _JsonFloat),
    (str, _JsonString),
)


class IRJsonValue:
    """Return a dict, list, number or text whose ``str()`` is json text.

    :param value: a dict, list, tuple, number or bool; or json text, as ``str`` or ``bytes``. None
        and empty text mean irNull.
    :raises ValueError: if text is not json
    :raises TypeError: if ``value`` has no json form
    """

    CAN_INDEX = False

    def __new__(cls, value: Any = irNull) -> Any:
        if isinstance(value, _JsonString) or value is irNull:
            return value
        if isinstance(value, (str, bytes)):
            return json_from_text(value) if value else irNull
        return json_value(value)
