"""The query manager: the methods that execute a query. Each has an awaitable twin with the prefix
``a``; both are one line each, and what they do is in ``query_flows.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .._core.bulk import delete, reindex
from .._core.queries import by_pk, query
from ..fields.base.primary_keys import primary_key
from ..IRQueryableList import IRQueryableList
from ..twins import awaitable
from .query_flows import QueryFlows

if TYPE_CHECKING:
    from .._core.inspection.explanation import Explanation
    from .._core.inspection.model_info import ModelInfo
    from .._core.integrity.report import CheckReport
    from .._core.integrity.survey import Progress

__all__ = ('IndexedRedisQuery',)


class IndexedRedisQuery(QueryFlows):
    """The stored objects of a model, all of them or those that match filters.

    Get one as ``Model.objects``. ``for obj in query`` and ``async for obj in query`` fetch as
    :meth:`all` does.
    """

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())

    async def __aiter__(self) -> AsyncIterator[Any]:
        for obj in await self.aall():
            yield obj

    def all(self, cascadeFetch: bool = False) -> IRQueryableList:
        """Fetch the objects that match, in no particular order.

        :param cascadeFetch: fetch linked objects as well, a trip for each level and server

        Redis: one script (set algebra and rows) for up to 100 rows; else ``SMEMBERS``, ``SINTER``
        or ``SDIFF``, then ``HMGET`` in overlapping chunks.
        """
        return self._read(self._all(cascadeFetch))

    @awaitable(all)
    async def aall(self, cascadeFetch: bool = False) -> IRQueryableList:
        return await self._aread(self._all(cascadeFetch))

    def allByAge(self, cascadeFetch: bool = False) -> IRQueryableList:
        """Fetch the objects that match, in ascending order of their pks; else as :meth:`all`."""
        return self._read(self._all(cascadeFetch, ordered=True))

    @awaitable(allByAge)
    async def aallByAge(self, cascadeFetch: bool = False) -> IRQueryableList:
        return await self._aread(self._all(cascadeFetch, ordered=True))

    def allOnlyFields(self, fields: Iterable[str], cascadeFetch: bool = False) -> IRQueryableList:
        """Fetch partial objects: only these fields, the others are at their defaults.

        :param fields: names of fields
        :raises UsageError: if one is unknown
        """
        return self._read(self._only(fields, cascadeFetch))

    @awaitable(allOnlyFields)
    async def aallOnlyFields(
        self, fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList:
        return await self._aread(self._only(fields, cascadeFetch))

    def allOnlyIndexedFields(self) -> IRQueryableList:
        """Fetch partial objects of the indexed fields; see :meth:`allOnlyFields`."""
        return self._read(self._only(self._indexed))

    @awaitable(allOnlyIndexedFields)
    async def aallOnlyIndexedFields(self) -> IRQueryableList:
        return await self._aread(self._only(self._indexed))

    def count(self) -> int:
        """Count the objects that match.

        Redis: ``SCARD``, or one script of ``SCARD`` and ``SINTERCARD``; no pks are moved.
        """
        return self._read(query.count(self._query))

    @awaitable(count)
    async def acount(self) -> int:
        return await self._aread(query.count(self._query))

    def first(self, cascadeFetch: bool = False) -> Any:
        """Fetch the object of the lowest pk, or None; one trip for up to 5,000 candidates."""
        return self._read(self._pick('first', cascadeFetch))

    @awaitable(first)
    async def afirst(self, cascadeFetch: bool = False) -> Any:
        return await self._aread(self._pick('first', cascadeFetch))

    def last(self, cascadeFetch: bool = False) -> Any:
        """Fetch the object of the highest pk, or None; see :meth:`first`."""
        return self._read(self._pick('last', cascadeFetch))

    @awaitable(last)
    async def alast(self, cascadeFetch: bool = False) -> Any:
        return await self._aread(self._pick('last', cascadeFetch))

    def random(self, cascadeFetch: bool = False) -> Any:
        """Fetch any one of the objects that match, or None; one trip."""
        return self._read(self._pick('random', cascadeFetch))

    @awaitable(random)
    async def arandom(self, cascadeFetch: bool = False) -> Any:
        return await self._aread(self._pick('random', cascadeFetch))

    def getPrimaryKeys(self, sortByAge: bool = False) -> list[int]:
        """Fetch the pks that match.

        :param sortByAge: in ascending order, instead of none
        """
        return self._read(self._primary_keys(sortByAge))

    @awaitable(getPrimaryKeys)
    async def agetPrimaryKeys(self, sortByAge: bool = False) -> list[int]:
        return await self._aread(self._primary_keys(sortByAge))

    def delete(self) -> int:
        """Delete the objects that match; returns how many there were.

        Redis: the pks, then for each 250 of them ``HMGET`` of the indexed fields and one script.
        """
        return self._run(delete.delete_matching(self._query))

    @awaitable(delete)
    async def adelete(self) -> int:
        return await self._arun(delete.delete_matching(self._query))

    def get(self, pk: Any, cascadeFetch: bool = False) -> Any:
        """Fetch the object of a pk, or None; filters are not looked at.

        Redis: ``SISMEMBER`` and ``HMGET`` in one trip.
        """
        return self._read(self._get(pk, cascadeFetch))

    @awaitable(get)
    async def aget(self, pk: Any, cascadeFetch: bool = False) -> Any:
        return await self._aread(self._get(pk, cascadeFetch))

    def getMultiple(self, pks: Iterable[Any], cascadeFetch: bool = False) -> IRQueryableList:
        """Fetch the objects of several pks, in their order; None in place of those not stored.

        Redis: as :meth:`get`, 250 pks at a time.
        """
        return self._read(self._get_multiple(pks, cascadeFetch))

    @awaitable(getMultiple)
    async def agetMultiple(self, pks: Iterable[Any], cascadeFetch: bool = False) -> IRQueryableList:
        return await self._aread(self._get_multiple(pks, cascadeFetch))

    def exists(self, pk: Any) -> bool:
        """Whether an object is stored under a pk. Redis: ``SISMEMBER``."""
        return self._read(by_pk.exists(self._schema, primary_key(pk)))

    @awaitable(exists)
    async def aexists(self, pk: Any) -> bool:
        return await self._aread(by_pk.exists(self._schema, primary_key(pk)))

    def getOnlyFields(self, pk: Any, fields: Iterable[str], cascadeFetch: bool = False) -> Any:
        """Fetch a partial object; None if it is not stored or has none of these fields."""
        return self._read(self._get(pk, cascadeFetch, fields))

    @awaitable(getOnlyFields)
    async def agetOnlyFields(
        self, pk: Any, fields: Iterable[str], cascadeFetch: bool = False
    ) -> Any:
        return await self._aread(self._get(pk, cascadeFetch, fields))

    def getMultipleOnlyFields(
        self, pks: Iterable[Any], fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList:
        """Fetch partial objects of several pks; see :meth:`getOnlyFields`."""
        return self._read(self._get_multiple(pks, cascadeFetch, fields))

    @awaitable(getMultipleOnlyFields)
    async def agetMultipleOnlyFields(
        self, pks: Iterable[Any], fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList:
        return await self._aread(self._get_multiple(pks, cascadeFetch, fields))

    def getOnlyIndexedFields(self, pk: Any) -> Any:
        """Fetch a partial object of the indexed fields; see :meth:`getOnlyFields`."""
        return self._read(self._get(pk, False, self._indexed))

    @awaitable(getOnlyIndexedFields)
    async def agetOnlyIndexedFields(self, pk: Any) -> Any:
        return await self._aread(self._get(pk, False, self._indexed))

    def getMultipleOnlyIndexedFields(self, pks: Iterable[Any]) -> IRQueryableList:
        """Fetch partial objects of the indexed fields; see :meth:`getOnlyFields`."""
        return self._read(self._get_multiple(pks, False, self._indexed))

    @awaitable(getMultipleOnlyIndexedFields)
    async def agetMultipleOnlyIndexedFields(self, pks: Iterable[Any]) -> IRQueryableList:
        return await self._aread(self._get_multiple(pks, False, self._indexed))

    def reindex(self) -> int:
        """Put the objects that match into the indexes of all ``INDEXED_FIELDS``.

        Needed after a field was added to ``INDEXED_FIELDS``. Safe beside other writers.

        :returns: how many objects there were
        """
        return self._run(reindex.reindex_matching(self._query))

    @awaitable(reindex)
    async def areindex(self) -> int:
        return await self._arun(reindex.reindex_matching(self._query))

    def compat_convertHashedIndexes(self, fetchAll: bool = True) -> int:
        """Convert the indexes of the objects that match after ``hashIndex`` of a field changed.

        For each field that lets ``hashIndex`` be chosen, an object leaves the index set that the
        other choice would name. Safe beside other writers.

        :param fetchAll: many objects at a time; False goes object by object
        :returns: how many objects there were
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
        """Tell when the stored data was mirrored from elsewhere; None if it was not.

        Redis: ``GET``.
        """
        return self._read(self._mirrored_at())

    @awaitable(mirroredAt)
    async def amirroredAt(self) -> datetime | None:
        return await self._aread(self._mirrored_at())

    def check(self, progress: Progress | None = None) -> CheckReport:
        """Compare all that the model has stored: objects, counter, index sets, work keys.

        Only reads, so it works on replicas too. Safe beside writers: a finding counts only if one
        atomic look at row and index set confirms it.

        :param progress: called as ``progress(step, done, total)`` at least once a page, with the
            steps ``'objects'`` and ``'keys'``; the totals are estimates
        :returns: what was found
        :raises UsageError: if there are filters

        Redis: ``SSCAN`` and ``SCAN`` in pages of 500; for each page ``TYPE`` and ``PTTL`` of its
        keys, and scripts that look at up to 250 rows or entries each.
        """
        return self._run(self._check(progress))

    @awaitable(check)
    async def acheck(self, progress: Progress | None = None) -> CheckReport:
        return await self._arun(self._check(progress))

    def repair(self, progress: Progress | None = None) -> CheckReport:
        """Put right what :meth:`check` finds, as it goes along.

        What ``:keys`` lists and the rows store is right; index sets follow from that, and rows that
        ``:keys`` does not list are removed, and so are indexes of fields that this model does not
        index. Safe beside writers: each script looks again at what it is about to change. Keys of
        the wrong type, and those that end in no pk, are reported and left as they are.

        :param progress: as of :meth:`check`
        :returns: what was found, and how much of it is repaired
        :raises UsageError: if there are filters

        Redis: as :meth:`check`; scripts that change up to 250 rows or entries each, ``UNLINK`` and
        ``PERSIST`` of exact names; the lock of resets while it sweeps what dead ones left.
        """
        return self._run(self._repair(progress))

    @awaitable(repair)
    async def arepair(self, progress: Progress | None = None) -> CheckReport:
        return await self._arun(self._repair(progress))

    def explain(self, analyze: bool = False) -> Explanation:
        """Tell what :meth:`all` would do: the commands, the sizes of the sets, how many rows.

        Print what comes back, or take it apart.

        :param analyze: run it as well, and measure rows, trips, bytes and seconds
        :returns: what it would do

        Redis: ``SCARD`` of each set; for an estimate ``SRANDMEMBER`` of up to 2,000 members and
        ``SMISMEMBER`` of them in each other set.
        """
        return self._run(self._explain(analyze))

    @awaitable(explain)
    async def aexplain(self, analyze: bool = False) -> Explanation:
        return await self._arun(self._explain(analyze))

    def info(self, sample: int = 1000, progress: Progress | None = None) -> ModelInfo:
        """Collect statistics of all that the model has stored, with advice.

        Objects, index sets of each field with their sizes and most frequent values, memory,
        encoding of the rows. Only reads, and is safe beside writers; numbers are of slightly
        different moments then.

        :param sample: how many objects, and how many index sets of each field, are asked for
            their memory, encoding and lengths; all others are counted only
        :param progress: as of :meth:`check`, with the steps ``'rows'`` and ``'keys'``
        :raises UsageError: if there are filters

        Redis: ``SRANDMEMBER``; ``SCAN`` in pages of 500; a script that looks at up to 100 keys:
        ``SCARD``, ``MEMORY USAGE`` and ``OBJECT ENCODING`` where the server allows them.
        """
        return self._run(self._info(sample, progress))

    @awaitable(info)
    async def ainfo(self, sample: int = 1000, progress: Progress | None = None) -> ModelInfo:
        return await self._arun(self._info(sample, progress))
