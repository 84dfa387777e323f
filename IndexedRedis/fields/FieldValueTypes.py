"""The value types of ``valueType=datetime`` and of ``valueType=dict``, ``list`` and ``tuple``.

Both are called with one argument and return a native value, never an instance of themselves.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from .null import irNull
from .values.moment import moment_of_text, plain_datetime

__all__ = ('IRDatetimeValue', 'IRJsonValue')

_EPOCH = re.compile(r'^[+-]?(\d+\.?\d*|\.\d+)$')
_STORED = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', re.ASCII)


class IRDatetimeValue(datetime.datetime):
    """Return a naive ``datetime.datetime`` without microseconds.

    :param args: a datetime; a date, which means its midnight; text in ISO 8601 without an offset,
        whose fraction is dropped; seconds since the epoch as number or text, in local time; or the
        arguments of ``datetime.datetime``
    :raises ValueError: if text has another form, or a datetime is aware
    :raises TypeError: if the value has another type
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> datetime.datetime:  # type: ignore[misc]
        if len(args) != 1 or kwargs:
            return datetime.datetime(*args, **kwargs).replace(microsecond=0)
        return naive_moment(args[0]).replace(microsecond=0)


def naive_moment(value: Any) -> datetime.datetime:
    """Return the moment of what ``IRDatetimeValue`` takes, with its microseconds.

    :raises ValueError: see there
    :raises TypeError: see there
    """
    if isinstance(value, bytes):
        value = value.decode('ascii')
    if isinstance(value, str):
        # Twice as fast as the general way; the form of stored values.
        stored = value if _STORED.fullmatch(value) else None
        moment = datetime.datetime.fromisoformat(stored) if stored else _moment_of_text(value)
    elif isinstance(value, datetime.datetime):
        moment = plain_datetime(value)
    elif isinstance(value, datetime.date):
        moment = datetime.datetime.combine(value, datetime.time())
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        moment = datetime.datetime.fromtimestamp(value)
    else:
        raise TypeError(f'cannot make a datetime of a {type(value).__name__}')
    if moment.tzinfo is not None:
        raise ValueError(
            'aware datetimes are not stored, since the zone would be lost; use '
            'IRDatetimeField(aware=True), or convert first, for example '
            'value.astimezone(datetime.timezone.utc).replace(tzinfo=None)'
        )
    return moment


def _moment_of_text(text: str) -> datetime.datetime:
    if _EPOCH.match(text):
        return datetime.datetime.fromtimestamp(float(text))
    return moment_of_text(text)


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
