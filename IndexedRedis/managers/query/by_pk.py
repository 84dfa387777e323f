"""Query methods that get objects by their pks.

Each method has an awaitable twin with the prefix ``a``. Both run the same flow of
``flows.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...generics import M
from ...IRQueryableList import IRQueryableList
from ...twins import awaitable
from ..arguments import NOT_GIVEN
from .flows import QueryFlows

__all__ = ('QueryByPk',)


class QueryByPk(QueryFlows[M]):
    """Get objects by their pks; the filters of the query do not apply, except where it says so."""

    def get(self, /, pk: Any = NOT_GIVEN, cascadeFetch: bool = False, **lookups: Any) -> M | None:
        """Return the object of a pk, or the one object that matches; None if it is not stored.

        ``get(7)`` does not look at the filters of the query. Without a pk they count, together with
        the given ones: ``get(name='x')`` is the one object with this name.

        :param pk: a whole number, or its digits
        :param cascadeFetch: as of :meth:`all`
        :param lookups: as of :meth:`filter`
        :raises UsageError: if ``pk`` is anything else, or comes with lookups
        :raises MultipleObjectsError: if several objects match

        Redis: for a pk ``SISMEMBER``, ``HMGET`` and ``MGET`` in one round trip; else as
        :meth:`all`.
        """
        return self._read(self._get_one(pk, cascadeFetch, lookups))

    @awaitable(get)
    async def aget(
        self, /, pk: Any = NOT_GIVEN, cascadeFetch: bool = False, **lookups: Any
    ) -> M | None:
        return await self._aread(self._get_one(pk, cascadeFetch, lookups))

    def inBulk(self, pks: Iterable[Any], cascadeFetch: bool = False) -> dict[int, M]:
        """Return the objects of several pks as a dict ``{pk: object}``, without missing ones.

        :param pks: whole numbers, or their digits
        :param cascadeFetch: as of :meth:`all`
        :raises UsageError: if a pk is anything else

        Redis: as :meth:`getMultiple`.
        """
        return self._read(self._in_bulk(pks, cascadeFetch))

    @awaitable(inBulk)
    async def ainBulk(self, pks: Iterable[Any], cascadeFetch: bool = False) -> dict[int, M]:
        return await self._aread(self._in_bulk(pks, cascadeFetch))

    def getMultiple(
        self, pks: Iterable[Any], cascadeFetch: bool = False
    ) -> IRQueryableList[M | None]:
        """Return the objects of several pks, in their order; None for each that is not stored.

        :param pks: whole numbers, or their digits
        :param cascadeFetch: as of :meth:`all`
        :raises UsageError: if a pk is anything else

        Redis: ``SMISMEMBER``, ``HMGET`` and ``MGET`` for 256 pks at a time, overlapping.
        """
        return self._read(self._get_multiple(pks, cascadeFetch))

    @awaitable(getMultiple)
    async def agetMultiple(
        self, pks: Iterable[Any], cascadeFetch: bool = False
    ) -> IRQueryableList[M | None]:
        return await self._aread(self._get_multiple(pks, cascadeFetch))

    def exists(self, pk: Any = NOT_GIVEN) -> bool:
        """Return whether an object is stored under a pk; without a pk, whether any object matches.

        ``exists(7)`` does not look at the filters of the query.

        :param pk: a whole number, or its digits
        :raises UsageError: if ``pk`` is anything else

        Redis: for a pk ``SISMEMBER``. Without filters ``SCARD``; with filters one script, which
        mostly finds a match among some random members of the smallest index set. If it does not,
        and that set has more than 5,000 members, the pks that match are read.
        """
        return self._read(self._exists(pk))

    @awaitable(exists)
    async def aexists(self, pk: Any = NOT_GIVEN) -> bool:
        return await self._aread(self._exists(pk))

    def getOnlyFields(self, pk: Any, fields: Iterable[str], cascadeFetch: bool = False) -> M | None:
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
    ) -> M | None:
        return await self._aread(self._get(pk, cascadeFetch, fields))

    def getMultipleOnlyFields(
        self, pks: Iterable[Any], fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList[M | None]:
        """Return partial objects of several pks, in their order; see :meth:`getOnlyFields`."""
        return self._read(self._get_multiple(pks, cascadeFetch, fields))

    @awaitable(getMultipleOnlyFields)
    async def agetMultipleOnlyFields(
        self, pks: Iterable[Any], fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList[M | None]:
        return await self._aread(self._get_multiple(pks, cascadeFetch, fields))

    def getOnlyIndexedFields(self, pk: Any) -> M | None:
        """Return a partial object with the indexed fields; see :meth:`getOnlyFields`."""
        return self._read(self._get(pk, False, self._indexed))

    @awaitable(getOnlyIndexedFields)
    async def agetOnlyIndexedFields(self, pk: Any) -> M | None:
        return await self._aread(self._get(pk, False, self._indexed))

    def getMultipleOnlyIndexedFields(self, pks: Iterable[Any]) -> IRQueryableList[M | None]:
        """Return partial objects with the indexed fields; see :meth:`getOnlyFields`."""
        return self._read(self._get_multiple(pks, False, self._indexed))

    @awaitable(getMultipleOnlyIndexedFields)
    async def agetMultipleOnlyIndexedFields(self, pks: Iterable[Any]) -> IRQueryableList[M | None]:
        return await self._aread(self._get_multiple(pks, False, self._indexed))
