"""Read a part of a result in order, from several partitions.

Each partition gives its share of the objects up to the end of the part, with the values that decide
the order. Their order together tells which of them are wanted, and of which partition more are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any, TypeVar

from ...column import Column
from ...flows import Flow
from ...mapping.decoder import Row
from ...queries.fetch import Build
from ...queries.ordering import part
from ...queries.ordering.order import BY_PK, Entry, columns_of_order, in_order, keys_of
from ...queries.ordering.part import Part
from ...queries.query import Query, Window
from ..reading import read_where
from ..values import numbers_for

if TYPE_CHECKING:
    from ..editions.fence import Edition

__all__ = ('Merge', 'read_part')

T = TypeVar('T')

# A pk, its row, and the id of the newest incarnation when the row was read.
Stored = tuple[int, Row, bytes]


def read_part(
    query: Query,
    columns: Sequence[Column] | None = None,
    build: Build | None = None,
    after: Entry | None = None,
    note: Callable[[Edition], Any] | None = None,
) -> Flow[Part]:
    """Do for a model with partitions what :func:`~...queries.ordering.part.read_part` does.

    :param columns: the columns of the objects; None: all
    :param build: makes something else than objects of the rows, and as many
    :param after: leave out what comes before this place, or at it
    :param note: as of :func:`read_where`
    :raises QueryError: if too many objects match for an order without a sorted set
    :raises ConflictError: if resets come faster than reads
    """
    merge = Merge(query, columns, build, after)
    yield from merge.ask(merge.read, note=note)
    return merge.merged()


class Merge:
    """A part of a result, whose objects come from several partitions.

    :param query: its window names the part
    """

    def __init__(
        self,
        query: Query,
        columns: Sequence[Column] | None = None,
        build: Build | None = None,
        after: Entry | None = None,
    ) -> None:
        schema = query.schema
        order = query.order or BY_PK
        self._order, self._window, self._after = order, query.window, after
        self._columns = schema.all if columns is None else columns
        self._build: Build = build or schema.builder(self._columns).objects
        # The first columns are those of the objects.
        self._wanted = (
            schema.all
            if self._columns is schema.all
            else list(dict.fromkeys([*self._columns, *columns_of_order(order)]))
        )
        skip, limit = query.window
        window = Window(0, None if limit is None else skip + limit)
        self._asked = query._replace(order=order, window=window)
        # Partitions that are asked for the whole window, and the window of the others.
        self._fully, self._share = set[int](), window
        self._numbers: list[int] = []
        # What the partitions gave: their parts, the objects by pk, and the pks in order.
        self._parts: list[Part] = []
        self._stored: dict[int, Stored] = {}
        self._ordered: list[int] = []

    def ask(
        self,
        read: Callable[[Query], Flow[T]],
        part_of: Callable[[T], Part] = lambda answer: answer,  # type: ignore[assignment,return-value]
        note: Callable[[Edition], Any] | None = None,
    ) -> Flow[list[T]]:
        """Ask each partition for its share, until there is enough to merge; return the answers.

        A partition of which more is needed is asked again for all that may be needed of it. In the
        same trip the others are asked again, too, so that all answers are of one data set.

        :param read: gives the flow for one partition, which runs :meth:`read`
        :param part_of: returns what :meth:`read` gave, of an answer
        :param note: as of :func:`read_where`
        """

        def begin(edition: Edition) -> None:
            schema, filters = self._asked.schema, self._asked.filters
            self._numbers = numbers_for(schema, filters, edition)
            self._share = _share(self._asked.window, len(self._numbers))
            if note is not None:
                note(edition)

        while True:
            answers = yield from read_where(self._asked, read, begin)
            self._take([part_of(answer) for answer in answers])
            lacking = self._lacking()
            if not lacking:
                return answers
            self._fully |= lacking

    def read(self, asked: Query) -> Flow[Part]:
        """Return the part of one partition. Its objects are of the type ``Stored``."""
        if asked.schema.number not in self._fully:  # type: ignore[attr-defined]
            asked = asked._replace(window=self._share)
        return part.read_part(asked, self._wanted, _stored, self._after)

    def _take(self, parts: list[Part]) -> None:
        """Take what the partitions gave.

        :raises QueryError: if too many objects match for an order without a sorted set
        """
        first = self._order[0].column
        if first is not None:
            part.refuse_many(first, sum(each.valued for each in parts))
        self._parts = parts
        self._stored = {each[0]: each for one in parts for each in one.objs}
        self._ordered = self._in_order()

    def _lacking(self) -> set[int]:
        """Return the partitions whose share was too small."""
        limit = self._asked.window.limit
        if limit is None or limit == self._share.limit:
            return set()
        needed = {*self._ordered[: limit - 1]}  # an object may follow each of these
        return {
            number
            for number, each in zip(self._numbers, self._parts, strict=True)
            if each.unfinished and number not in self._fully
            if not each.objs or each.objs[-1][0] in needed
        }

    def merged(self) -> Part:
        """Return the part of the whole result."""
        whole = _trusted(self._ordered, self._parts)
        skip, limit = self._window
        stop = None if limit is None else skip + limit
        found = [self._stored[pk] for pk in self._ordered[:whole][skip:stop]]
        return Part(
            self._built(found),
            [(pk, row) for pk, row, _ in found],
            self._wanted,
            any(each.unfinished for each in self._parts) or (stop is not None and stop < whole),
            sum(each.valued for each in self._parts),
        )

    def _in_order(self) -> list[int]:
        if self._order == BY_PK:
            return sorted(self._stored)
        entries = (
            Entry(pk, keys_of(self._order, self._wanted, pk, row))
            for pk, row, _ in self._stored.values()
        )
        return [each.pk for each in in_order(entries, self._order)]

    def _built(self, found: Sequence[Stored]) -> list[Any]:
        """Return the objects of these rows, in order."""
        width, memos = len(self._columns), list[Any]()
        places: dict[bytes, list[int]] = {}
        for place, (_, _, drawn) in enumerate(found):
            places.setdefault(drawn, []).append(place)
        objs: list[Any] = [None] * len(found)
        for drawn, mine in places.items():
            pks, rows = [found[i][0] for i in mine], [found[i][1][:width] for i in mine]
            for place, obj in zip(mine, self._build(pks, rows, drawn, memos), strict=True):
                objs[place] = obj
        return objs


def _share(window: Window, count: int) -> Window:
    """Return how many objects to ask each of some partitions for, when a window of all is wanted.

    Objects are spread at random. So of the first 21 objects of 48 partitions, no partition has five
    or more, in 99 of 100 cases. Five rows of each instead of 21 take half of the CPU time of client
    and server.
    """
    limit = window.limit
    if limit is None or count < 2:
        return window
    mean = limit / count
    return window._replace(limit=min(limit, ceil(mean + 4 * sqrt(mean) + 1)))


def _stored(
    pks: Sequence[int], rows: Sequence[Row], drawn: bytes, memos: list[Any]
) -> list[Stored]:
    return list(zip(pks, rows, repeat(drawn)))


def _trusted(ordered: Sequence[int], parts: Sequence[Part]) -> int:
    """Return how many of the first pks are sure to have no others between them.

    A partition that has more objects than it gave, some of which were just deleted, may have them
    behind its last one.
    """
    unfinished = [each for each in parts if each.unfinished]
    if not unfinished:
        return len(ordered)
    if not all(each.objs for each in unfinished):
        return 0
    lasts = {each.objs[-1][0] for each in unfinished}
    return 1 + next(i for i, pk in enumerate(ordered) if pk in lasts)
