"""The normal form of a tree: a list of boxes, of which an object has to match one.

A box restricts some dimensions, each to a finite set of values or to all but these. A field is a
dimension, since an object has one index value of it; so is the primary key. Two restrictions of one
dimension are one, a contradiction makes the box empty, and a restriction to everything vanishes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from ..column import Column
from .tree import And, HasPk, InSets, Linked, Node, Not, Or

__all__ = (
    'MOST_BOXES',
    'PK',
    'Box',
    'Range',
    'TooManyBoxesError',
    'boxes_of',
    'disjoint',
)

# Boxes of a normal form. Trees that need more are evaluated by the client.
MOST_BOXES = 100
# The dimension of the primary key.
PK = 'pk'


class Range(NamedTuple):
    """A restriction of one dimension: to values, or to all others if it is ``negated``."""

    values: tuple[Hashable, ...]
    negated: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no value is left."""
        return not (self.values or self.negated)

    @property
    def is_everything(self) -> bool:
        """Whether every value is left."""
        return self.negated and not self.values

    def inverted(self) -> Range:
        """Return the restriction to all values that this one leaves out."""
        return Range(self.values, not self.negated)

    def both(self, other: Range) -> Range:
        """Return the restriction to the values that both leave, in the order of this one."""
        if self.negated and other.negated:
            return Range(tuple(dict.fromkeys((*self.values, *other.values))), True)
        if self.negated:
            return other.both(self)
        others = frozenset(other.values)
        return Range(tuple(v for v in self.values if (v in others) != other.negated))

    def either(self, other: Range) -> Range:
        """Return the restriction to the values that one of them leaves."""
        return self.inverted().both(other.inverted()).inverted()


# Dimension -> restriction. Boxes are not changed once they are made.
Dimension = Column | Hashable
Box = dict[Dimension, Range]


class TooManyBoxesError(Exception):
    """The normal form of a tree has more than ``MOST_BOXES`` boxes."""


def boxes_of(node: Node, negated: bool = False) -> list[Box]:
    """Return boxes whose union is a tree, or its negation. They may overlap.

    :raises TooManyBoxesError: if there are too many
    """
    if isinstance(node, Not):
        return boxes_of(node.node, not negated)
    if isinstance(node, (And, Or)):
        every = isinstance(node, And) != negated
        parts = _gathered((boxes_of(each, negated) for each in node.nodes), every)
        return _product(parts) if every else _union(parts)
    if isinstance(node, InSets):
        return _box(node.column, Range(node.values, negated))
    if isinstance(node, HasPk):
        return _box(PK, Range(node.pks, negated))
    assert not isinstance(node, Linked), 'a flow replaces it before it reads'
    # Any other atom is true or false.
    return _box(node, Range((True,), negated))


def _box(dimension: Dimension, values: Range) -> list[Box]:
    if values.is_empty:
        return []
    return [{} if values.is_everything else {dimension: values}]


def _gathered(parts: Iterable[list[Box]], negated: bool) -> list[list[Box]]:
    """Join lone restrictions of one dimension, so that thousands of them take linear time.

    :param negated: which to join: in an "and" those to all other values, in an "or" those to values
    """
    found: list[list[Box]] = []
    joined: dict[Dimension, tuple[Box, dict[Hashable, None]]] = {}
    for part in parts:
        alone = [*part[0].items()] if len(part) == 1 else []
        if len(alone) != 1 or alone[0][1].negated != negated:
            found.append(part)
            continue
        ((dimension, each),) = alone
        if dimension not in joined:
            joined[dimension] = {}, {}
            found.append([joined[dimension][0]])
        joined[dimension][1].update(dict.fromkeys(each.values))
    for dimension, (box, values) in joined.items():
        box[dimension] = Range(tuple(values), negated)
    return found


def _product(parts: Iterable[list[Box]]) -> list[Box]:
    found: list[Box] = [{}]
    for part in parts:
        pairs = (intersection(a, b) for a in found for b in part)
        found = _simplified(box for box in pairs if box is not None)
    return found


def _union(parts: Iterable[list[Box]]) -> list[Box]:
    return _simplified(box for part in parts for box in part)


def intersection(a: Box, b: Box) -> Box | None:
    """Return the box of what is in both; None if nothing is."""
    found = dict(a)
    for dimension, values in b.items():
        found[dimension] = a[dimension].both(values) if dimension in a else values
        if found[dimension].is_empty:
            return None
    return found


def _simplified(boxes: Iterable[Box]) -> list[Box]:
    """Return fewer boxes with the same union.

    :raises TooManyBoxesError: if there are too many
    """
    found: list[Box] = []
    for box in boxes:
        _add(found, box)
        if len(found) > MOST_BOXES:
            raise TooManyBoxesError
    return found


def _add(found: list[Box], box: Box) -> None:
    """Add a box to a list; merge it with one that differs in one dimension only."""
    while True:
        if any(_covers(each, box) for each in found):
            return
        found[:] = [each for each in found if not _covers(box, each)]
        for i, each in enumerate(found):
            merged = _merged(each, box)
            if merged is not None:
                # At the place of the first, so that the order is that of the tree.
                del found[i]
                box = merged
                break
        else:
            found.append(box)
            return


def _covers(a: Box, b: Box) -> bool:
    """Whether box ``a`` holds all of box ``b``."""
    return all(d in b and set_covers(values, b[d]) for d, values in a.items())


def set_covers(a: Range, b: Range) -> bool:
    """Whether a restriction leaves all values that another one leaves."""
    return a == b or b.both(a.inverted()).is_empty


def _merged(a: Box, b: Box) -> Box | None:
    """Return the union of two boxes, if that is a box."""
    if a.keys() != b.keys():
        return None
    different = [d for d, values in a.items() if values != b[d]]
    if len(different) != 1:
        return None
    (dimension,) = different
    box = {**a, dimension: a[dimension].either(b[dimension])}
    if box[dimension].is_everything:
        del box[dimension]
    return box


def disjoint(boxes: Sequence[Box]) -> list[Box]:
    """Return boxes with the same union, none of which overlap.

    :raises TooManyBoxesError: if there are too many
    """
    found: list[Box] = []
    for box in boxes:
        rest = [box]
        for other in found[:]:
            rest = [piece for each in rest for piece in _without(each, other)]
            if len(found) + len(rest) > MOST_BOXES:
                raise TooManyBoxesError
        found += rest
    return found


def _without(box: Box, other: Box) -> list[Box]:
    """Return what is left of a box without another, as boxes that do not overlap."""
    if intersection(box, other) is None:
        return [box]
    pieces: list[Box] = []
    rest = box
    for dimension, values in other.items():
        outside = intersection(rest, {dimension: values.inverted()})
        if outside is not None:
            pieces.append(outside)
        inside = intersection(rest, {dimension: values})
        assert inside is not None
        rest = inside
    return pieces
