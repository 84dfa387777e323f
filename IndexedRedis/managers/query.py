"""The query manager: filters, and the methods that execute a query.

Each method has an awaitable twin with the prefix ``a``. Both run the same flow of
``query_flows.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .._core.bulk import delete, reindex
from .._core.queries import by_pk, filters, query
from ..fields.base.primary_keys import primary_key
from ..IRQueryableList import IRQueryableList
from ..twins import awaitable
from .query_flows import QueryFlows

if TYPE_CHECKING:
    from typing import Self

    from .._core.flows import Progress
    from .._core.inspection.explanation import Explanation
    from .._core.inspection.model_info import ModelInfo
    from .._core.integrity.report import CheckReport

__all__ = ('IndexedRedisQuery',)


class IndexedRedisQuery(QueryFlows):
    """A query for stored objects of a model. Get one as ``Model.objects``.

    It holds no results: each method asks the server. ``for obj in query`` and ``async for obj in
    query`` fetch as :meth:`all` does.
    """

    def filter(self, /, **kwargs: Any) -> Self:
        """Return a new query with these filters added. An object matches if all filters do.

        :param kwargs: ``name=value`` or ``name__ne=value`` of indexed fields
        :raises QueryError: if a field is unknown or not indexed
        :raises FieldValueError: if a field cannot hold the value
        """
        query = type(self)(self.mdl, self._obj)
        query._filters = self._filters
        return query.filterInline(**kwargs)

    def filterInline(self, /, **kwargs: Any) -> Self:
        """Add filters to this query, and return this query; see :meth:`filter`."""
        schema = self._schema
        self._filters += filters.parse(schema.name, schema.columns, kwargs)
        return self

    def __bool__(self) -> bool:
        raise TypeError(
            'a query has no truth value, since it holds no results. Write query.count() > 0, or '
            'query.first() is not None; exists(pk) asks for one object.'
        )

    def __len__(self) -> int:
        raise TypeError('a query has no length, since it holds no results. Write query.count().')

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())

    async def __aiter__(self) -> AsyncIterator[Any]:
        for obj in await self.aall():
            yield obj

    def all(self, cascadeFetch: bool = False) -> IRQueryableList:
        """Return the objects that match, in no particular order.

        :param cascadeFetch: fetch linked objects too, in one round trip a level and server

        Redis: one script of set algebra and ``HMGET`` for up to 100 rows; else ``SMEMBERS``,
        ``SINTER`` or ``SDIFF``, then ``HMGET`` in overlapping chunks.
        """
        return self._read(self._all(cascadeFetch))

    @awaitable(all)
    async def aall(self, cascadeFetch: bool = False) -> IRQueryableList:
        return await self._aread(self._all(cascadeFetch))

    def allByAge(self, cascadeFetch: bool = False) -> IRQueryableList:
        """Return the objects that match, in ascending order of pks; see :meth:`all`."""
        return self._read(self._all(cascadeFetch, ordered=True))

    @awaitable(allByAge)
    async def aallByAge(self, cascadeFetch: bool = False) -> IRQueryableList:
        return await self._aread(self._all(cascadeFetch, ordered=True))

    def allOnlyFields(self, fields: Iterable[str], cascadeFetch: bool = False) -> IRQueryableList:
        """Return partial objects that match, with only these fields; see :meth:`all`.

        The other fields read as their defaults, and a save leaves them alone.

        :param fields: names of fields
        :raises UsageError: if a name is unknown
        """
        return self._read(self._only(fields, cascadeFetch))

    @awaitable(allOnlyFields)
    async def aallOnlyFields(
        self, fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList:
        return await self._aread(self._only(fields, cascadeFetch))

    def allOnlyIndexedFields(self) -> IRQueryableList:
        """Return partial objects that match, with the indexed fields; see :meth:`allOnlyFields`."""
        return self._read(self._only(self._indexed))

    @awaitable(allOnlyIndexedFields)
    async def aallOnlyIndexedFields(self) -> IRQueryableList:
        return await self._aread(self._only(self._indexed))

    def count(self) -> int:
        """Return the number of objects that match.

        Redis: ``SCARD``, or one script of ``SCARD`` and ``SINTERCARD``. The pks stay on the server.
        """
        return self._read(query.count(self._query))

    @awaitable(count)
    async def acount(self) -> int:
        return await self._aread(query.count(self._query))

    def first(self, cascadeFetch: bool = False) -> Any:
        """Return the matching object with the lowest pk, or None.

        :param cascadeFetch: as of :meth:`all`

        Redis: one script for up to 5,000 candidates; else their pks, then rows in chunks.
        """
        return self._read(self._pick('first', cascadeFetch))

    @awaitable(first)
    async def afirst(self, cascadeFetch: bool = False) -> Any:
        return await self._aread(self._pick('first', cascadeFetch))

    def last(self, cascadeFetch: bool = False) -> Any:
        """Return the matching object with the highest pk, or None; see :meth:`first`."""
        return self._read(self._pick('last', cascadeFetch))

    @awaitable(last)
    async def alast(self, cascadeFetch: bool = False) -> Any:
        return await self._aread(self._pick('last', cascadeFetch))

    def random(self, cascadeFetch: bool = False) -> Any:
        """Return a random object that matches, or None; see :meth:`first`."""
        return self._read(self._pick('random', cascadeFetch))

    @awaitable(random)
    async def arandom(self, cascadeFetch: bool = False) -> Any:
        return await self._aread(self._pick('random', cascadeFetch))

    def getPrimaryKeys(self, sortByAge: bool = False) -> list[int]:
        """Return the pks of the objects that match.

        :param sortByAge: sort them in ascending order

        Redis: ``SMEMBERS``, ``SINTER`` or ``SDIFF``.
        """
        return self._read(self._primary_keys(sortByAge))

    @awaitable(getPrimaryKeys)
    async def agetPrimaryKeys(self, sortByAge: bool = False) -> list[int]:
        return await self._aread(self._primary_keys(sortByAge))

    def delete(self) -> int:
        """Delete the objects that match, 250 at a time. Return the number of deleted objects.

        Redis: the pks, then for each 250 of them ``HMGET`` of the indexed fields and one script.
        """
        return self._run(delete.delete_matching(self._query))

    @awaitable(delete)
    async def adelete(self) -> int:
        return await self._arun(delete.delete_matching(self._query))

    def get(self, pk: Any, cascadeFetch: bool = False) -> Any:
        """Return the object of a pk, or None if it is not stored. Filters do not count.

        :param pk: a whole number, or its digits
        :param cascadeFetch: as of :meth:`all`
        :raises UsageError: if ``pk`` is anything else

        Redis: ``SISMEMBER`` and ``HMGET`` in one round trip.
        """
        return self._read(self._get(pk, cascadeFetch))

    @awaitable(get)
    async def aget(self, pk: Any, cascadeFetch: bool = False) -> Any:
        return await self._aread(self._get(pk, cascadeFetch))

    def getMultiple(self, pks: Iterable[Any], cascadeFetch: bool = False) -> IRQueryableList:
        """Return the objects of several pks, in their order; None for each that is not stored.

        :param pks: whole numbers, or their digits
        :param cascadeFetch: as of :meth:`all`
        :raises UsageError: if a pk is anything else

        Redis: ``SMISMEMBER`` and ``HMGET`` for 256 pks at a time, overlapping.
        """
        return self._read(self._get_multiple(pks, cascadeFetch))

    @awaitable(getMultiple)
    async def agetMultiple(self, pks: Iterable[Any], cascadeFetch: bool = False) -> IRQueryableList:
        return await self._aread(self._get_multiple(pks, cascadeFetch))

    def exists(self, pk: Any) -> bool:
        """Return whether an object is stored under a pk. Filters do not count.

        :param pk: a whole number, or its digits
        :raises UsageError: if ``pk`` is anything else

        Redis: ``SISMEMBER``.
        """
        return self._read(by_pk.exists(self._schema, primary_key(pk)))

    @awaitable(exists)
    async def aexists(self, pk: Any) -> bool:
        return await self._aread(by_pk.exists(self._schema, primary_key(pk)))

    def getOnlyFields(self, pk: Any, fields: Iterable[str], cascadeFetch: bool = False) -> Any:
        """Return a partial object; None if it is not stored or has none of these fields.

        :param pk: a whole number, or its digits
        :param fields: names of fields; see :meth:`allOnlyFields`
        :param cascadeFetch: as of :meth:`all`
        :raises UsageError: if ``pk`` is anything else, or a name is unknown
        """
        return self._read(self._get(pk, cascadeFetch, fields))

    @awaitable(getOnlyFields)
    async def agetOnlyFields(
        self, pk: Any, fields: Iterable[str], cascadeFetch: bool = False
    ) -> Any:
        return await self._aread(self._get(pk, cascadeFetch, fields))

    def getMultipleOnlyFields(
        self, pks: Iterable[Any], fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList:
        """Return partial objects of several pks, in their order; see :meth:`getOnlyFields`."""
        return self._read(self._get_multiple(pks, cascadeFetch, fields))

    @awaitable(getMultipleOnlyFields)
    async def agetMultipleOnlyFields(
        self, pks: Iterable[Any], fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList:
        return await self._aread(self._get_multiple(pks, cascadeFetch, fields))

    def getOnlyIndexedFields(self, pk: Any) -> Any:
        """Return a partial object with the indexed fields; see :meth:`getOnlyFields`."""
        return self._read(self._get(pk, False, self._indexed))

    @awaitable(getOnlyIndexedFields)
    async def agetOnlyIndexedFields(self, pk: Any) -> Any:
        return await self._aread(self._get(pk, False, self._indexed))

    def getMultipleOnlyIndexedFields(self, pks: Iterable[Any]) -> IRQueryableList:
        """Return partial objects with the indexed fields; see :meth:`getOnlyFields`."""
        return self._read(self._get_multiple(pks, False, self._indexed))

    @awaitable(getMultipleOnlyIndexedFields)
    async def agetMultipleOnlyIndexedFields(self, pks: Iterable[Any]) -> IRQueryableList:
        return await self._aread(self._get_multiple(pks, False, self._indexed))

    def reindex(self) -> int:
        """Add the objects that match to the index sets of all ``INDEXED_FIELDS``.

        Call it after adding a field to ``INDEXED_FIELDS``. Other processes may write meanwhile.

        :returns: the number of objects

        Redis: for 25 objects at a time ``HMGET`` and one script of ``SADD`` and ``SREM``.
        """
        return self._run(reindex.reindex_matching(self._query))

    @awaitable(reindex)
    async def areindex(self) -> int:
        return await self._arun(reindex.reindex_matching(self._query))

    def compat_convertHashedIndexes(self, fetchAll: bool = True) -> int:
        """Move the objects that match to other index sets after ``hashIndex`` of a field changed.

        For each field with a choice of ``hashIndex``, an object leaves the index set of the other
        choice. Other processes may write meanwhile.

        :param fetchAll: convert several objects at a time; False goes object by object
        :returns: the number of objects
        """
        return self._run(self._rehash(fetchAll))

    @awaitable(compat_convertHashedIndexes)
    async def acompat_convertHashedIndexes(self, fetchAll: bool = True) -> int:
        return await self._arun(self._rehash(fetchAll))

    def reset(self, objs: Iterable[Any]) -> list[int]:
        """Replace all objects of the model; see :meth:`IndexedRedisModel.reset`.

        :raises UsageError: if the query has filters
        """
        return self._run(self._reset(objs))

    @awaitable(reset)
    async def areset(self, objs: Iterable[Any]) -> list[int]:
        return await self._arun(self._reset(objs))

    def mirroredAt(self) -> datetime | None:
        """Return when the stored data was read from its source; None if it is not mirrored.

        Redis: ``GET``.
        """
        return self._read(self._mirrored_at())

    @awaitable(mirroredAt)
    async def amirroredAt(self) -> datetime | None:
        return await self._aread(self._mirrored_at())

    def check(self, progress: Progress | None = None) -> CheckReport:
        """Return a report on the consistency of objects, pk counter, index sets and work keys.

        It only reads, so replicas can answer it. Other processes may write meanwhile: each finding
        is confirmed by one script that reads row and index set together.

        :param progress: called as ``progress(step, done, total)`` at least once a page, with the
            steps ``'objects'`` and ``'keys'``; the totals are estimates
        :raises UsageError: if the query has filters

        Redis: ``SSCAN`` and ``SCAN`` in pages of 500; for each page ``TYPE`` and ``PTTL`` of its
        keys, and scripts that read up to 250 rows or entries each.
        """
        return self._run(self._check(progress))

    @awaitable(check)
    async def acheck(self, progress: Progress | None = None) -> CheckReport:
        return await self._arun(self._check(progress))

    def repair(self, progress: Progress | None = None) -> CheckReport:
        """Repair what :meth:`check` finds, and return the report.

        ``:keys`` and the rows are the truth: index entries follow from them, and rows that
        ``:keys`` does not list are removed. So are index sets of fields that the model does not
        index. Other processes may write meanwhile: each script reads again before it changes
        anything. Keys of a wrong type or with an invalid name are reported, and stay.

        :param progress: as of :meth:`check`
        :raises UsageError: if the query has filters

        Redis: as :meth:`check`; scripts that change up to 250 rows or entries each, ``UNLINK`` and
        ``PERSIST``; the lock of the model while it removes the work keys of dead writers.
        """
        return self._run(self._repair(progress))

    @awaitable(repair)
    async def arepair(self, progress: Progress | None = None) -> CheckReport:
        return await self._arun(self._repair(progress))

    def explain(self, analyze: bool = False) -> Explanation:
        """Return what :meth:`all` would do: its commands, the sizes of the sets, and the rows.

        :param analyze: run the query too, and measure rows, round trips, bytes and seconds
        :returns: an object with attributes, which prints as text

        Redis: ``SCARD`` of each set; for an estimate ``SRANDMEMBER`` of up to 2,000 members and
        ``SMISMEMBER`` of them in each other set.
        """
        return self._run(self._explain(analyze))

    @awaitable(explain)
    async def aexplain(self, analyze: bool = False) -> Explanation:
        return await self._arun(self._explain(analyze))

    def info(self, sample: int = 1000, progress: Progress | None = None) -> ModelInfo:
        """Return statistics of all that the model has stored, with advice.

        They cover objects, index sets with their sizes and most frequent values, memory, and the
        encoding of rows. It only reads. Other processes may write meanwhile; the numbers are then
        of slightly different moments.

        :param sample: number of objects, and of index sets of each field, whose memory, encoding
            and lengths are measured; the rest is counted
        :param progress: as of :meth:`check`, with the steps ``'rows'`` and ``'keys'``
        :raises UsageError: if the query has filters

        Redis: ``SRANDMEMBER``; ``SCAN`` in pages of 500; scripts of up to 100 keys with ``SCARD``,
        and with ``MEMORY USAGE`` and ``OBJECT ENCODING`` if the server allows them.
        """
        return self._run(self._info(sample, progress))

    @awaitable(info)
    async def ainfo(self, sample: int = 1000, progress: Progress | None = None) -> ModelInfo:
        return await self._arun(self._info(sample, progress))
