"""The query manager: methods that return a query, and methods that execute one.

A query holds no results and never changes, but for ``filterInline``; it is evaluated at each call.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from ._core import delete, filters, links, maintain, read
from ._core.column import Column
from ._core.filters import near_miss
from ._core.plan import Flow
from .errors import UsageError
from .helper import IndexedRedisHelper, primary_key
from .IRQueryableList import IRQueryableList
from .saver import reset

__all__ = ('IndexedRedisQuery',)


class IndexedRedisQuery(IndexedRedisHelper):
    """The stored objects of a model, all of them or those that match filters.

    Get one as ``Model.objects``.
    """

    def __init__(self, mdl: Any, obj: Any = None) -> None:
        super().__init__(mdl, obj)
        self._filters: filters.Filters = ()

    def filter(self, **kwargs: Any) -> IndexedRedisQuery:
        """Return a query with these filters added. All filters must hold.

        :param kwargs: ``name=value`` or ``name__ne=value`` of indexed fields
        :raises QueryError: if a field is unknown or not indexed
        :raises FieldValueError: if a field cannot hold the value
        """
        query = type(self)(self.mdl, self._obj)
        query._filters = self._filters
        return query.filterInline(**kwargs)

    def filterInline(self, **kwargs: Any) -> IndexedRedisQuery:
        """Add filters to this very query, and return it; see :meth:`filter`."""
        schema = self._schema
        self._filters += filters.parse(schema.name, schema.columns, kwargs)
        return self

    @property
    def _query(self) -> read.Query:
        return read.Query(self._schema, self._filters)

    def all(self, cascadeFetch: bool = False) -> IRQueryableList:
        """Fetch the objects that match, in no particular order.

        :param cascadeFetch: fetch linked objects as well, a batch for each level and model

        Redis: one script (set algebra and rows) for up to 100 rows; else ``SMEMBERS``, ``SINTER``
        or ``SDIFF``, then ``HMGET`` in overlapping chunks.
        """
        return self._list(self._fetch(read.fetch(self._query), cascadeFetch))

    def allByAge(self, cascadeFetch: bool = False) -> IRQueryableList:
        """Fetch the objects that match, in ascending order of their pks; else as :meth:`all`."""
        return self._list(self._fetch(read.fetch(self._query, ordered=True), cascadeFetch))

    def allOnlyFields(self, fields: Iterable[str], cascadeFetch: bool = False) -> IRQueryableList:
        """Fetch partial objects: only these fields, the others are at their defaults.

        :param fields: names of fields
        :raises UsageError: if one is unknown
        """
        flow = read.fetch(self._query, self._columns(fields))
        return self._list(self._fetch(flow, cascadeFetch))

    def allOnlyIndexedFields(self) -> IRQueryableList:
        """Fetch partial objects of the indexed fields; see :meth:`allOnlyFields`."""
        return self.allOnlyFields(self._indexed())

    def count(self) -> int:
        """Count the objects that match.

        Redis: ``SCARD``, or one script of ``SCARD`` and ``SINTERCARD``; no pks are moved.
        """
        return self._run(read.count(self._query))

    def first(self, cascadeFetch: bool = False) -> Any:
        """Fetch the object of the lowest pk, or None; one trip for up to 5,000 candidates."""
        return self._pick('first', cascadeFetch)

    def last(self, cascadeFetch: bool = False) -> Any:
        """Fetch the object of the highest pk, or None; see :meth:`first`."""
        return self._pick('last', cascadeFetch)

    def random(self, cascadeFetch: bool = False) -> Any:
        """Fetch any one of the objects that match, or None; one trip."""
        return self._pick('random', cascadeFetch)

    def getPrimaryKeys(self, sortByAge: bool = False) -> list[int]:
        """Fetch the pks that match.

        :param sortByAge: in ascending order, instead of none
        """
        return self._run(read.primary_keys(self._query, sortByAge))

    def delete(self) -> int:
        """Delete the objects that match; returns how many there were.

        Redis: the pks, then for each 250 of them ``HMGET`` of the indexed fields and one script.
        """
        return self._run(delete.delete_matching(self._query))

    def get(self, pk: Any, cascadeFetch: bool = False) -> Any:
        """Fetch the object of a pk, or None; filters are not looked at.

        Redis: ``SMISMEMBER`` and ``HMGET`` in one trip.
        """
        schema = self._schema
        return self._fetch_one(read.get_one(schema, primary_key(pk), schema.all), cascadeFetch)

    def getMultiple(self, pks: Iterable[Any], cascadeFetch: bool = False) -> IRQueryableList:
        """Fetch the objects of several pks, in their order; None in place of those not stored.

        Redis: as :meth:`get`, 250 pks at a time.
        """
        schema = self._schema
        return self._list(self._fetch(read.get_many(schema, _pks(pks), schema.all), cascadeFetch))

    def exists(self, pk: Any) -> bool:
        """Whether an object is stored under a pk. Redis: ``SISMEMBER``."""
        return self._run(read.exists(self._schema, primary_key(pk)))

    def getOnlyFields(self, pk: Any, fields: Iterable[str], cascadeFetch: bool = False) -> Any:
        """Fetch a partial object; None if it is not stored or has none of these fields."""
        flow = read.get_one(self._schema, primary_key(pk), self._columns(fields))
        return self._fetch_one(flow, cascadeFetch)

    def getMultipleOnlyFields(
        self, pks: Iterable[Any], fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList:
        """Fetch partial objects of several pks; see :meth:`getOnlyFields`."""
        flow = read.get_many(self._schema, _pks(pks), self._columns(fields))
        return self._list(self._fetch(flow, cascadeFetch))

    def getOnlyIndexedFields(self, pk: Any) -> Any:
        """Fetch a partial object of the indexed fields; see :meth:`getOnlyFields`."""
        return self.getOnlyFields(pk, self._indexed())

    def getMultipleOnlyIndexedFields(self, pks: Iterable[Any]) -> IRQueryableList:
        """Fetch partial objects of the indexed fields; see :meth:`getOnlyFields`."""
        return self.getMultipleOnlyFields(pks, self._indexed())

    def reindex(self) -> int:
        """Put the objects that match into the indexes of all ``INDEXED_FIELDS``.

        Needed after a field was added to ``INDEXED_FIELDS``. Safe beside other writers.

        :returns: how many objects there were
        """
        return self._run(maintain.reindex_matching(self._query))

    def compat_convertHashedIndexes(self, fetchAll: bool = True) -> int:
        """Convert the indexes of the objects that match after ``hashIndex`` of a field changed.

        For each field that lets ``hashIndex`` be chosen, an object leaves the index set that the
        other choice would name. Safe beside other writers.

        :param fetchAll: many objects at a time; False goes object by object
        :returns: how many objects there were
        """
        size = read.CHUNK if fetchAll else 1
        return self._run(maintain.reindex_matching(self._query, rehash=True, size=size))

    def reset(self, objs: Iterable[Any]) -> list[int]:
        """Replace all objects of the model; see :meth:`IndexedRedisModel.reset`."""
        return self._run(reset(self._schema, objs, self._place))

    def _pick(self, order: str, cascade: bool) -> Any:
        flow = read.pick(self._query, order, random.randrange(2**31))
        return self._fetch_one(flow, cascade)

    def _fetch(self, flow: Flow[list[Any]], cascade: bool) -> list[Any]:
        return self._run(links.fetch_linked(flow) if cascade else flow)

    def _fetch_one(self, flow: Flow[Any], cascade: bool) -> Any:
        return self._run(links.fetch_linked_of_one(flow) if cascade else flow)

    def _list(self, objs: Iterable[Any]) -> IRQueryableList:
        return IRQueryableList(objs, mdl=self.mdl)

    def _indexed(self) -> list[str]:
        return [column.name for column in self._schema.indexed]

    def _columns(self, fields: Iterable[str]) -> Sequence[Column]:
        """The columns of these names; the first field stands in where there is none."""
        schema = self._schema
        names = [str.__str__(name) for name in fields]
        for name in names:
            if name not in schema.columns:
                hint = near_miss(name, list(schema.columns))
                raise UsageError(f'{schema.name} has no field {name!r}.{hint}')
        return schema.named(names) or schema.all[:1]


def _pks(pks: Iterable[Any]) -> list[int]:
    return [primary_key(pk) for pk in pks]
