"""``ValueType``: the conversions of one value type."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

__all__ = ('ASCII', 'ValueType', 'ascii_text', 'missing')


class ValueType(NamedTuple):
    """The conversions of one value type. Null never reaches them.

    - ``from_input``: an assigned value to the attribute's value; raises for what does not fit.
    - ``to_storage``, ``from_storage``: the attribute's value to text or bytes, and bytes back. The
      stored form is the index value too.
    - ``immutable``: values cannot change in place, so they need no snapshot.
    - ``eager``: values are decoded while a result is fetched; else at the first read.
    - ``encoding``: that of stored text; None means the default one.
    - ``canonical``: equal values have equal stored bytes. Text and whole numbers do; the equal
      floats ``0.0`` and ``-0.0`` do not.
    - ``score``: the attribute's value to the number that a sorted set orders it by; None: values of
      the type have no order. Of two values, the lower one never has the higher number.
    - ``exact``: a number of ``score`` below 2^53 belongs to one value only.
    """

    from_input: Callable[[Any], Any]
    to_storage: Callable[[Any], Any]
    from_storage: Callable[[bytes], Any]
    can_index: bool
    immutable: bool = True
    eager: bool = True
    encoding: str | None = None
    canonical: bool = False
    score: Callable[[Any], float] | None = None
    exact: bool = False


# A value type that is stored in ASCII, whatever the default encoding is.
ASCII: Any = partial(ValueType, encoding='utf-8')


def ascii_text(value: Any, wanted: str) -> str:
    """Return text, or the text of ASCII bytes.

    :param wanted: what the caller takes, for the message
    :raises TypeError: if ``value`` is neither text nor bytes
    :raises ValueError: if it is not ASCII
    """
    if isinstance(value, bytes):
        value = value.decode('ascii')
    if not isinstance(value, str):
        raise TypeError(f'{wanted} is not made of a {type(value).__name__}')
    if not value.isascii():
        raise ValueError(f'{wanted} as text is ASCII')
    return str.__str__(value)


def missing(value: Any) -> bool:
    """Return whether a value is a NaN or NaT: the values that do not equal themselves."""
    return bool(value != value)  # noqa: PLR0124
