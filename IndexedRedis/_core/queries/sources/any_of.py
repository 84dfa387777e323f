"""Several terms, which may overlap: an "or", or a field with one of several values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from ...expressions.boxes import Range
from ...expressions.sets import Term
from ...flows import Command
from ...keys import Keys
from .. import set_algebra
from ..scripts import FIND_ANY, PICK_ANY
from .base import FIND_MEMBERS, PICK_MEMBERS, Asked, Source
from .one import living

__all__ = ('AnyOf',)


class AnyOf(Source):
    """The objects that are in one of several terms, which may overlap."""

    def __init__(self, keys: Keys, terms: Sequence[Term]) -> None:
        self._all, self._terms = keys.all, terms
        self._asked = Asked()
        if not self._has_pks:
            self.expressions = [living(term.sets) for term in terms]
        self._parts = [self._part(term) for term in terms]

    def _part(self, term: Term) -> Callable[[Sequence[Any]], Collection[bytes]]:
        """Note the commands of a term; return what makes its pks from their replies."""
        every, none, pks = (self._all, *term.sets.every), term.sets.none, term.pks
        if pks is not None and not pks.negated:
            return self._of_pks(pks, every, none)
        left_out = set(_names(pks)) if pks else set[bytes]()
        place = self._asked.place
        if len(every) == 1:
            places = [place('SDIFF' if none else 'SMEMBERS', *every, *none)]
        else:
            # Native commands instead of a script: large results stay out of Lua.
            places = [place('SINTER', *every), *(place('SINTER', *every, key) for key in none)]

        def part(replies: Sequence[Any]) -> Collection[bytes]:
            first, *others = (replies[place] for place in places)
            outside = left_out.union(*others)
            return [pk for pk in first if pk not in outside] if outside else first

        return part

    def _of_pks(
        self, pks: Range, every: Iterable[bytes], none: Iterable[bytes]
    ) -> Callable[[Sequence[Any]], Collection[bytes]]:
        names = _names(pks)
        wanted = [(self._asked.place('SMISMEMBER', key, *names), 1) for key in every]
        wanted += [(self._asked.place('SMISMEMBER', key, *names), 0) for key in none]

        def part(replies: Sequence[Any]) -> Collection[bytes]:
            left = names
            for place, is_member in wanted:
                found = dict(zip(names, replies[place], strict=True))
                left = tuple(pk for pk in left if found[pk] == is_member)
            return left

        return part

    def commands(self) -> list[Command]:
        return self._asked.commands

    def members(self, replies: Sequence[Any]) -> Sequence[bytes]:
        return list(dict.fromkeys(pk for part in self._parts for pk in part(replies)))

    def find(self, factor: float, rows: int, *arguments: bytes) -> Command | None:
        if not self._is_short:
            return None
        return FIND_ANY(*self._terms_for_script, self._limit(FIND_MEMBERS), rows, *arguments)

    def pick(self, order: str, seed: int, *arguments: bytes) -> Command | None:
        if not self._is_short:
            return None
        most = self._limit(PICK_MEMBERS)
        return PICK_ANY(*self._terms_for_script, order, most, seed, *arguments)

    def find_all(self, most: int, *arguments: bytes) -> Command | None:
        if self._has_pks:
            return None
        return FIND_ANY(*self._terms_for_script, most, most, *arguments)

    @property
    def _has_pks(self) -> bool:
        return any(term.pks for term in self._terms)

    @property
    def _is_short(self) -> bool:
        return not self._has_pks and len(self._terms_for_script[0]) <= set_algebra.SCRIPT_SETS

    def _limit(self, most: int) -> int:
        return min(set_algebra.member_limit(term.sets, most) for term in self._terms)

    @property
    def _terms_for_script(self) -> tuple[list[bytes], bytes]:
        """The keys of all terms, and how many sets of each are required and excluded."""
        sets = [term.sets for term in self._terms]
        keys = [self._all, *(key for each in sets for key in (*each.every, *each.none))]
        return keys, b' '.join(b'%d %d' % (len(each.every), len(each.none)) for each in sets)


def _names(pks: Range) -> tuple[bytes, ...]:
    return tuple(str(pk).encode('ascii') for pk in pks.values)
