"""Query methods that order a result and cut parts out of it.

Each method that reads has an awaitable twin with the prefix ``a``. Both run the same flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from ..._core.flows import Flow
from ..._core.queries.query import WHOLE, Query, Window
from ...errors import UsageError
from ...generics import M
from ...twins import awaitable, in_event_loop
from .flows import QueryFlows

if TYPE_CHECKING:
    from typing import Self

    from ..._core.queries.ordering.order import Entry
    from .page import Page

__all__ = ('QueryPages',)


class QueryPages(QueryFlows[M]):
    """Order a result, cut a part out of it, and read it page by page."""

    def orderBy(self, *names: str, nulls: str = 'last') -> Self:
        """Return a new query whose objects come in this order.

        :param names: names of fields; ``-name`` for descending order, ``pk`` for the primary key.
            Of objects with equal values, the later names decide, and then the pk as text. No name:
            no order.
        :param nulls: whether objects with null come ``last`` or ``first``
        :raises QueryError: if a field is unknown, or its values have no order
        :raises UsageError: if the query was cut already, or ``nulls`` is something else

        If ``SORTED_FIELDS`` lists the first field, the server walks along its sorted set. Else the
        values of all objects that match are read, of up to 5,000.
        """
        from ..._core.queries.ordering.order import parse_order  # saves import time

        self._refuse_window('orderBy()')
        query = self._copied()
        query._order = parse_order(self._schema, names, nulls)
        return query

    def limit(self, limit: int, offset: int = 0) -> Self:
        """Return a new query for a part of the objects that this query names.

        Without :meth:`orderBy` they come in the order of their pks.

        :param limit: at most so many objects
        :param offset: leave out so many before
        :raises UsageError: if a number is negative, or no whole number
        """
        name = self._schema.name
        return self._cut(_number(name, 'offset', offset), _number(name, 'limit', limit))

    def _cut(self, start: int, limit: int | None) -> Self:
        """Return a query for a part of this part; None: to its end."""
        skip, most = self._window
        if most is not None:
            rest = max(0, most - start)
            limit = rest if limit is None else min(limit, rest)
        query = self._copied()
        query._window = Window(skip + start, limit)
        return query

    @overload
    def __getitem__(self, wanted: slice) -> Self: ...

    @overload
    def __getitem__(self, wanted: int) -> M: ...

    def __getitem__(self, wanted: Any) -> Any:
        """``query[20:40]`` is a query for a part, ``query[5]`` an object.

        :raises IndexError: if there is no such object
        :raises TypeError: for a step, or for one object inside a running event loop
        :raises UsageError: if a number is negative
        """
        if isinstance(wanted, slice):
            return self._slice(wanted)
        if in_event_loop():
            raise TypeError(
                f'query[{wanted!r}] takes a round trip, which would block the event loop. Write '
                f'await query.limit(1, {wanted!r}).afirst().'
            )
        found: Any = self.limit(1, wanted).first()  # type: ignore[attr-defined]
        if found is None:
            raise IndexError(f'{self._schema.name}: fewer than {wanted + 1:,} objects match.')
        return found

    @property
    def _part_text(self) -> str:
        """The calls that gave order and part."""
        names = ', '.join(repr(str(by)) for by in self._order)
        nulls = ", nulls='first'" if self._order and self._order[0].nulls_first else ''
        ordered = f'.orderBy({names}{nulls})' if names else ''
        skip, most = self._window
        if self._window == WHOLE:
            return ordered
        return f'{ordered}[{skip}:{"" if most is None else skip + most}]'

    def _slice(self, wanted: slice) -> Self:
        if wanted.step is not None:
            raise TypeError('a query takes no step; write query[start:stop].')
        name = self._schema.name
        start = _number(name, 'start', 0 if wanted.start is None else wanted.start)
        if wanted.stop is None:
            return self._cut(start, None)
        return self._cut(start, max(0, _number(name, 'stop', wanted.stop) - start))

    def page(
        self,
        number: int = 1,
        size: int = 20,
        after: Any = None,
        totalUpTo: int | str | None = None,
        cascadeFetch: bool = False,
    ) -> Page[M]:
        """Return a page of the objects, in the order of the query, or of the pks.

        ``page(after=page.next)`` goes on where a page ended, which stays right while the data
        changes, and costs the same for each page; a high ``number`` makes the server count the
        objects before it.

        :param number: number of the page, from 1
        :param size: objects of a page
        :param after: begin behind this place: the cursor of another page, or an object
        :param totalUpTo: count the objects that match up to so many, or ``'all'``, in steps of a
            few milliseconds. Without filters, and with one equality, the exact number costs
            nothing and is always there.
        :param cascadeFetch: as of :meth:`all`
        :raises UsageError: if a number is out of range, the query was cut already, or a cursor
            belongs to another order

        Redis: one script in one round trip; more of them where many objects have to be looked at.
        """
        return self._read(self._page(number, size, after, totalUpTo, cascadeFetch))

    @awaitable(page)
    async def apage(
        self,
        number: int = 1,
        size: int = 20,
        after: Any = None,
        totalUpTo: int | str | None = None,
        cascadeFetch: bool = False,
    ) -> Page[M]:
        return await self._aread(self._page(number, size, after, totalUpTo, cascadeFetch))

    def _page(
        self, number: int, size: int, after: Any, total: int | str | None, cascade: bool
    ) -> Flow[Page[M]]:
        from ..._core.partitions.queries.pages import read_page  # saves import time
        from ..._core.queries.ordering.paging import Paged
        from .page import Page

        self._refuse_window('page()')
        name = self._schema.name
        number, size = _number(name, 'number', number, 1), _number(name, 'size', size, 1)
        if total not in (None, 'all'):
            total = _number(name, 'totalUpTo', total)
        place = None if after is None else self._place(number, after)
        columns, paged = self._columns(), list[Paged]()

        def read(asked: Query) -> Flow[list[Any]]:
            window = Window(0 if place else (number - 1) * size, size)
            paged[:] = [(yield from read_page(asked, columns, window, place, total))]
            return paged[0].objs

        objects = yield from self._many(lambda: self._asked(read), cascade)
        found = paged[0]
        return Page(
            objects, found.total, found.is_exact, found.next, None if place else number, size
        )

    def _place(self, number: int, after: Any) -> Entry:
        from ..._core.queries.ordering import cursor
        from ..._core.queries.ordering.order import BY_PK

        name, order = self._schema.name, self._order or BY_PK
        if number != 1:
            raise UsageError(f'{name}: page() takes number= or after=, and not both.')
        if isinstance(after, str):
            return cursor.entry_of_cursor(name, order, after)
        if not isinstance(after, self.mdl):
            raise UsageError(
                f'{name}: after={after!r:.100} is neither a cursor nor an object of {name}.'
            )
        return cursor.entry_of_object(name, order, after)


def _number(model: str, name: str, number: Any, least: int = 0) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise UsageError(f'{model}: {name}={number!r:.100} is no whole number from {least} on.')
    return number
