"""Decide which rows match filters, by the index values of their stored bytes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import and_, or_
from typing import Protocol

from ..column import Column
from ..mapping.decoder import Row
from .tree import And, HasPk, InRange, InSets, Node, Not, Or

__all__ = ('Matcher',)

# Whether each row matches; True if all do, False if none does.
_Mask = list[bool] | bool


class Matcher:
    """Tells rows that match the filters of a query from rows that do not.

    :param filters: the filters, which all have to hold
    :param columns: the columns of the rows, those of the filters among them
    """

    __slots__ = ('_test',)

    def __init__(self, filters: Sequence[Node], columns: Sequence[Column]) -> None:
        (node,) = filters if len(filters) == 1 else (And(tuple(filters)),)
        self._test = _test_of(node, columns)

    def matches(self, pk: int, row: Row) -> bool:
        """Return whether one row matches."""
        mask = self.mask((pk,), (row,))
        return mask is None or mask[0]

    def mask(self, pks: Sequence[int], rows: Sequence[Row]) -> list[bool] | None:
        """Return for each row whether it matches; None if all do."""
        mask = self._test.mask(pks, rows)
        if isinstance(mask, bool):
            return None if mask else [False] * len(rows)
        return mask


class _Test(Protocol):
    def mask(self, pks: Sequence[int], rows: Sequence[Row]) -> _Mask: ...


def _test_of(node: Node, columns: Sequence[Column], negated: bool = False) -> _Test:
    if isinstance(node, InSets):
        return _OfColumn(columns.index(node.column), node.column, frozenset(node.values), negated)
    if isinstance(node, Not):
        return _test_of(node.node, columns, not negated)
    if isinstance(node, (And, Or)):
        tests = [_test_of(each, columns, negated) for each in node.nodes]
        return tests[0] if len(tests) == 1 else _Several(tests, isinstance(node, And) != negated)
    if isinstance(node, HasPk):
        return _OfPk(frozenset(node.pks), negated)
    assert isinstance(node, InRange)
    return _OfRange(columns.index(node.column), node, negated)


class _OfColumn:
    """Whether a value of a row is one of some index values."""

    def __init__(self, place: int, column: Column, wanted: frozenset[bytes], negated: bool) -> None:
        self._place, self._column = place, column
        self._wanted, self._negated = wanted, negated

    def mask(self, pks: Sequence[int], rows: Sequence[Row]) -> _Mask:
        place, wanted, negated = self._place, self._wanted, self._negated
        index_of = self._column.index_of_stored
        # A chunk holds few different values, usually one.
        found = {row[place] for row in rows}
        right = {each for each in found if (index_of(each) in wanted) != negated}
        if len(right) < len(found):
            return [row[place] in right for row in rows] if right else False
        return True


class _OfRange:
    """Whether a value of a row is in a range."""

    def __init__(self, place: int, wanted: InRange, negated: bool) -> None:
        self._place, self._wanted, self._negated = place, wanted, negated

    def mask(self, pks: Sequence[int], rows: Sequence[Row]) -> _Mask:
        place = self._place
        right = {each: self._holds(each) for each in {row[place] for row in rows}}
        return [right[row[place]] for row in rows]

    def _holds(self, stored: bytes | None) -> bool:
        wanted = self._wanted
        key = wanted.column.order_key(stored)
        if key is None:
            return wanted.null != self._negated
        low, high = wanted.low, wanted.high
        inside = (low is None or key > low.key or (low.inclusive and key == low.key)) and (
            high is None or key < high.key or (high.inclusive and key == high.key)
        )
        return inside != self._negated


class _OfPk:
    """Whether a pk is one of some."""

    def __init__(self, wanted: frozenset[int], negated: bool) -> None:
        self._wanted, self._negated = wanted, negated

    def mask(self, pks: Sequence[int], rows: Sequence[Row]) -> _Mask:
        return [(pk in self._wanted) != self._negated for pk in pks]


class _Several:
    """Whether all tests hold, or one of them."""

    def __init__(self, tests: Sequence[_Test], every: bool) -> None:
        self._tests, self._every = tests, every

    def mask(self, pks: Sequence[int], rows: Sequence[Row]) -> _Mask:
        every = self._every
        mask: _Mask = every
        for test in self._tests:
            found = test.mask(pks, rows)
            if isinstance(found, bool):
                if found != every:
                    return found
            elif isinstance(mask, bool):
                mask = found
            else:
                mask = list(map(and_ if every else or_, mask, found))
        return mask
