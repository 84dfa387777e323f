"""The lookups of a filter: equality, and ``__ne``.

A new lookup is one more registered class. It has a ``suffix``, restricts a set expression, and says
which rows match.
"""

from __future__ import annotations

from collections.abc import Collection

from .set_algebra import SetExpression

__all__ = ('LOOKUPS', 'Lookup', 'register')


class Lookup:
    """One kind of comparison of a field with a value."""

    suffix = ''
    #: whether conditions on one field can be merged into one with all their values
    joins = False

    def restrict(self, expression: SetExpression, index_keys: list[bytes]) -> list[SetExpression]:
        """Return ``expression``, restricted by the index sets that may list the value.

        An object matches if it matches one of the expressions.
        """
        raise NotImplementedError

    def accepts(self, actual: bytes, wanted: Collection[bytes]) -> bool:
        """Return whether a row with this index value matches."""
        raise NotImplementedError


LOOKUPS: dict[str, Lookup] = {}


def register(lookup: type[Lookup]) -> type[Lookup]:
    """Register a lookup by its suffix; a class decorator."""
    LOOKUPS[lookup.suffix] = lookup()
    return lookup


@register
class Equals(Lookup):
    """``name=value``"""

    suffix = ''

    def restrict(self, expression: SetExpression, index_keys: list[bytes]) -> list[SetExpression]:
        every, none = expression.every, expression.none
        return [SetExpression(expression.all, (*every, key), none) for key in index_keys]

    def accepts(self, actual: bytes, wanted: Collection[bytes]) -> bool:
        return actual in wanted


@register
class NotEquals(Lookup):
    """``name__ne=value``"""

    suffix = 'ne'
    joins = True

    def restrict(self, expression: SetExpression, index_keys: list[bytes]) -> list[SetExpression]:
        none = (*expression.none, *index_keys)
        return [SetExpression(expression.all, expression.every, none)]

    def accepts(self, actual: bytes, wanted: Collection[bytes]) -> bool:
        return actual not in wanted
