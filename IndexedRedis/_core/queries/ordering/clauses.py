"""Filters as clauses, which a walk along a sorted set tests member by member. Pure.

Each clause has to hold, and holds if one of its literals does. A literal says whether a member is
in one of some sets. Most filters are such clauses; those that are not take the way over all pks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...expressions.tree import And, InRange, InSets, Node, Not, Or
from ...keys import Keys
from ...mapping.index_keys import index_keys_of_values

__all__ = ('Clauses', 'clauses_of')

# Sets that one script looks at for each member.
MOST_SETS = 100


class Literal(NamedTuple):
    """A member is in one of these sets, or for ``inside=False`` in none."""

    inside: bool
    sets: tuple[bytes, ...]


Clause = tuple[Literal, ...]


class Clauses(NamedTuple):
    """What a member has to be: the clauses, and the ranges that have to hold as well."""

    clauses: tuple[Clause, ...]
    ranges: tuple[InRange, ...]

    @property
    def sets(self) -> list[bytes]:
        """The sets of all clauses, in order."""
        return [key for clause in self.clauses for literal in clause for key in literal.sets]

    @property
    def numbers(self) -> list[int]:
        """How many clauses; for each: how many literals; for each: 1 or 0, and how many sets."""
        found = [len(self.clauses)]
        for clause in self.clauses:
            found.append(len(clause))
            for literal in clause:
                found += [int(literal.inside), len(literal.sets)]
        return found


def clauses_of(keys: Keys, filters: Sequence[Node]) -> Clauses | None:
    """Return filters, which all have to hold, as clauses; None if they are none."""
    clauses: list[Clause] = []
    ranges: list[InRange] = []
    for node in filters:
        for part, negated in _conjuncts(node):
            if isinstance(part, InRange) and not negated:
                ranges.append(part)
                continue
            clause = _clause(keys, part, negated)
            if clause is None:
                return None
            clauses.append(clause)
    found = Clauses(tuple(clauses), tuple(ranges))
    return found if len(found.sets) + len(ranges) <= MOST_SETS else None


def _conjuncts(node: Node, negated: bool = False) -> Iterable[tuple[Node, bool]]:
    """Yield the parts of a tree that all have to hold, and whether each is negated."""
    if isinstance(node, Not):
        yield from _conjuncts(node.node, not negated)
    elif isinstance(node, Or if negated else And):
        for each in node.nodes:
            yield from _conjuncts(each, negated)
    else:
        yield node, negated


def _clause(keys: Keys, node: Node, negated: bool) -> Clause | None:
    """Return a tree as one clause; None if it is none."""
    if isinstance(node, Not):
        return _clause(keys, node.node, not negated)
    if isinstance(node, And if negated else Or):
        parts = [_clause(keys, each, negated) for each in node.nodes]
        return None if None in parts else tuple(lit for part in parts if part for lit in part)
    if isinstance(node, InSets):
        names = index_keys_of_values(keys, node.column, node.values)
        return (Literal(not negated, tuple(names)),)
    return None
