"""Read a key from a row: one column, or a tuple of several.

The rule: a key with a null in it is null as a whole, as a foreign key is in SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

__all__ = ('Reader', 'folded', 'no_key', 'reader')

# Returns the key in a row; None if it is null.
Reader = Callable[[Any], Any]


def folded(key: Any) -> Any:
    """Return a key without differences of upper and lower case, and of spaces at the end."""
    if isinstance(key, str):
        return key.rstrip(' ').casefold()
    if isinstance(key, (tuple, list)):
        return type(key)(map(folded, key))
    return key


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
