"""Random conditions for hypothesis, and the ways to ask one query."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def trees(leaves: Any, max_leaves: int) -> Any:
    """Trees of ``Q`` objects."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda q: ~q),
            st.tuples(inner, inner).map(lambda p: p[0] | p[1]),
            st.tuples(inner, inner).map(lambda p: p[0] & p[1]),
        ),
        max_leaves=max_leaves,
    )


def judged_trees(leaves: Any, max_leaves: int) -> Any:
    """Trees of ``Q`` objects, each with a function that says whether it holds for an object.

    The leaves are pairs of the same kind.
    """
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(
                lambda p: (p[0][0] | p[1][0], lambda *of: p[0][1](*of) or p[1][1](*of))
            ),
            st.tuples(inner, inner).map(
                lambda p: (p[0][0] & p[1][0], lambda *of: p[0][1](*of) and p[1][1](*of))
            ),
            inner.map(lambda p: (~p[0], lambda *of: not p[1](*of))),
        ),
        max_leaves=max_leaves,
    )


def check_ways(query: Any, pks: list[int], field: str) -> None:
    """Ask in every way that gives objects, pks or their number.

    :param pks: those that match, ascending
    :param field: the field of partial objects
    """
    assert sorted(query.getPrimaryKeys()) == query.getPrimaryKeys(sortByAge=True) == pks
    assert sorted(obj._id for obj in query.all()) == pks
    assert [obj._id for obj in query.allByAge()] == pks
    assert sorted(obj._id for obj in query.allOnlyFields([field])) == pks
    assert query.count() == len(pks)
    assert getattr(query.first(), '_id', None) == next(iter(pks), None)
    assert getattr(query.last(), '_id', None) == next(reversed(pks), None)
    assert getattr(query.random(), '_id', None) in (pks or [None])
    assert query.exists() is bool(pks)
    assert sorted(obj._id for obj in query.iterator(2)) == pks
