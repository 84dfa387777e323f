"""The nodes of an expression tree: and, or, not, and the atoms below them. All are immutable.

An atom is one test of an object. ``InSets`` is the union of index sets of one field, which never
overlap. A new kind of atom, such as a range of a sorted set, is one more class with the same three
attributes; :mod:`.boxes` treats whatever it does not recognise as true or false.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import Any, NamedTuple

from ..column import Column

__all__ = (
    'And',
    'Atom',
    'Bound',
    'HasPk',
    'InRange',
    'InSets',
    'Linked',
    'Node',
    'Not',
    'Or',
    'atoms_of',
    'columns_of',
    'has_ranges',
    'literals_of',
    'without_negated_ranges',
)


# The texts `op` keep nodes of different kinds unequal, since tuples are compared by their items.
class And(NamedTuple):
    """All nodes hold. Without a node it always holds."""

    nodes: tuple[Node, ...]
    op: str = '&'


class Or(NamedTuple):
    """A node holds. Without a node it never holds."""

    nodes: tuple[Node, ...]
    op: str = '|'


class Not(NamedTuple):
    """The node does not hold."""

    node: Node
    op: str = '~'


class InSets(NamedTuple):
    """The field has one of these index values.

    :param values: index values, in the order given
    :param lookup: the suffix that asked for it, for texts
    :param looked_up: the filter along a link that gave the values, for texts
    """

    column: Column
    values: tuple[bytes, ...]
    lookup: str = ''
    looked_up: Linked | None = None


class HasPk(NamedTuple):
    """The object has one of these pks."""

    pks: tuple[int, ...]
    lookup: str = ''


class Bound(NamedTuple):
    """One end of a range.

    :param key: the order key of the value, see :meth:`Column.order_key`
    :param inclusive: whether the value itself is in the range
    """

    key: tuple[float, Any]
    inclusive: bool


class InRange(NamedTuple):
    """The value of a sorted field is in a range.

    :param low: the lower end; None: there is none
    :param null: whether null is in the range too. Its score is infinity, so ``high`` is None then.
    """

    column: Column
    low: Bound | None = None
    high: Bound | None = None
    null: bool = False
    lookup: str = ''

    def complement(self) -> Node:
        """Return the range of all other values, as an "or" of ranges that do not overlap."""
        column, low, high = self.column, self.low, self.high
        parts = []
        if low is not None:
            parts.append(InRange(column, None, low._replace(inclusive=not low.inclusive)))
        if high is not None:
            high = high._replace(inclusive=not high.inclusive)
            parts.append(InRange(column, high, None, not self.null))
        elif not self.null:
            parts.append(InRange(column, Bound((inf, None), True), None, True))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))


class Linked(NamedTuple):
    """A link leads to an object for which an expression holds: a query of the linked model.

    The flows replace it by an ``InSets`` before they read; see :mod:`..queries.linked`.

    :param column: the link
    :param schema: the schema of the linked model
    """

    column: Column
    schema: Any
    node: Node
    path: str = ''


Atom = InSets | HasPk | InRange
Node = And | Or | Not | Atom | Linked


def atoms_of(node: Node) -> Iterator[Atom]:
    """Yield the atoms of a tree, from left to right."""
    return (atom for atom, _ in literals_of(node))


def columns_of(filters: Iterable[Node]) -> Iterator[Column]:
    """Yield the columns whose values decide whether filters hold."""
    atoms = (atom for node in filters for atom in atoms_of(node))
    return (atom.column for atom in atoms if not isinstance(atom, HasPk))


def has_ranges(node: Node) -> bool:
    """Return whether a tree has a range among its atoms."""
    if isinstance(node, InSets):
        return False
    if isinstance(node, Not):
        return has_ranges(node.node)
    if isinstance(node, (And, Or)):
        return any(map(has_ranges, node.nodes))
    return isinstance(node, InRange)


def without_negated_ranges(node: Node, negated: bool = False) -> Node:
    """Return a tree that means the same, and negates no range.

    The scores of a range may list a few objects too many, which the stored values tell. Its
    negation would list too few.
    """
    if isinstance(node, Not):
        return without_negated_ranges(node.node, not negated)
    if isinstance(node, (And, Or)):
        nodes = tuple(without_negated_ranges(each, negated) for each in node.nodes)
        return And(nodes) if isinstance(node, And) != negated else Or(nodes)
    if negated and isinstance(node, InRange):
        return node.complement()
    return Not(node) if negated else node


def literals_of(node: Node, negated: bool = False) -> Iterator[tuple[Atom, bool]]:
    """Yield the atoms of a tree, from left to right, and whether each is negated."""
    if isinstance(node, Not):
        yield from literals_of(node.node, not negated)
    elif isinstance(node, (And, Or)):
        for each in node.nodes:
            yield from literals_of(each, negated)
    else:
        assert not isinstance(node, Linked), 'a flow replaces it before it reads'
        yield node, negated
