"""A tree with ranges, or of too many terms: the client reads the members of each atom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...expressions.evaluate import evaluated
from ...expressions.tree import Atom, HasPk, InRange, InSets, Node, atoms_of
from ...flows import Command
from ...keys import Keys
from ...mapping.index_keys import index_keys_of_values
from ..ranges import score_range
from .base import Asked, Source

__all__ = ('Evaluated',)


class Evaluated(Source):
    """The objects for which a tree holds that has ranges or too many terms.

    Members of a sorted set need not be pks: a long list of new objects gets its scores before it is
    committed, and a killed process may leave them. Each pk is a member, so a sorted set that has as
    many members as there are pks has no others.
    """

    def __init__(self, keys: Keys, node: Node) -> None:
        self._keys, self._node = keys, node
        self._asked = Asked()
        self._places = {atom: self._places_of(atom) for atom in atoms_of(node)}
        # If objects match that are in no atom, the set of all pks is needed.
        if evaluated(node, lambda atom: frozenset()).negated:
            self._place_of_all = self._asked.place('SMEMBERS', keys.all)

    def _places_of(self, atom: Atom) -> list[int]:
        place, all_pks = self._asked.place, self._keys.all
        if isinstance(atom, HasPk):
            return [place('SMISMEMBER', all_pks, *atom.pks)] if atom.pks else []
        if isinstance(atom, InRange):
            return [place('ZRANGEBYSCORE', *score_range(self._keys, atom))]
        assert isinstance(atom, InSets)
        names = index_keys_of_values(self._keys, atom.column, atom.values)
        return [place('SINTER', all_pks, key) for key in names]

    def commands(self) -> list[Command]:
        return self._asked.commands

    def checks(self) -> list[Command]:
        ranges = (atom for atom in self._places if isinstance(atom, InRange))
        keys = dict.fromkeys(self._keys.sorted(each.column.key) for each in ranges)
        return [*(('ZCARD', key) for key in keys), ('SCARD', self._keys.all)] if keys else []

    def members(self, replies: Sequence[Any]) -> Sequence[bytes]:
        def members_of(atom: Atom) -> frozenset[bytes]:
            found = [replies[place] for place in self._places[atom]]
            if found and isinstance(atom, HasPk):
                pairs = zip(atom.pks, found[0], strict=True)
                return frozenset(b'%d' % pk for pk, is_member in pairs if is_member)
            return frozenset[bytes]().union(*found)

        pks, negated = evaluated(self._node, members_of)
        if not negated:
            return list(pks)
        return [pk for pk in replies[self._place_of_all] if pk not in pks]

    def find(self, factor: float, rows: int, *arguments: bytes) -> Command | None:
        return None

    def pick(self, order: str, seed: int, *arguments: bytes) -> Command | None:
        return None

    def find_all(self, most: int, *arguments: bytes) -> Command | None:
        return None
