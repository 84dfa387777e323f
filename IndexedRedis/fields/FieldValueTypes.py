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

    :raises TypeError: if it has no json form, or a dict in it has a key that is no text
    """
    import json  # takes longer to import than all fields together

    text = json.dumps(value)
    _check_all_keys(value)  # dumps has refused a value that contains itself
    return text


# What holds no dicts, by its exact type. Each is tested in C, so a list of numbers costs little.
_PLAIN = frozenset({str, int, float, bool, type(None)})
_TEXT = frozenset({str})


def _check_keys(value: dict[Any, Any]) -> None:
    """Check that all keys are text: JSON would make text of numbers, True, False and None."""
    if _TEXT.issuperset(map(type, value)):
        return
    for key in value:
        if not isinstance(key, str):
            raise TypeError(
                f'the keys of JSON are text, not {type(key).__name__} as {key!r} is: use text, a '
                'list of pairs, or an IRPickleField'
            )


def _check_all_keys(value: Any) -> None:
    """Check the keys of all dicts in a value that JSON can hold."""
    if isinstance(value, dict):
        _check_keys(value)
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    if not _PLAIN.issuperset(map(type, value)):
        for item in value:
            _check_all_keys(item)


def json_from_text(text: str | bytes) -> Any:
    """Return the value of json text. Of two equal keys the last counts, as json has it.

    :raises ValueError: if ``text`` is not json
    """
    import json

    return _wrapped(json.loads(text))


def _from_input(text: str | bytes) -> Any:
    """Return the value of json text where no object has a key twice and no number is rounded."""
    import json

    return _wrapped(json.loads(text, object_pairs_hook=_dict_of_pairs, parse_float=_exact_float))


def _exact_float(text: str) -> float:
    """Return the float of a number in json text.

    :raises ValueError: if it has more digits, or is larger, than a float holds
    """
    from decimal import Decimal

    number = float(text)
    if Decimal(repr(number)) != Decimal(text):
        raise ValueError(f'the number {text} would be rounded to {number!r}: write it as text')
    return number


def _dict_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the dict of the pairs in json text.

    :raises ValueError: if two have the same key
    """
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f'the key {twice!r} occurs twice in one JSON object: keep one of them')
    return result


class _JsonText:
    """Mixin of a native type: ``str()`` returns json text, ``repr()`` stays Python's."""

    def __str__(self) -> str:
        import json

        return json.dumps(self)


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


def _wrapped(value: Any) -> Any:
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
    :raises ValueError: if text is not json, or one of its objects has a key twice
    :raises TypeError: if ``value`` has no json form, or is a dict with a key that is no text
    """

    CAN_INDEX = False

    def __new__(cls, value: Any = irNull) -> Any:
        if isinstance(value, _JsonString) or value is irNull:
            return value
        if isinstance(value, (str, bytes)):
            return _from_input(value) if value else irNull
        if isinstance(value, dict):
            _check_keys(value)  # those of dicts in it are checked when it is stored
        return _wrapped(value)
