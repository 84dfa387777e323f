"""Set expressions, and the commands they become. Pure: golden tests need no server.

An expression is "in every one of these sets, in none of those". All commands only read, so
replicas answer them too.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

from ..flows import Command
from .scripts import COUNT, COUNT_LIVING, MEMBERS

__all__ = ('SetExpression', 'count', 'count_living', 'is_short', 'members', 'operands')

# With more sets than this, scripts would take long, and native set algebra is asked instead.
SCRIPT_SETS = 100
# The number of intersections doubles with each excluded set. With more than this many, members are
# fetched: of 100,000 objects that takes 90 ms, while 6 would hold up the server for 1.6 s.
COUNTED_EXCLUSIONS = 3
# During a reset, only smaller index sets list objects of both data sets (see filling.py), with room
# for what others add meanwhile.
UNSETTLED_MEMBERS = 10_000


class SetExpression(NamedTuple):
    """Members of ``every`` set, and of ``none``; of ``all`` where no set is named."""

    all: bytes
    every: tuple[bytes, ...] = ()
    none: tuple[bytes, ...] = ()


def operands(expression: SetExpression) -> tuple[list[bytes], int]:
    """Return the keys for a script, and how many of them are to be in."""
    every = list(expression.every) or [expression.all]
    return [*every, *expression.none], len(every)


def is_short(expression: SetExpression) -> bool:
    """Whether a script answers it without holding up the server."""
    return len(expression.every) + len(expression.none) <= SCRIPT_SETS


def members(expression: SetExpression) -> Command:
    """Return the one command that gives the members: native where set algebra has one."""
    keys, every = operands(expression)
    if len(keys) == 1:
        return ('SMEMBERS', keys[0])
    if every == len(keys):
        return ('SINTER', *keys)
    if every == 1:
        return ('SDIFF', *keys)
    return MEMBERS(keys, every)


def count(expression: SetExpression) -> Command | None:
    """Return the one command that counts the members without moving them.

    Excluded sets are counted by inclusion and exclusion. ``None`` where there are too many.
    """
    keys, _ = operands(expression)
    if len(keys) == 1:
        return ('SCARD', keys[0])
    counted = _terms(expression)
    return None if counted is None else COUNT(*counted)


def count_living(expression: SetExpression, touched: bytes) -> Command | None:
    """As :func:`count`, where index sets may list what is not in the set of all pks.

    :param touched: the note of index sets that were written to during a reset
    """
    counted = _terms(expression)
    if counted is None:
        return None
    keys, *numbers = counted
    return COUNT_LIVING([expression.all, touched, *keys], UNSETTLED_MEMBERS, *numbers)


def _terms(expression: SetExpression) -> tuple[Any, ...] | None:
    """Keys and arguments of the scripts that count; ``None`` where it would be too many."""
    keys, every = operands(expression)
    excluded = keys[every:]
    if len(excluded) > COUNTED_EXCLUSIONS or every > SCRIPT_SETS:
        return None
    # Index sets hold members of `all` only, so `all` itself need not be intersected.
    base = list(expression.every)
    terms: list[tuple[int, list[bytes]]] = []
    for size in range(len(excluded) + 1):
        for chosen in combinations(excluded, size):
            terms.append(((-1) ** size, [*base, *chosen] or [expression.all]))
    names = [key for _, term in terms for key in term]
    return (names, *(number for sign, term in terms for number in (sign, len(term))))
