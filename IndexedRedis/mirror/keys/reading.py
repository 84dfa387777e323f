"""Read a key from a row: one column, or a tuple of several.

The rule: a key with a null in it is null as a whole, as a foreign key is in SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from operator import itemgetter
from typing import Any

__all__ = (
    'Reader',
    'folded',
    'is_spelled_alike',
    'key_in',
    'no_key',
    'parts_of',
    'reader',
    'with_stripped',
)

# Returns the key in a row; None if it is null.
Reader = Callable[[Any], Any]


def folded(key: Any) -> Any:
    """Return a key without differences of upper and lower case, and of spaces at the end."""
    if isinstance(key, str):
        return key.rstrip(' ').casefold()
    if isinstance(key, (tuple, list)):
        return type(key)(map(folded, key))
    return key


def with_stripped(keys: Iterable[Any]) -> Iterator[Any]:
    """Yield keys, and those with spaces at the end without these as well.

    A ``char`` of PostgreSQL is returned with its spaces, but equals a ``varchar`` without them.
    """
    for key in keys:
        yield key
        parts = parts_of(key)
        if any(isinstance(part, str) and part.endswith(' ') for part in parts):
            short = tuple(part.rstrip(' ') if isinstance(part, str) else part for part in parts)
            yield short if isinstance(key, tuple) else short[0]


def is_spelled_alike(key: Any, other: Any) -> bool:
    """Return whether two keys that SQL holds equal are so by their collation.

    MySQL compares text with a number by what the text begins with: ``'5 apples' = 5``.
    """
    pairs = zip(parts_of(key), parts_of(other), strict=True)
    return all(
        isinstance(one, str) == isinstance(two, str)
        or (_is_text_of(one, two) if isinstance(one, str) else _is_text_of(two, one))
        for one, two in pairs
    )


def _is_text_of(text: str, value: Any) -> bool:
    if isinstance(value, bytes):
        return text.encode() == value
    if isinstance(value, int | float | Decimal):
        with suppress(ArithmeticError):
            return Decimal(text) == value
        return False
    return str(value).casefold() == text.strip().casefold()


def parts_of(key: Any) -> tuple[Any, ...]:
    """Return the columns of a key."""
    return key if isinstance(key, tuple) else (key,)


def key_in(columns: Sequence[Any]) -> Any:
    """Return the key that some columns are: one value, or a tuple."""
    return columns[0] if len(columns) == 1 else tuple(columns)


def no_key(name: str, value: Any) -> str:
    """Return why a value, such as a list, cannot be a key."""
    return (
        f'{name}: a {type(value).__name__} identifies no row; given was {repr(value)[:100]}. '
        'Select a number or a text'
    )


def reader(columns: Sequence[int], fold: bool = False) -> Reader:
    """Return what reads a key from a row.

    :param columns: the numbers of its columns
    :param fold: whether to fold the key, see :func:`folded`
    """
    get = itemgetter(*columns)

    def whole(row: Any) -> Any:
        key = get(row)
        return None if any(part is None for part in key) else key

    read = get if len(columns) == 1 else whole
    return (lambda row: folded(read(row))) if fold else read
