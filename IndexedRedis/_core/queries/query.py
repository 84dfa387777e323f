"""A query: its filters lowered to set algebra; its pks and its count."""

from __future__ import annotations

from typing import NamedTuple

from ..flows import Batch, Flow, ask, ask_quick
from ..mapping.schema import Schema
from . import set_algebra
from .filters import Filters, expressions

__all__ = (
    'Query',
    'count',
    'primary_keys',
)


class Query(NamedTuple):
    """A filter set over a model."""

    schema: Schema
    filters: Filters = ()

    @property
    def expressions(self) -> list[set_algebra.SetExpression]:
        """The set expressions of the filters, nearly always one."""
        return expressions(self.schema.keys, self.filters)

    @property
    def excluding_dead(self) -> list[set_algebra.SetExpression]:
        """The same, without index entries of objects that are gone."""
        return [
            set_algebra.SetExpression(each.all, (each.all, *each.every), each.none)
            if each.every
            else each
            for each in self.expressions
        ]


def primary_keys(
    query: Query, ordered: bool = False, excluding_dead: bool = True
) -> Flow[list[int]]:
    """The pks that match; ascending if ``ordered``.

    :param excluding_dead: leave out pks of deleted objects, which 6.0.3 could leave in index sets
    """
    pks: list[int] = []
    for expression in query.excluding_dead if excluding_dead else query.expressions:
        pks += map(int, (yield from ask(*set_algebra.members(expression))))
    return sorted(pks) if ordered else pks


def count(query: Query) -> Flow[int]:
    """How many objects match, without moving their pks where the server can count."""
    keys, total = query.schema.keys, 0
    for expression in query.expressions:
        command = set_algebra.count(expression)
        if command is None:
            return len((yield from primary_keys(query)))
        if command[1] == keys.all:
            total += yield from ask_quick(*command)
            continue
        # A reset fills index sets before its swap, and removes the old pks after it.
        recorded = ('EXISTS', keys.record)
        before, size, after = yield Batch([recorded, command, recorded], shared=True)
        if before or after:
            size = yield from ask_quick(*set_algebra.count_living(expression, keys.touched))  # type: ignore[misc]
        total += size
    return total
