"""A query, its pks and its count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import InvalidPrimaryKeyError
from ..flows import Batch, Flow, ask, ask_quick
from ..mapping.schema import Schema
from ..text import shorten, shown, text_of
from . import set_algebra
from .filters import Filters, expressions

__all__ = (
    'Query',
    'count',
    'pks_of',
    'primary_keys',
)


class Query(NamedTuple):
    """The filters of one query over a model."""

    schema: Schema
    filters: Filters = ()

    @property
    def expressions(self) -> list[set_algebra.SetExpression]:
        """The set expressions of the filters, usually one."""
        return expressions(self.schema.keys, self.filters)

    @property
    def excluding_dead(self) -> list[set_algebra.SetExpression]:
        """The set expressions, without index entries of objects that are gone."""
        return [
            set_algebra.SetExpression(each.all, (each.all, *each.every), each.none)
            if each.every
            else each
            for each in self.expressions
        ]


def pks_of(schema: Schema, members: Sequence[bytes], key: bytes | None = None) -> list[int]:
    """Return the members of a set as pks.

    :param key: the set; None: the set of all pks
    :raises InvalidPrimaryKeyError: if a member is no number
    """
    try:
        return list(map(int, members))
    except ValueError:
        wrong = next(each for each in members if not each.isdigit() or len(each) > 16)
    raise InvalidPrimaryKeyError(
        f'{schema.name}: {shown(key or schema.keys.all)} lists {shorten(repr(text_of(wrong)))}, '
        f'which is no primary key. Call {schema.name}.objects.repair(), which removes it.'
    )


def primary_keys(
    query: Query, ordered: bool = False, excluding_dead: bool = True
) -> Flow[list[int]]:
    """Return the pks that match; ascending if ``ordered``.

    :param excluding_dead: leave out pks of deleted objects, which 6.0.3 could leave in index sets
    :raises InvalidPrimaryKeyError: if a member is no number
    """
    pks: list[int] = []
    for expression in query.excluding_dead if excluding_dead else query.expressions:
        members = yield from ask(*set_algebra.members(expression))
        pks += pks_of(query.schema, members, next(iter(expression.every), None))
    return sorted(pks) if ordered else pks


def count(query: Query) -> Flow[int]:
    """Return how many objects match. The server counts, unless many sets are excluded."""
    keys, total = query.schema.keys, 0
    for expression in query.expressions:
        command = set_algebra.count(expression)
        if command is None:
            return len((yield from primary_keys(query)))
        if command[1] == keys.all:
            total += yield from ask_quick(*command)
            continue
        # A reset adds new pks to index sets before its swap, and removes old ones after it.
        recorded = ('EXISTS', keys.record)
        before, size, after = yield Batch([recorded, command, recorded], shared=True)
        if before or after:
            size = yield from ask_quick(*set_algebra.count_living(expression, keys.touched))  # type: ignore[misc]
        total += size
    return total
