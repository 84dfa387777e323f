"""What may follow a field's name in a filter: nothing, or ``__ne``.

A new lookup is one more class with a ``suffix``, registered by the decorator; it says how it
changes the set expression and which rows it lets through.
"""

from __future__ import annotations

from collections.abc import Collection

from .set_algebra import SetExpression

__all__ = ('LOOKUPS', 'Lookup', 'register')


class Lookup:
    """One kind of comparison of a field with a value."""

    suffix = ''
    #: whether several of one field say the same as a single one with the values of all
    joins = False

    def restrict(self, expression: SetExpression, index_keys: list[bytes]) -> list[SetExpression]:
        """Return ``expression`` restricted by the index sets that the value may be in.

        Where that takes several expressions, the result is all that match one of them.
        """
        raise NotImplementedError

    def accepts(self, actual: bytes, wanted: Collection[bytes]) -> bool:
        """Whether a row with this index value belongs to the result."""
        raise NotImplementedError


LOOKUPS: dict[str, Lookup] = {}


def register(lookup: type[Lookup]) -> type[Lookup]:
    """Class decorator: make a lookup known by its suffix."""
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
