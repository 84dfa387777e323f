"""The nodes of an expression tree: and, or, not, and the atoms below them. All are immutable.

An atom is one test of an object. ``InSets`` is the union of index sets of one field, which never
overlap. A new kind of atom, such as a range of a sorted set, is one more class with the same three
attributes; :mod:`.boxes` treats whatever it does not recognise as true or false.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..column import Column

__all__ = (
    'And',
    'Atom',
    'HasPk',
    'InSets',
    'Linked',
    'Node',
    'Not',
    'Or',
    'atoms_of',
    'columns_of',
    'literals_of',
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


Atom = InSets | HasPk
Node = And | Or | Not | Atom | Linked


def atoms_of(node: Node) -> Iterator[Atom]:
    """Yield the atoms of a tree, from left to right."""
    return (atom for atom, _ in literals_of(node))


def columns_of(filters: Iterable[Node]) -> Iterator[Column]:
    """Yield the columns whose values decide whether filters hold."""
    atoms = (atom for node in filters for atom in atoms_of(node))
    return (atom.column for atom in atoms if not isinstance(atom, HasPk))


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
