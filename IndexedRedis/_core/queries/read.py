"""Read the objects of a query, in its order if it has one."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..column import Column
from ..flows import Flow
from .fetch import Build, fetch
from .pick import pick
from .query import WHOLE, Query, Window, count, primary_keys

if TYPE_CHECKING:
    from .ordering.order import Entry

__all__ = (
    'chosen',
    'count_part',
    'narrowed',
    'of_part',
    'pick_part',
    'picks_by_pk',
    'pks_of_part',
    'read',
)


def read(
    query: Query,
    columns: Sequence[Column] | None = None,
    by_age: bool = False,
    build: Build | None = None,
    after: Entry | None = None,
) -> Flow[list[Any]]:
    """Return the objects that the query names.

    :param columns: the columns of the objects; None: all
    :param by_age: put them in the order of their pks; the query's order tells which they are
    :param build: makes something else than objects of the rows
    :param after: leave out what comes before this place, or at it
    """
    if by_age and query.window == WHOLE:
        query = query._replace(order=())
    if not query.in_parts and after is None:
        return (yield from fetch(query, columns, by_age, build))
    from .ordering.part import read_part  # saves import time

    found = (yield from read_part(query, columns, build, after)).objs
    return sorted(found, key=attrgetter('_id')) if by_age else found


def pks_of_part(query: Query, by_age: bool = False) -> Flow[list[int]]:
    """Return the pks that the query names."""
    if by_age and query.window == WHOLE:
        query = query._replace(order=())
    if not query.in_parts:
        return (yield from primary_keys(query, by_age))

    def build(pks: Sequence[int], rows: Sequence[Any], drawn: bytes, memos: list[Any]) -> list[int]:
        return list(pks)

    found = yield from read(query, query.schema.all[:1], build=build)
    return sorted(found) if by_age else found


def count_part(query: Query) -> Flow[int]:
    """Return how many objects the query names."""
    return of_part((yield from count(query)), query.window)


def of_part(total: int, window: Window) -> int:
    """Return how many of so many objects a window shows."""
    skip, limit = window
    rest = max(0, total - skip)
    return rest if limit is None else min(rest, limit)


def pick_part(query: Query, columns: Sequence[Column], order: str, seed: int) -> Flow[Any]:
    """Return the first, the last or a random object of those that the query names, or None."""
    if picks_by_pk(query, order):
        return (yield from pick(query, columns, order, seed))
    return chosen((yield from read(narrowed(query, order), columns)), order, seed)


def picks_by_pk(query: Query, order: str) -> bool:
    """Return whether :func:`pick` finds the object, for which the query's order is irrelevant."""
    return query.window == WHOLE and (order == 'random' or not query.order)


def narrowed(query: Query, order: str) -> Query:
    """Return the query for the objects among which :func:`chosen` finds the one to pick."""
    window = query.window
    if order == 'first':
        few = 1 if window.limit is None else min(window.limit, 1)
        return query._replace(window=window._replace(limit=few))
    if window != WHOLE:
        return query
    opposite = tuple(by.opposite() for by in query.order)
    return query._replace(order=opposite, window=window._replace(limit=1))


def chosen(found: Sequence[Any], order: str, seed: int) -> Any:
    """Return the first, the last or a random one of some objects; None if there are none."""
    if not found:
        return None
    return found[seed % len(found)] if order == 'random' else found[0 if order == 'first' else -1]
