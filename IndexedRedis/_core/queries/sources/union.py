"""A union of index sets: a field with one of many values, or an "or" of such filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...expressions.sets import SetExpression
from ...expressions.tree import InSets, Node, Or
from ...flows import Command
from ...keys import Keys
from ...mapping.index_keys import index_keys_of_values
from ..scripts import FIND_ANY, PICK_ANY
from .base import Source

__all__ = ('Union', 'united_sets')

# Sets and members that a script unites: it blocks the server for 3 ms.
UNION_WORK = 5000
# Sets that a script unites. Lua's unpack() takes at most some thousands of values.
UNION_SETS = 2000


def united_sets(keys: Keys, node: Node) -> list[bytes] | None:
    """Return the index sets that a filter unites, each once; None if it does something else."""
    if isinstance(node, InSets):
        return index_keys_of_values(keys, node.column, node.values)
    if not isinstance(node, Or):
        return None
    found: dict[bytes, None] = {}
    for each in node.nodes:
        sets = united_sets(keys, each)
        if sets is None:
            return None
        found.update(dict.fromkeys(sets))
    return list(found)


class Union(Source):
    """The objects that are in one of several index sets, which may overlap.

    A script unites small sets. Of large sets the server intersects each with the set of all pks,
    which takes it less time than SUNION of all, and holds up others for less at a time.
    """

    def __init__(self, keys: Keys, sets: Sequence[bytes]) -> None:
        self._all, self._sets = keys.all, sets

    @property
    def expressions(self) -> Sequence[SetExpression]:  # type: ignore[override]
        """The set expressions whose union it is."""
        return [SetExpression(self._all, (self._all, each)) for each in self._sets]

    def commands(self) -> list[Command]:
        return [('SINTER', self._all, each) for each in self._sets]

    def members(self, replies: Sequence[Any]) -> Sequence[bytes]:
        return list(dict.fromkeys(pk for part in replies for pk in part))

    def find(self, factor: float, rows: int, *arguments: bytes) -> Command | None:
        return None if self._most < 0 else self._find(self._most, rows, arguments)

    def pick(self, order: str, seed: int, *arguments: bytes) -> Command | None:
        if self._most < 0:
            return None
        return PICK_ANY([self._all, *self._sets], b'', order, self._most, seed, *arguments)

    def find_all(self, most: int, *arguments: bytes) -> Command | None:
        return self._find(most, most, arguments) if len(self._sets) <= UNION_SETS else None

    @property
    def _most(self) -> int:
        """Members that a script may read; negative: there are too many sets."""
        count = len(self._sets)
        return UNION_WORK - count if count <= UNION_SETS else -1

    def _find(self, most: int, rows: int, arguments: Sequence[bytes]) -> Command:
        return FIND_ANY([self._all, *self._sets], b'', most, rows, *arguments)
