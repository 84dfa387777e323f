"""One set expression: today's filters, and every tree that comes to one term."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...expressions.sets import SetExpression
from ...flows import Command
from .. import set_algebra
from ..scripts import FIND, PICK
from .base import FIND_MEMBERS, PICK_MEMBERS, Source

__all__ = ('FIND_MEMBERS_OF_ONE_SET', 'One', 'living')

# FIND_MEMBERS for one index set. Nearly all its members match, so of more, SMEMBERS tells sooner
# that the result is not small.
FIND_MEMBERS_OF_ONE_SET = 200


class One(Source):
    """The members of one set expression."""

    def __init__(self, expression: SetExpression) -> None:
        self.expression = expression
        self.expressions = (expression,)
        self.key = next(iter(expression.every), None)

    def commands(self) -> list[Command]:
        return [set_algebra.members(self.expression)]

    def members(self, replies: Sequence[Any]) -> Sequence[bytes]:
        (members,) = replies
        return members  # type: ignore[no-any-return]

    def find(self, factor: float, rows: int, *arguments: bytes) -> Command | None:
        if not set_algebra.is_short(self.expression):
            return None
        plain = len(self.expression.every) <= 2 and not self.expression.none
        members = int(FIND_MEMBERS_OF_ONE_SET * factor) if plain else FIND_MEMBERS
        return self._find(set_algebra.member_limit(self.expression, members), rows, arguments)

    def pick(self, order: str, seed: int, *arguments: bytes) -> Command | None:
        if not set_algebra.is_short(self.expression):
            return None
        keys, every = set_algebra.operands(self.expression)
        most = set_algebra.member_limit(self.expression, PICK_MEMBERS)
        return PICK(keys, every, order, most, seed, *arguments)

    def find_all(self, most: int, *arguments: bytes) -> Command | None:
        return self._find(most, most, arguments)

    def _find(self, members: int, rows: int, arguments: Sequence[bytes]) -> Command:
        keys, every = set_algebra.operands(self.expression)
        return FIND(keys, every, members, rows, *arguments)


def living(expression: SetExpression) -> SetExpression:
    """Return an expression without index entries of objects that are gone."""
    every_pk, every, none = expression
    return SetExpression(every_pk, (every_pk, *every), none) if every else expression
