"""Read the objects of a query, in its order if it has one."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..column import Column
from ..flows import Flow
from .fetch import Build, fetch
from .pick import pick
from .query import WHOLE, Query, count, primary_keys

if TYPE_CHECKING:
    from .ordering.order import Entry

__all__ = ('count_part', 'pick_part', 'pks_of_part', 'read')


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
    total = yield from count(query)
    skip, limit = query.window
    rest = max(0, total - skip)
    return rest if limit is None else min(rest, limit)


def pick_part(query: Query, columns: Sequence[Column], order: str, seed: int) -> Flow[Any]:
    """Return the first, the last or a random object of those that the query names, or None."""
    if not query.in_parts:
        return (yield from pick(query, columns, order, seed))
    if order == 'first':
        few = 1 if query.window.limit is None else min(query.window.limit, 1)
        query = query._replace(window=query.window._replace(limit=few))
    elif query.window.skip == 0 and query.window.limit is None:
        if order == 'random':
            return (yield from pick(query, columns, order, seed))
        query = query._replace(
            order=tuple(by.opposite() for by in query.order),
            window=query.window._replace(limit=1),
        )
    found = yield from read(query, columns)
    if not found:
        return None
    return found[seed % len(found)] if order == 'random' else found[0 if order == 'first' else -1]
