"""Query methods that get objects by their pks.

Each method has an awaitable twin with the prefix ``a``. Both run the same flow of
``flows.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._core.queries import by_pk
from ...fields.base.primary_keys import primary_key
from ...IRQueryableList import IRQueryableList
from ...twins import awaitable
from .flows import QueryFlows

__all__ = ('QueryByPk',)


class QueryByPk(QueryFlows):
    """Get objects by their pks; the filters of the query do not apply."""

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
