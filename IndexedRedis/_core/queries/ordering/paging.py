"""Read a page of a result, and count the objects that match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...column import Column
from ...expressions.tree import InSets
from ...flows import Flow
from ...overlap import together
from ..query import Query, Window, count
from .cursor import cursor_of
from .matches import count_matches
from .order import BY_PK, Entry
from .part import Part, read_part
from .plan import ALL, plan_of

__all__ = ('Paged', 'count_up_to', 'most_to_count', 'paged', 'read_page')


class Paged(NamedTuple):
    """A page, and what is known of the result.

    :param total: how many objects match; None: unknown
    :param is_exact: whether ``total`` is exact; else it is the least number
    :param next: the cursor of the next page; None: there is none
    """

    objs: list[Any]
    total: int | None
    is_exact: bool
    next: str | None


def read_page(
    query: Query,
    columns: Sequence[Column],
    window: Window,
    after: Entry | None,
    total_up_to: int | str | None,
) -> Flow[Paged]:
    """Return a page, with objects of these columns.

    :param window: which objects in order are those of the page
    :param after: the page begins behind this place
    :param total_up_to: count so many, or ``'all'``; None: count only what costs nothing
    """
    size = window.limit or 0
    query = query._replace(order=query.order or BY_PK)
    # One more tells whether another page follows.
    asked = query._replace(window=window._replace(limit=size + 1))
    flows: list[Flow[Any]] = [read_part(asked, columns, after=after)]
    most = most_to_count(query, total_up_to)
    if most is not None:
        flows.append(count_up_to(query, most))
    part, *totals = yield from together(flows)
    more = size
    while part.unfinished and not part.rows:  # all of them are gone
        more *= 2
        asked = query._replace(window=window._replace(limit=more + 1))
        part = yield from read_part(asked, columns, after=after)
    return paged(query, part, size, totals[0] if totals else None, most)


def most_to_count(query: Query, total_up_to: int | str | None) -> int | None:
    """Return up to how many objects are counted; None: they are not."""
    most = ALL if total_up_to == 'all' or _costs_nothing(query) else total_up_to
    return None if most is None else int(most)


def paged(query: Query, part: Part, size: int, total: int | None, most: int | None) -> Paged:
    """Return the page of a part, which has one object more, if there is one.

    :param total: how many objects were counted
    :param most: up to how many
    """
    is_exact = total is not None and total < (most or 0)
    return Paged(_objects(part, size), total, is_exact, _next(query, part, size))


def _next(query: Query, part: Part, size: int) -> str | None:
    """Return the cursor behind a page; None if nothing follows.

    A page may have fewer rows than it asked for, though others follow: some objects were deleted
    meanwhile, or written by a program that knows no sorted sets.
    """
    if not part.rows or not (part.unfinished or len(part.rows) > size):
        return None
    return cursor_of(query.order, part.columns, *part.rows[:size][-1])


def _costs_nothing(query: Query) -> bool:
    """Return whether the size of one set, or of none, is the number of objects that match."""
    if not query.filters:
        return True
    first = query.filters[0]
    return len(query.filters) == 1 and isinstance(first, InSets) and len(first.values) < 2


def count_up_to(query: Query, most: int) -> Flow[int]:
    """Return how many objects match, or ``most`` if more do."""
    plan = None if _costs_nothing(query) else plan_of(query)
    if plan is not None and plan.clauses is not None and not plan.inexact:
        return (yield from count_matches(query, plan, most))
    return min(most, (yield from count(query)))


def _objects(part: Part, size: int) -> list[Any]:
    """Return the objects of a page, without the one that follows it."""
    pks = {pk for pk, _ in part.rows[size:]}
    return [obj for obj in part.objs if obj._id not in pks] if pks else part.objs
