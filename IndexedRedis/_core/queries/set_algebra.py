"""The commands that answer set expressions. Pure.

An expression has required sets and excluded sets. Its commands only read, so replicas answer them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from ..expressions.sets import SetExpression
from ..flows import Command
from .scripts import COUNT, COUNT_LIVING, MEMBERS

__all__ = (
    'SetExpression',
    'count',
    'count_living',
    'is_short',
    'member_limit',
    'members',
    'operands',
)

# Sets that one script reads; commands of set algebra answer expressions of more.
SCRIPT_SETS = 100
# Members times sets that one script looks up: it blocks the server for 3 ms.
SCRIPT_LOOKUPS = 40_000
# Excluded sets that the server counts: each doubles the number of intersections. For more, the
# client fetches the members. Of 100,000 objects that takes 90 ms, while counting with 6 excluded
# sets would block the server for 1.6 s.
COUNTED_EXCLUSIONS = 3
# Terms that one script counts for an "or".
COUNTED_TERMS = 1000
# Members of the largest index set that may list objects of both data sets during a reset. A reset
# fills smaller sets only (index_fill.py); the rest is room for entries of other writers.
UNSETTLED_MEMBERS = 10_000


def operands(expression: SetExpression) -> tuple[list[bytes], int]:
    """Return the keys for a script, required sets first, and the number of required sets."""
    every = list(expression.every) or [expression.all]
    return [*every, *expression.none], len(every)


def is_short(expression: SetExpression) -> bool:
    """Return whether a script may answer it."""
    return len(expression.every) + len(expression.none) <= SCRIPT_SETS


def member_limit(expression: SetExpression, most: int) -> int:
    """Return how many members a script may read: ``most``, fewer where there are many sets."""
    keys, _ = operands(expression)
    return min(most, SCRIPT_LOOKUPS // len(keys))


def members(expression: SetExpression) -> Command:
    """Return the command that gives the members: a native one if there is one."""
    keys, every = operands(expression)
    if len(keys) == 1:
        return ('SMEMBERS', keys[0])
    if every == len(keys):
        return ('SINTER', *keys)
    if every == 1:
        return ('SDIFF', *keys)
    return MEMBERS(keys, every)


def count(expressions: Sequence[SetExpression]) -> Command | None:
    """Return the command that counts the members on the server, by inclusion and exclusion.

    None if there are too many expressions, or too many sets are excluded.

    :param expressions: expressions that do not overlap
    """
    (keys, _), *others = map(operands, expressions)
    if len(keys) == 1 and not others:
        return ('SCARD', keys[0])
    counted = _terms(expressions)
    return None if counted is None else COUNT(*counted)


def count_living(expressions: Sequence[SetExpression], touched: bytes) -> Command | None:
    """Return the command that counts members which are in the set of all pks, too.

    :param touched: the set of index sets that writers touched during a reset
    """
    counted = _terms(expressions)
    if counted is None:
        return None
    keys, *numbers = counted
    return COUNT_LIVING([expressions[0].all, touched, *keys], UNSETTLED_MEMBERS, *numbers)


def _terms(expressions: Sequence[SetExpression]) -> tuple[Any, ...] | None:
    """Return keys and arguments of the scripts that count; None if they would take too long."""
    terms: list[tuple[int, list[bytes]]] = []
    for expression in expressions:
        keys, every = operands(expression)
        excluded = keys[every:]
        if len(excluded) > COUNTED_EXCLUSIONS or every > SCRIPT_SETS:
            return None
        # Index sets hold members of `all` only, so `all` itself need not be intersected.
        base = list(expression.every)
        for size in range(len(excluded) + 1):
            for chosen in combinations(excluded, size):
                terms.append(((-1) ** size, [*base, *chosen] or [expression.all]))
    if len(expressions) > 1 and len(terms) > COUNTED_TERMS:
        return None
    names = [key for _, term in terms for key in term]
    return (names, *(number for sign, term in terms for number in (sign, len(term))))
