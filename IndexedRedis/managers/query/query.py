"""The query manager: filters, and the methods that execute a query.

Each method has an awaitable twin with the prefix ``a``. Both run the same flow of
``flows.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..._core.expressions.q import Q
from ..._core.expressions.texts import arguments_of
from ..._core.expressions.tree import And, Node, Not, Or
from ..._core.mapping.plain_values import PK_NAMES
from ..._core.partitions import writing
from ..._core.partitions.queries import verbs
from ...errors import UsageError
from ...generics import M
from ...IRQueryableList import IRQueryableList
from ...twins import awaitable, in_event_loop
from ..other_orms import missing_of_query
from .by_pk import QueryByPk
from .pages import QueryPages
from .replicas import QueryReplicas
from .reports import QueryReports
from .values import QueryValues
from .writes import QueryWrites

if TYPE_CHECKING:
    from typing import Self


__all__ = ('IndexedRedisQuery',)


class IndexedRedisQuery(
    QueryByPk[M], QueryValues[M], QueryPages[M], QueryReplicas[M], QueryWrites[M], QueryReports[M]
):
    """A query for stored objects of a model. Get one as ``Model.objects``.

    It holds no results: each method asks the server. ``for obj in query`` and ``async for obj in
    query`` fetch as :meth:`all` does.

    Of a model with ``PARTITIONS``, each method asks all partitions at the same time, and merges
    their answers, which are of one data set. Filters by ``pk``, and by the field that
    ``PARTITION_BY`` names, leave out those that have nothing to tell; :meth:`explain` says which
    are asked.
    """

    def filter(self, /, *conditions: Q, **lookups: Any) -> Self:
        """Return a new query with these filters added. An object matches if all filters do.

        :param conditions: :class:`Q` objects, combined with ``|``, ``&`` and ``~``
        :param lookups: of indexed fields ``name=value``, ``name__ne=value``, ``name__in=[...]`` or
            ``name__isnull=True``; of sorted fields also ``name__gt``, ``__gte``, ``__lt``,
            ``__lte``, ``__between=(low, high)`` and ``__startswith``. Of a link the value is an
            object or a pk; ``link__name=value`` asks for a field of the linked object. ``pk`` is
            the primary key.
        :raises QueryError: if a field is unknown, or not indexed or sorted as the lookup needs, or
            a lookup is unknown
        :raises FieldValueError: if a field cannot hold the value
        :raises UsageError: if a condition is not a :class:`Q`
        """
        return self._with_filters(self._filters + self._parsed('filter', conditions, lookups))

    def exclude(self, /, *conditions: Q, **lookups: Any) -> Self:
        """Return a new query without the objects that match all of these; see :meth:`filter`.

        An object whose field is null does not match ``name=value``, so it stays.
        """
        found = self._parsed('exclude', conditions, lookups)
        return self._with_filters(self._filters + ((Not(_all_of(found)),) if found else ()))

    def filterInline(self, /, *conditions: Q, **lookups: Any) -> Self:
        """Add filters to this query, and return this query; see :meth:`filter`."""
        self._filters += self._parsed('filterInline', conditions, lookups)
        return self

    def only(self, *names: str) -> Self:
        """Return a new query that fetches partial objects, with only these fields.

        The other fields read as their defaults, and a save leaves them alone. It holds for all
        methods that return objects, for :meth:`values` and for :meth:`valuesList`.

        :param names: names of fields; ``'pk'`` is always there
        :raises UsageError: if a name is unknown, or none is given
        """
        schema = self._schema
        if not names:
            raise UsageError(f'{schema.name}: only() names no field. Name one, or call all().')
        query = self._copied()
        query._fields = [n for n in names if n in schema.columns or n not in PK_NAMES]
        query._columns()  # refuses unknown names
        return query

    def __or__(self, other: IndexedRedisQuery[M]) -> Self:
        """Return a query for the objects that match this query or another one of the model.

        It fetches the fields that this query fetches, and so do ``&`` and ``~``.

        :raises UsageError: if the other query is of another model
        """
        if not isinstance(other, IndexedRedisQuery):
            return NotImplemented
        self._check_same(other, '|')
        either = self._filters and other._filters
        return self._with_filters(
            (Or((_all_of(self._filters), _all_of(other._filters))),) if either else ()
        )

    def __and__(self, other: IndexedRedisQuery[M]) -> Self:
        """Return a query for the objects that match both this query and another one of the model.

        :raises UsageError: if the other query is of another model
        """
        if not isinstance(other, IndexedRedisQuery):
            return NotImplemented
        self._check_same(other, '&')
        return self._with_filters(self._filters + other._filters)

    def __invert__(self) -> Self:
        """Return a query for the objects that do not match this query."""
        self._refuse_window('~')
        return self._with_filters((Not(_all_of(self._filters)),))

    def _check_same(self, other: IndexedRedisQuery, op: str) -> None:
        name = self._schema.name
        self._refuse_window(repr(op))
        other._refuse_window(repr(op))
        if other.mdl is not self.mdl:
            raise UsageError(
                f'{name}: a query of {other._schema.name} cannot be combined with it by {op!r}. '
                'Combine queries of one model.'
            )
        if other._obj is not self._obj:
            raise UsageError(
                f'{name}: queries of two objects, which may have their own connections, cannot be '
                f'combined by {op!r}. Use {name}.objects.'
            )

    def __bool__(self) -> bool:
        """Whether any object matches; see :meth:`exists`.

        :raises TypeError: inside a running event loop, which it would block
        """
        if in_event_loop():
            raise TypeError(
                'the truth value of a query takes a round trip, which would block the event loop. '
                'Write await query.aexists(), or await query.acount() > 0.'
            )
        return self.exists()

    def __len__(self) -> int:
        # list(query) calls it, and ignores a TypeError; a length would cost it a round trip.
        raise TypeError(
            'a query has no length, since it holds no results. Write query.count(), or await '
            'query.acount().'
        )

    def __repr__(self) -> str:
        fields = '' if self._fields is None else f'.only({", ".join(map(repr, self._fields))})'
        conditions = arguments_of(self._filters)
        filtered = f'.filter({conditions})' if conditions else ''
        return f'{self.mdl.__name__}.objects{filtered}{fields}{self._part_text}{self._replica_text}'

    if not TYPE_CHECKING:  # type checkers shall report unknown names

        def __getattr__(self, name: str) -> Any:
            if name.startswith('_'):
                return object.__getattribute__(self, name)  # raises
            message = missing_of_query(self.mdl.__name__, name, type(self))
            raise AttributeError(message, name=name, obj=self)

    def __iter__(self) -> Iterator[M]:
        return iter(self.all())

    async def __aiter__(self) -> AsyncIterator[M]:
        for obj in await self.aall():
            yield obj

    def all(self, cascadeFetch: bool = False) -> IRQueryableList[M]:
        """Return the objects that match, in the order of the query; without one in any order.

        :param cascadeFetch: fetch linked objects too, in one round trip a level and server

        Redis: one script of set algebra and ``HMGET`` for up to 100 rows; else ``SMEMBERS``,
        ``SINTER`` or ``SDIFF``, then ``HMGET`` in overlapping chunks, and ``MGET``.
        """
        return self._read(self._all(cascadeFetch))

    @awaitable(all)
    async def aall(self, cascadeFetch: bool = False) -> IRQueryableList[M]:
        return await self._aread(self._all(cascadeFetch))

    def allByAge(self, cascadeFetch: bool = False) -> IRQueryableList[M]:
        """Return the objects that match, in ascending order of pks; see :meth:`all`."""
        return self._read(self._all(cascadeFetch, ordered=True))

    @awaitable(allByAge)
    async def aallByAge(self, cascadeFetch: bool = False) -> IRQueryableList[M]:
        return await self._aread(self._all(cascadeFetch, ordered=True))

    def allOnlyFields(
        self, fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList[M]:
        """Return partial objects that match, with only these fields; see :meth:`all`.

        The other fields read as their defaults, and a save leaves them alone.

        :param fields: names of fields
        :raises UsageError: if a name is unknown
        """
        return self._read(self._all(cascadeFetch, fields=fields))

    @awaitable(allOnlyFields)
    async def aallOnlyFields(
        self, fields: Iterable[str], cascadeFetch: bool = False
    ) -> IRQueryableList[M]:
        return await self._aread(self._all(cascadeFetch, fields=fields))

    def allOnlyIndexedFields(self) -> IRQueryableList[M]:
        """Return partial objects that match, with the indexed fields; see :meth:`allOnlyFields`."""
        return self._read(self._all(fields=self._indexed))

    @awaitable(allOnlyIndexedFields)
    async def aallOnlyIndexedFields(self) -> IRQueryableList[M]:
        return await self._aread(self._all(fields=self._indexed))

    def count(self) -> int:
        """Return the number of objects that match.

        Redis: ``SCARD``; a script of ``ZCOUNT`` for one range; or a script of ``SCARD`` and
        ``SINTERCARD`` between two ``EXISTS``. For a range beside other filters, for pks, and for
        more than three excluded sets, the client reads the pks.
        """
        return self._read(self._asked(verbs.count_part))

    @awaitable(count)
    async def acount(self) -> int:
        return await self._aread(self._asked(verbs.count_part))

    def first(self, cascadeFetch: bool = False) -> M | None:
        """Return the first matching object in the order of the query, or None.

        Without an order that is the object with the lowest pk.

        :param cascadeFetch: as of :meth:`all`

        Redis: one script for up to 5,000 candidates; else their pks, then rows in chunks.
        """
        return self._read(self._pick('first', cascadeFetch))

    @awaitable(first)
    async def afirst(self, cascadeFetch: bool = False) -> M | None:
        return await self._aread(self._pick('first', cascadeFetch))

    def last(self, cascadeFetch: bool = False) -> M | None:
        """Return the last matching object in the order of the query, or None; see :meth:`first`."""
        return self._read(self._pick('last', cascadeFetch))

    @awaitable(last)
    async def alast(self, cascadeFetch: bool = False) -> M | None:
        return await self._aread(self._pick('last', cascadeFetch))

    def random(self, cascadeFetch: bool = False) -> M | None:
        """Return a random object that matches, or None; see :meth:`first`."""
        return self._read(self._pick('random', cascadeFetch))

    @awaitable(random)
    async def arandom(self, cascadeFetch: bool = False) -> M | None:
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
        """Delete the objects that match, up to 250 at a time; return how many were deleted.

        Redis: the pks; then for up to 250 of them, with ``SORTED_FIELDS`` fewer, ``SMISMEMBER``,
        ``HMGET`` of the indexed fields, and one script.
        """
        return self._run(self._asked(writing.delete_matching, reads=False))

    @awaitable(delete)
    async def adelete(self) -> int:
        return await self._arun(self._asked(writing.delete_matching, reads=False))

    def reindex(self) -> int:
        """Add the objects that match to all index sets and sorted sets that have to list them.

        Call it after adding a field to ``INDEXED_FIELDS``, ``SORTED_FIELDS`` or
        ``UNIQUE_FIELDS``. It refuses no value: :meth:`check` finds unique values that several
        objects have. Other processes may write meanwhile.

        :returns: the number of objects

        Redis: for 25 objects at a time ``SMISMEMBER``, ``HMGET``, and one script of ``SADD``,
        ``SREM`` and ``ZADD``.
        """
        return self._run(self._asked(writing.reindex_matching, reads=False))

    @awaitable(reindex)
    async def areindex(self) -> int:
        return await self._arun(self._asked(writing.reindex_matching, reads=False))

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

    def reset(self, objs: Iterable[M]) -> list[int]:
        """Replace all objects of the model; see :meth:`IndexedRedisModel.reset`.

        :raises UsageError: if the query has filters
        """
        return self._run(self._reset(objs))

    @awaitable(reset)
    async def areset(self, objs: Iterable[M]) -> list[int]:
        return await self._arun(self._reset(objs))


def _all_of(filters: tuple[Node, ...]) -> Node:
    return filters[0] if len(filters) == 1 else And(filters)
