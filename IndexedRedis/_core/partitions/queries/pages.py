"""Read a page of a result, whether its model has partitions or not."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from ...column import Column
from ...flows import Flow
from ...overlap import together
from ...queries.ordering import paging
from ...queries.ordering.order import BY_PK, Entry
from ...queries.ordering.paging import Paged
from ...queries.query import WHOLE, Query, Window
from .merging import Merge

__all__ = ('read_page',)


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
    if not query.schema.partitions:
        return (yield from paging.read_page(query, columns, window, after, total_up_to))
    query = query._replace(order=query.order or BY_PK)
    most = paging.most_to_count(query, total_up_to)
    more = size = window.limit or 0
    while True:
        # One more tells whether another page follows.
        asked = query._replace(window=window._replace(limit=more + 1))
        merge = Merge(asked, columns, after=after)

        def of_one(one: Query, merge: Merge = merge) -> Flow[list[Any]]:
            flows: list[Flow[Any]] = [merge.read(one)]
            if most is not None:
                flows.append(paging.count_up_to(one._replace(window=WHOLE), most))
            return together(flows)

        answers = yield from merge.ask(of_one, itemgetter(0))
        part = merge.merged()
        if not part.unfinished or part.rows:
            break
        more *= 2  # all of them are gone
    total = None if most is None else min(most, sum(answer[1] for answer in answers))
    return paging.paged(query, part, size, total, most)
