"""``name__gt=value`` and the other lookups of a range, of sorted fields."""

from __future__ import annotations

from typing import Any

from ....errors import QueryError
from ....fields.null import irNull, means_null
from ...column import Column
from ...text import shorten
from ..tree import Bound, InRange, Node
from .base import Lookup

__all__ = ('AtLeast', 'AtMost', 'Between', 'GreaterThan', 'LessThan', 'StartsWith')

# The codes between the first two are not characters.
FIRST_SURROGATE, AFTER_SURROGATES, LAST_CHARACTER = 0xD800, 0xE000, 0x10FFFF


class RangeLookup(Lookup):
    """A lookup that a sorted set answers. Null is in no range."""

    of_pk = False
    of_sorted = True


class GreaterThan(RangeLookup):
    """The value is greater."""

    suffix = 'gt'

    def of_column(self, column: Column, value: Any) -> Node:
        return InRange(column, low=_bound(self, column, value, False), lookup=self.suffix)


class AtLeast(RangeLookup):
    """The value is greater or equal."""

    suffix = 'gte'

    def of_column(self, column: Column, value: Any) -> Node:
        return InRange(column, low=_bound(self, column, value), lookup=self.suffix)


class LessThan(RangeLookup):
    """The value is less."""

    suffix = 'lt'

    def of_column(self, column: Column, value: Any) -> Node:
        return InRange(column, high=_bound(self, column, value, False), lookup=self.suffix)


class AtMost(RangeLookup):
    """The value is less or equal."""

    suffix = 'lte'

    def of_column(self, column: Column, value: Any) -> Node:
        return InRange(column, high=_bound(self, column, value), lookup=self.suffix)


class Between(RangeLookup):
    """The value is one of two values, or lies between them."""

    suffix = 'between'

    def of_column(self, column: Column, value: Any) -> Node:
        try:
            low, high = value
        except (TypeError, ValueError):
            raise QueryError(
                f'{column.label}: __between takes (lowest, highest), and was given '
                f'{shorten(repr(value))}.'
            ) from None
        bounds = _bound(self, column, low), _bound(self, column, high)
        return InRange(column, *bounds, lookup=self.suffix)


class StartsWith(RangeLookup):
    """The text starts with this one."""

    suffix = 'startswith'

    def of_column(self, column: Column, value: Any) -> Node:
        if column.field.valueType is not str or not isinstance(value, str):
            raise QueryError(
                f'{column.label}: __startswith compares texts of a text field, and was given '
                f'{shorten(repr(value))}. Use __gte and __lt for other values.'
            )
        low = Bound(_key(column, value), True)
        after = _after(value)
        high = None if after is None else Bound(_key(column, after), False)
        return InRange(column, low, high, lookup=self.suffix)


def _bound(lookup: Lookup, column: Column, value: Any, inclusive: bool = True) -> Bound:
    """Return the end of a range.

    :raises FieldValueError: if the field cannot hold the value
    :raises QueryError: if the value has no place in the order: null, or NaN
    """
    converted = column.from_input(irNull if means_null(value) else value)
    key = column.order_key_of(converted)
    if key is None:
        raise QueryError(
            f'{column.label}: __{lookup.suffix} takes a value that has an order, and was given '
            f'{shorten(repr(value))}. Ask for null by __isnull=True.'
        )
    return Bound(key, inclusive)


def _key(column: Column, text: str) -> tuple[float, str]:
    return column.field.toScore(text), text


def _after(prefix: str) -> str | None:
    """Return the lowest text above all that start with this one; None if there is none."""
    stem = prefix.rstrip(chr(LAST_CHARACTER))
    if not stem:
        return None
    code = ord(stem[-1]) + 1
    if FIRST_SURROGATE <= code < AFTER_SURROGATES:
        code = AFTER_SURROGATES
    return stem[:-1] + chr(code)
