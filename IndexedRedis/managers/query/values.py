"""Query methods that give plain values and counts, or objects chunk by chunk.

Each method has an awaitable twin with the prefix ``a``. Both run the same flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..._core.column import Column
from ..._core.flows import Flow
from ..._core.mapping.plain_values import PK_NAMES, Shape
from ..._core.partitions.queries import verbs
from ..._core.queries.query import Query
from ..._core.text import near_miss
from ...errors import QueryError, UsageError
from ...generics import M
from ...twins import awaitable
from .flows import QueryFlows

if TYPE_CHECKING:
    from .iterator import ObjectIterator

__all__ = ('QueryValues',)


class QueryValues(QueryFlows[M]):
    """Get plain values, counts by value, or objects chunk by chunk."""

    def values(self, *names: str) -> list[dict[str, Any]]:
        """Return a dict ``{name: value}`` for each object that matches, without making objects.

        A null is None, and a link is the pk of its target (a multi link: the list of pks).

        :param names: names of fields, and ``'pk'`` or ``'_id'`` for the pk; none: all fields, or
            those of :meth:`only`
        :raises UsageError: if a name is unknown
        :raises UnreadableValueError: if stored bytes cannot be decoded

        Redis: as :meth:`all`, with only these fields; without fields as :meth:`getPrimaryKeys`.
        """
        return self._read(self._values(names, Shape.DICT))

    @awaitable(values)
    async def avalues(self, *names: str) -> list[dict[str, Any]]:
        return await self._aread(self._values(names, Shape.DICT))

    def valuesList(self, *names: str, flat: bool = False) -> list[Any]:
        """Return a tuple of values for each object that matches; see :meth:`values`.

        :param names: as of :meth:`values`
        :param flat: return the values of the one name instead of tuples
        :raises UsageError: if a name is unknown, or ``flat`` is given with other than one name
        :raises UnreadableValueError: if stored bytes cannot be decoded
        """
        return self._read(self._values_list(names, flat))

    @awaitable(valuesList)
    async def avaluesList(self, *names: str, flat: bool = False) -> list[Any]:
        return await self._aread(self._values_list(names, flat))

    def countBy(self, name: str) -> dict[Any, int]:
        """Return how many matching objects have each value of a field, the most frequent first.

        Objects with null count under None. A link counts by the pk of its target (a multi link: by
        the tuple of pks).

        :param name: name of an indexed field
        :raises QueryError: if the field is unknown or not indexed
        :raises UnreadableValueError: if stored bytes cannot be decoded

        A field of few values costs as many ``SCARD`` (with filters: ``SINTERCARD``), and up to
        2,100 rows of this field, in which the values are met. If that does not meet all values, or
        the filters leave less than an eighth of the objects, this field of all matching objects is
        read. No step blocks the server for longer than :meth:`count`.

        Redis: ``SCARD``, ``SRANDMEMBER``, ``HMGET`` and :meth:`count` for each value; or as
        :meth:`values`.
        """
        return self._read(self._count_by(name))

    @awaitable(countBy)
    async def acountBy(self, name: str) -> dict[Any, int]:
        return await self._aread(self._count_by(name))

    def distinctValues(self, name: str) -> list[Any]:
        """Return the values that a field has in matching objects, the most frequent first.

        :param name: name of an indexed field
        :returns: each value once; the keys of :meth:`countBy`, which says what it costs
        :raises QueryError: if the field is unknown or not indexed
        :raises UnreadableValueError: if stored bytes cannot be decoded
        """
        return [*self._read(self._count_by(name))]

    @awaitable(distinctValues)
    async def adistinctValues(self, name: str) -> list[Any]:
        return [*await self._aread(self._count_by(name))]

    def iterator(self, chunk: int = 1000, cascadeFetch: bool = False) -> ObjectIterator[M]:
        """Return an iterator over the objects that match, which reads them chunk by chunk.

        Both ``for`` and ``async for`` take it. Memory holds one chunk of objects, and eight bytes
        for each pk. All pks are read at the first step, in one moment; each object is given as it
        is when its chunk is read, and left out if it was deleted or does not match any more.

        A reset replaces the objects under other pks. Their rows stay readable for 10 seconds, so
        an iteration that ends by then gives the old data set. A longer one raises.

        :param chunk: how many objects to read at a time
        :param cascadeFetch: fetch linked objects too, chunk by chunk
        :raises UsageError: if ``chunk`` is not a whole number above 0
        :raises ConflictError: while iterating, if a reset replaced the objects and the old rows
            have expired. Deleting all of them has the same effect.

        Redis: ``SMEMBERS``, ``SINTER`` or ``SDIFF``; then ``HMGET`` for each row and ``MGET``.
        """
        return self._iterator(chunk, cascadeFetch)

    @awaitable(iterator)
    def aiterator(self, chunk: int = 1000, cascadeFetch: bool = False) -> ObjectIterator[M]:
        return self._iterator(chunk, cascadeFetch)

    def _iterator(self, chunk: int, cascade: bool) -> ObjectIterator[M]:
        from .iterator import ObjectIterator  # saves import time

        return ObjectIterator(self, chunk, cascade)

    def _values(self, given: Sequence[str], shape: str) -> Flow[list[Any]]:
        columns = self._schema.columns
        names = tuple(map(str.__str__, given or [column.name for column in self._columns()]))
        # A field may be named pk; `_columns` refuses what is neither.
        self._columns(name for name in names if name in columns or name not in PK_NAMES)

        def read(asked: Query) -> Flow[list[Any]]:
            return verbs.values(asked, names, shape)

        return self._asked(read)

    def _values_list(self, names: Sequence[str], flat: bool) -> Flow[list[Any]]:
        if flat and len(names) != 1:
            raise UsageError(
                f'{self._schema.name}: valuesList(flat=True) gives the values of one name, and '
                f'{len(names)} were given. Name one field.'
            )
        return self._values(names, Shape.SINGLE if flat else Shape.TUPLE)

    def _count_by(self, name: str) -> Flow[dict[Any, int]]:
        self._refuse_window('countBy()')
        column = self._indexed_column(str.__str__(name))

        def counted(asked: Query) -> Flow[dict[Any, int]]:
            return verbs.count_by(asked, column)

        return self._asked(counted)

    def _indexed_column(self, name: str) -> Column:
        schema = self._schema
        column = schema.columns.get(name)
        if column is None:
            hint = near_miss(name, list(schema.columns))
            raise QueryError(f'{schema.name} has no field {name!r} to count by.{hint}')
        if not column.indexed:
            raise QueryError(
                f'{column.label} is not indexed, so its values cannot be counted. Add it to '
                'INDEXED_FIELDS and call objects.reindex(), or count them in Python: '
                f'collections.Counter(query.valuesList({name!r}, flat=True)).'
            )
        return column
