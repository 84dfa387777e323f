"""The operations of a query, as flows that return what the caller gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ..._core.column import Column
from ..._core.expressions.parse import parse
from ..._core.expressions.q import Q, given
from ..._core.expressions.sets import joined
from ..._core.flows import Flow, ask
from ..._core.links import fetching
from ..._core.locking.locks import new_token
from ..._core.partitions import reading, writing
from ..._core.partitions.queries import verbs
from ..._core.queries import query
from ..._core.queries.linked import links_of
from ..._core.text import moment_in, near_miss
from ...errors import UsageError
from ...fields.base.primary_keys import primary_key
from ...generics import M
from ...IRQueryableList import IRQueryableList
from ..arguments import NOT_GIVEN
from ..manager import IndexedRedisHelper
from ..resets import reset

if TYPE_CHECKING:
    from typing import Self

    from ..._core.expressions.tree import Node
    from ..._core.flows import Progress
    from ..._core.inspection.explanation import Explanation
    from ..._core.inspection.model_info import ModelInfo
    from ..._core.integrity.report import CheckReport
    from ..._core.queries.ordering.order import By

__all__ = ('QueryFlows',)

T = TypeVar('T')


class QueryFlows(IndexedRedisHelper[M]):
    """The filters of a query, and the flows of its methods."""

    _filters: tuple[Node, ...] = ()
    # The names that `only()` was given; None: all fields.
    _fields: Sequence[str] | None = None
    _order: tuple[By, ...] = ()
    _window = query.WHOLE

    @property
    def _query(self) -> query.Query:
        return query.Query(self._schema, joined(self._filters), self._order, self._window)

    def _asked(self, ask: Callable[[query.Query], Flow[T]], reads: bool = True) -> Flow[T]:
        """Return the flow of the query; if filters follow links, it looks these up first.

        :param ask: gives the flow for a query
        :param reads: whether the flow only reads
        """
        asked = self._query
        if not reads:
            self._refuse_window('a write')
        if next(links_of(asked.filters), None) is None:
            return ask(asked)
        from ..._core.partitions.queries import linked  # saves import time

        return linked.follow(asked, ask, self._server_of, reads)

    def _copied(self) -> Self:
        query = object.__new__(type(self))
        query.__dict__.update(self.__dict__)
        return query

    def _with_filters(self, filters: tuple[Node, ...]) -> Self:
        query = self._copied()
        query._filters = filters
        return query

    def _filtered(self, lookups: Mapping[str, Any]) -> Self:
        return self._with_filters(self._filters + self._parsed('filter', (), lookups))

    def _parsed(
        self, method: str, conditions: tuple[Q, ...], lookups: Mapping[str, Any]
    ) -> tuple[Node, ...]:
        schema = self._schema
        self._refuse_window(f'{method}()')
        return parse(schema.name, schema.columns, given(method, conditions), lookups)

    def _all(
        self, cascade: bool = False, ordered: bool = False, fields: Iterable[str] | None = None
    ) -> Flow[IRQueryableList[Any]]:
        columns = self._columns(fields)

        def fetched(asked: query.Query) -> Flow[list[Any]]:
            return verbs.read_objects(asked, columns, ordered)

        return self._many(lambda: self._asked(fetched), cascade)

    def _pick(self, order: str, cascade: bool) -> Flow[M | None]:
        seed = 0
        if order == 'random':
            from random import randrange  # 5 % of the import time

            seed = randrange(2**31)
        columns = self._columns()

        def picked(asked: query.Query) -> Flow[Any]:
            return verbs.pick_part(asked, columns, order, seed)

        return self._one(lambda: self._asked(picked), cascade)

    def _primary_keys(self, ordered: bool) -> Flow[list[int]]:
        return self._asked(lambda asked: verbs.pks_of_part(asked, ordered))

    def _get(self, pk: Any, cascade: bool, fields: Iterable[str] | None = None) -> Flow[M | None]:
        columns, number = self._columns(fields), primary_key(pk)
        return self._one(lambda: reading.get_one(self._schema, number, columns), cascade)

    def _get_one(self, pk: Any, cascade: bool, lookups: Mapping[str, Any]) -> Flow[M | None]:
        if pk is not NOT_GIVEN:
            if lookups:
                raise UsageError(
                    f'{self._schema.name}: get({pk!r}) finds an object by its pk alone; further '
                    f'lookups ({", ".join(lookups)}) would be ignored. Leave one of both out.'
                )
            return self._get(pk, cascade)
        self._refuse_window('get()')
        narrowed, columns = self._filtered(lookups), self._columns()

        def found(asked: query.Query) -> Flow[Any]:
            return verbs.the_one(asked, columns)

        return self._one(lambda: narrowed._asked(found), cascade)

    def _exists(self, pk: Any) -> Flow[bool]:
        if pk is NOT_GIVEN:
            return self._asked(verbs.has_match)
        return reading.exists(self._schema, primary_key(pk))

    def _in_bulk(self, pks: Iterable[Any], cascade: bool) -> Flow[dict[int, Any]]:
        found = yield from self._get_multiple(pks, cascade)
        return {obj._id: obj for obj in found if obj is not None}

    def _get_multiple(
        self, pks: Iterable[Any], cascade: bool, fields: Iterable[str] | None = None
    ) -> Flow[IRQueryableList[Any]]:
        numbers = [primary_key(pk) for pk in pks]
        columns = self._columns(fields)
        return self._many(lambda: reading.get_many(self._schema, numbers, columns), cascade)

    def _rehash(self, fetch_all: bool) -> Flow[int]:
        def rehashed(asked: query.Query) -> Flow[int]:
            return writing.reindex_matching(asked, rehash=True, one_by_one=not fetch_all)

        return self._asked(rehashed, reads=False)

    def _mirrored_at(self) -> Flow[datetime | None]:
        text = yield from ask('GET', self._schema.keys.mirrored)
        return None if text is None else datetime.fromisoformat(moment_in(text))

    def _reset(self, objs: Iterable[Any]) -> Flow[list[int]]:
        self._refuse_filters('reset')
        return reset(self._schema, objs, self._server_of)

    def _check(self, progress: Progress | None) -> Flow[CheckReport]:
        from ..._core.integrity import partitioned  # only programs that call it pay for its import

        self._refuse_filters('check')
        return partitioned.check(self._schema, progress)

    def _repair(self, progress: Progress | None) -> Flow[CheckReport]:
        from ..._core.integrity import partitioned
        from ..._core.resets.editions.reset import settle_editions

        self._refuse_filters('repair')
        return partitioned.repair(self._schema, new_token(), settle_editions, progress)

    def _refuse_window(self, method: str) -> None:
        if self._window != query.WHOLE:
            raise UsageError(
                f'{self._schema.name}: {method} works on a whole result, and this query names a '
                'part of one. Put it before the slice or limit().'
            )

    def _refuse_filters(self, method: str) -> None:
        self._refuse_window(f'{method}()')
        if self._filters:
            name = self._schema.name
            raise UsageError(
                f'{name}: {method}() works on the whole model, and this query has filters. Call '
                f'it on {name}.objects, without filters.'
            )

    def _many(
        self, make: Callable[[], Flow[list[Any]]], cascade: bool
    ) -> Flow[IRQueryableList[Any]]:
        schema = self._schema
        objs = yield from (
            fetching.fetch_linked(schema, make, self._server_of) if cascade else make()
        )
        return IRQueryableList(objs, mdl=self.mdl)

    def _one(self, make: Callable[[], Flow[Any]], cascade: bool) -> Flow[M | None]:
        if not cascade:
            return make()
        return fetching.fetch_linked_of_one(self._schema, make, self._server_of)

    @property
    def _indexed(self) -> list[str]:
        return [column.name for column in self._schema.indexed]

    def _columns(self, fields: Iterable[str] | None = None) -> Sequence[Column]:
        """Return the columns of these names. An empty list gives the first column.

        :param fields: names of fields; None stands for those of :meth:`only`, or for all
        :raises UsageError: if a name is unknown
        """
        schema = self._schema
        fields = self._fields if fields is None else fields
        if fields is None:
            return schema.all
        names = [str.__str__(name) for name in fields]
        for name in names:
            if name not in schema.columns:
                hint = near_miss(name, list(schema.columns))
                raise UsageError(f'{schema.name} has no field {name!r}.{hint}')
        return schema.named(names) or schema.all[:1]

    def _explain(self, analyze: bool, after: Any = None) -> Flow[Explanation]:
        from ..._core.partitions.queries import explaining

        place = None if after is None else self._place(1, after)  # type: ignore[attr-defined]

        def explained(asked: query.Query) -> Flow[Explanation]:
            return explaining.explain(asked, behind=place is not None)

        def fetched(asked: query.Query) -> Flow[list[Any]]:
            return verbs.read_objects(asked, after=place)

        explanation = yield from self._asked(explained)
        if analyze:
            from ...executors.measuring import measured  # which imports redis-py

            explanation.measured = yield from measured(self._asked(fetched))
        return explanation

    def _info(self, sample: int, progress: Progress | None) -> Flow[ModelInfo]:
        self._refuse_filters('info')
        if sample < 1:
            raise UsageError(
                f'{self._schema.name}: sample={sample!r} is too small. Give at least 1.'
            )
        return self._info_with_age(sample, progress)

    def _info_with_age(self, sample: int, progress: Progress | None) -> Flow[ModelInfo]:
        from ..._core.partitions import statistics

        found = yield from statistics.info(self._schema, sample, progress)
        found.mirroredAt = yield from self._mirrored_at()
        return found
