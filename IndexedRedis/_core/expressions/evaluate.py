"""Evaluate a tree on sets of pks, in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .tree import And, Atom, Linked, Node, Not, Or

__all__ = ('Pks', 'evaluated')


class Pks(NamedTuple):
    """A set of pks, or for ``negated`` all others."""

    members: frozenset[bytes]
    negated: bool = False

    def inverted(self) -> Pks:
        """Return all other pks."""
        return Pks(self.members, not self.negated)

    def both(self, other: Pks) -> Pks:
        """Return the intersection of both."""
        if self.negated and other.negated:
            return Pks(self.members | other.members, True)
        if self.negated:
            return Pks(other.members - self.members)
        if other.negated:
            return Pks(self.members - other.members)
        return Pks(self.members & other.members)

    def either(self, other: Pks) -> Pks:
        """Return the union of both."""
        return self.inverted().both(other.inverted()).inverted()


def evaluated(node: Node, members_of: Callable[[Atom], frozenset[bytes]]) -> Pks:
    """Return the pks for which a tree holds.

    :param members_of: returns the pks for which an atom holds
    """
    if isinstance(node, Not):
        return evaluated(node.node, members_of).inverted()
    if isinstance(node, (And, Or)):
        every = isinstance(node, And)
        found = Pks(frozenset(), every)
        for each in node.nodes:
            pks = evaluated(each, members_of)
            found = found.both(pks) if every else found.either(pks)
        return found
    assert not isinstance(node, Linked), 'a flow replaces it before it reads'
    return Pks(members_of(node))
