"""Ranges of scores: what a sorted set is asked for the values of a range."""

from __future__ import annotations

from ..expressions.tree import And, Bound, InRange, Node, Not, Or
from ..keys import Keys

__all__ = ('is_exact', 'score_bounds', 'score_range')

LOWEST = b'-inf'
# Null has the score infinity.
NULLS, BELOW_NULLS = b'+inf', b'(+inf'


def score_range(keys: Keys, wanted: InRange) -> tuple[bytes, bytes, bytes]:
    """Return the sorted set of a range, its lowest and its highest score, as ZCOUNT takes them."""
    return (keys.sorted(wanted.column.key), *score_bounds(wanted))


def score_bounds(wanted: InRange) -> tuple[bytes, bytes]:
    """Return the lowest and the highest score of a range.

    The score of a bound is included, unless it belongs to the value of the bound only.
    """
    low = LOWEST if wanted.low is None else _score(wanted, wanted.low)
    if wanted.high is not None:
        return low, _score(wanted, wanted.high)
    return low, NULLS if wanted.null else BELOW_NULLS


def _score(wanted: InRange, bound: Bound) -> bytes:
    score = bound.key[0]
    excluded = not bound.inclusive and wanted.column.tells_apart(score)
    return b'%s%.17g' % (b'(' if excluded else b'', score)


def is_exact(node: Node) -> bool:
    """Return whether scores alone tell which objects match a tree."""
    if isinstance(node, Not):
        return is_exact(node.node)
    if isinstance(node, (And, Or)):
        return all(map(is_exact, node.nodes))
    if isinstance(node, InRange):
        bounds = [each for each in (node.low, node.high) if each is not None]
        return all(_is_exact_bound(node, each) for each in bounds)
    return True


def _is_exact_bound(wanted: InRange, bound: Bound) -> bool:
    return bound.key[1] is None or wanted.column.tells_apart(bound.key[0])
