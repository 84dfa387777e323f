"""Lower filters and boxes to set expressions: required and excluded index sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from ..column import Column
from ..keys import Keys
from ..mapping.index_keys import index_keys_of_values
from .boxes import PK, Box, Range
from .tree import InRange, InSets, Node, Not, has_ranges, without_negated_ranges

__all__ = (
    'MOST_TERMS',
    'SetExpression',
    'Term',
    'joined',
    'plain_expressions',
    'terms_of',
)

# Terms of a query that the server intersects, each by a command. Queries of more are evaluated by
# the client.
MOST_TERMS = 2000


class SetExpression(NamedTuple):
    """The members of every set in ``every`` and of no set in ``none``.

    Without a required set it starts from ``all``, the set of all pks.
    """

    all: bytes
    every: tuple[bytes, ...] = ()
    none: tuple[bytes, ...] = ()


class Term(NamedTuple):
    """A set expression, and a restriction of pks."""

    sets: SetExpression
    pks: Range | None = None


def joined(filters: tuple[Node, ...]) -> tuple[Node, ...]:
    """Merge duplicate filters, so that the cost of thousands of them stays linear.

    Ranges are not negated any more; see :func:`without_negated_ranges`.
    """
    if any(map(has_ranges, filters)):
        filters = tuple(map(without_negated_ranges, filters))
    if len(filters) < 2:
        return filters
    excluded: dict[Column, dict[bytes, None]] = {}
    others: dict[Node, None] = {}
    for each in filters:
        if isinstance(each, Not) and isinstance(each.node, InSets):
            excluded.setdefault(each.node.column, {}).update(dict.fromkeys(each.node.values))
        else:
            others[each] = None
    merged = (Not(InSets(column, tuple(values))) for column, values in excluded.items())
    return (*others, *merged)


def plain_expressions(keys: Keys, filters: Iterable[Node]) -> list[SetExpression] | None:
    """Return disjoint set expressions of plain filters; their union is the result.

    Plain filters are equalities and inequalities, which all have to hold. There is one expression,
    or several where a value has several index values. None if a filter is not plain.
    """
    every: list[list[bytes]] = []
    none: list[bytes] = []
    for each in filters:
        if isinstance(each, Not) and isinstance(each.node, InSets):
            none += index_keys_of_values(keys, each.node.column, each.node.values)
        # `in` has a term for each value; stored forms of one value have an expression each
        elif isinstance(each, InSets) and (each.lookup != 'in' or len(each.values) == 1):
            every.append(index_keys_of_values(keys, each.column, each.values))
        else:
            return None
    return [SetExpression(keys.all, choice, tuple(none)) for choice in product(*every)]


def terms_of(keys: Keys, boxes: Sequence[Box]) -> list[Term] | None:
    """Return the terms of boxes: one for each choice of values.

    None if there are too many, or a box has a range, which no set answers.
    """
    if any(isinstance(dimension, InRange) for box in boxes for dimension in box):
        return None
    if sum(prod(len(r.values) for r in _included(box)) for box in boxes) > MOST_TERMS:
        return None
    return [term for box in boxes for term in _terms_of_box(keys, box)]


def _included(box: Box) -> list[Range]:
    return [values for name, values in box.items() if name != PK and not values.negated]


def _terms_of_box(keys: Keys, box: Box) -> list[Term]:
    every: list[list[bytes]] = []
    none: list[bytes] = []
    for column, values in box.items():
        if column == PK:
            continue
        assert isinstance(column, Column)
        texts: tuple[Any, ...] = values.values
        names = index_keys_of_values(keys, column, texts)
        if values.negated:
            none += names
        else:
            every.append(names)
    return [
        Term(SetExpression(keys.all, choice, tuple(none)), box.get(PK))
        for choice in product(*every)
    ]
