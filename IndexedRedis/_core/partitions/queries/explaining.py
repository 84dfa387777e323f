"""explain() of a query, whether its model has partitions or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...expressions.tree import Linked
from ...flows import Flow, ask
from ...inspection import explain as plain
from ...inspection.explain_order import too_many
from ...inspection.explanation import Explanation, Part, Rows, Trip
from ...queries.query import Query, primary_keys
from ..asking import read_shards
from ..editions.fence import Edition
from ..editions.known import FIRST, known, shards
from ..layout import Shard
from ..values import filters_for, numbers_for

__all__ = ('explain',)


def explain(query: Query, behind: bool = False) -> Flow[Explanation]:
    """Return what reading this query would do; with partitions, what one of them is asked.

    It is one that has most of the rows. The number of rows is that of all.

    :param behind: begin behind a place; the commands are those of the beginning otherwise
    """
    schema = query.schema
    if not schema.partitions:
        return (yield from plain.explain(query, behind, _lookups))
    wanted: list[int] = []
    every: list[int] = []

    def numbers(edition: Edition) -> list[int]:
        wanted[:] = numbers_for(schema, query.filters, edition)
        every[:] = range(edition.partitions)
        return every

    def explained(shard: Shard) -> Flow[Any]:
        if shard.number in (wanted or every[:1]):
            return plain.explain(
                query._replace(schema=shard, filters=filters_for(query.filters, shard)),
                behind,
                _lookups,
            )
        return ask('SCARD', shard.keys.all)

    answers = yield from read_shards(schema, explained, numbers)
    found = {i: each for i, each in enumerate(answers) if isinstance(each, Explanation)}
    others = [each for each in answers if not isinstance(each, Explanation)]
    shown = max(found, key=lambda number: found[number].rows.estimate)
    whole = found[shown]
    whole.total = sum(each.total for each in found.values()) + sum(others)
    whole.parts = _merged(whole.parts, [*found.values()])
    whole.partitions, whole.partitionsOfModel, whole.partitionShown = [*wanted], len(every), shown
    looks = [_look(link) for link in plain.links_of(query)]
    whole.trips = [*whole.trips[len(whole.lookups) :], *looks]
    warning = too_many(query, whole.rows) if query.order else ''
    if warning and warning not in whole.warnings:
        whole.warnings.append(warning)
    return whole


def _look(link: Linked) -> Trip:
    """Return the trip that tells whether no reset has replaced the linked objects meanwhile."""
    keys = link.schema.keys
    if link.schema.partitions:
        return Trip([('GET', keys.edition)])
    return Trip([('GET', keys.swapped), ('SISMEMBER', keys.all, plain.PK)])


def _merged(parts: Sequence[Part], found: Sequence[Explanation]) -> list[Part]:
    """Return the parts of a query with the rows of all partitions.

    Pks that lead to some partitions only may give the query another number of parts in others; then
    the first part has the rows of all.
    """
    parts = [*parts] or [Part((), Rows(0, 0, 0), ())]
    if {len(each.parts) for each in found} == {len(parts)}:
        return [
            part._replace(rows=_sum([each.parts[i].rows for each in found]))
            for i, part in enumerate(parts)
        ]
    first, *rest = (part._replace(rows=Rows(0, 0, 0)) for part in parts)
    return [first._replace(rows=_sum([each.rows for each in found])), *rest]


def _sum(rows: Sequence[Rows]) -> Rows:
    return Rows(*map(sum, zip(*rows, strict=True)))


def _lookups(link: Linked, pks: int) -> list[Trip]:
    """Return the trips that look up so many linked objects."""
    if not link.schema.partitions:
        return plain.lookups(link, pks)
    edition = known(link.schema) or Edition(FIRST, link.schema.partitions)
    (shard,) = shards(link.schema, edition, [0])
    each = -(-pks // link.schema.partitions)
    return plain.rehearse(primary_keys(Query(shard, (link.node,))), each, each, shard.keys)
