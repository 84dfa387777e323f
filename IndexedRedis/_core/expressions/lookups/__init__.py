"""The lookups, one class each."""

from __future__ import annotations

from .base import Lookup
from .equal import Equals, NotEquals
from .null import IsNull
from .one_of import OneOf
from .ranges import AtLeast, AtMost, Between, GreaterThan, LessThan, StartsWith

__all__ = ('LOOKUPS', 'Lookup')

#: the lookups by suffix
LOOKUPS: dict[str, Lookup] = {
    each.suffix: each
    for each in (
        *(Equals(), NotEquals(), OneOf(), IsNull()),
        *(GreaterThan(), AtLeast(), LessThan(), AtMost(), Between(), StartsWith()),
    )
}
