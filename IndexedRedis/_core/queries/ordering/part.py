"""Read a part of a result, or all of it, in order.

There are two ways. A walk along the sorted set of the first field gives the pks in order, and the
rows of a page in the same round trip. Without a sorted set, or with filters that a walk cannot
test, the client reads all pks that match and the values that decide the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest, nsmallest
from typing import Any, NamedTuple

from ....errors import ConflictError, QueryError
from ...column import Column
from ...flows import Batch, Flow, ask
from ...incarnations import newest
from ...mapping.decoder import Row
from ...mapping.schema import Schema
from ...overlap import together
from ..by_pk import is_empty, rows_of
from ..fetch import READ_ATTEMPTS, Build, read_markers, taking
from ..query import WHOLE, Query, primary_keys
from .matches import WITNESSES, score_of
from .order import BY_PK, Entry, columns_of_order, in_order, keys_of, rest_after
from .plan import ALL, plan_of
from .walk import Found, walk

__all__ = ('MOST_UNSORTED', 'Part', 'read_part', 'refuse_many')

# Objects that an order by a field without a sorted set reads: their values take some 10 ms.
MOST_UNSORTED = 5000


class Part(NamedTuple):
    """A part of a result.

    :param rows: pk and row of each object, before those are left out that do not match any more
    :param columns: the columns of the rows
    :param unfinished: as of :class:`Found`
    :param valued: as of :class:`Found`
    """

    objs: list[Any]
    rows: Sequence[tuple[int, Row]]
    columns: Sequence[Column]
    unfinished: bool
    valued: int = 0


def read_part(
    query: Query,
    columns: Sequence[Column] | None = None,
    build: Build | None = None,
    after: Entry | None = None,
) -> Flow[Part]:
    """Return the part of a result that the query's window names.

    :param columns: the columns of the objects; None: all
    :param build: makes something else than objects of the rows
    :param after: leave out what comes before this place, or at it
    :raises QueryError: if too many objects match for an order without a sorted set
    :raises ConflictError: if resets come faster than reads
    """
    if not query.order:
        query = query._replace(order=BY_PK)
    schema = query.schema
    columns = schema.all if columns is None else columns
    wanted, take = taking(query, columns, build)
    # Filters come before the columns of the order, as `take` expects.
    read = list(dict.fromkeys([*wanted, *columns_of_order(query.order)]))
    for _ in range(READ_ATTEMPTS):
        found = yield from _found(query, read, after)
        rows: Sequence[Row | None] | None = found.rows
        if rows is None:
            rows = yield from rows_of(schema, found.pks, read)
            if (yield from _is_replaced(schema, found)):
                continue
        there = _still_in_place(query, read, found, rows)
        short = [row[: len(wanted)] for _, row in there]
        objs = take([pk for pk, _ in there], short, newest(found.markers[1]))
        return Part(objs, there, read, found.unfinished, found.valued)
    raise ConflictError(
        f'{schema.name}: resets replaced the data set {READ_ATTEMPTS} times while a query read it '
        'in order. Read again, or reset less often.'
    )


def _is_replaced(schema: Schema, found: Found) -> Flow[bool]:
    """Return whether a reset has replaced the data set, or an incarnation began.

    The swap marker tells of a reset that kept pks. After another one, no pk exists any more.
    """
    commands = [read_markers(schema.keys)]
    if found.witnesses:
        commands.append(('SMISMEMBER', schema.keys.all, *found.witnesses))
    markers, *listed = yield Batch(commands)
    return bool(markers != found.markers or (listed and not any(listed[0])))


def _still_in_place(
    query: Query, columns: Sequence[Column], found: Found, rows: Sequence[Row | None]
) -> list[tuple[int, Row]]:
    """Return pk and row of the objects that are still there, in order.

    An object that was changed after its pk was read has another place now: a part of the result
    leaves it out, the whole result shows it there.
    """
    pairs = zip(found.pks, rows, strict=True)
    there = [(pk, row) for pk, row in pairs if row is not None and not is_empty(row)]
    if found.scores is None or found.rows is not None:
        return there
    entries = [Entry(pk, keys_of(query.order, columns, pk, row)) for pk, row in there]
    if query.window == WHOLE:
        by_pk = dict(there)
        return [(each.pk, by_pk[each.pk]) for each in in_order(entries, query.order)]
    scores = dict(zip(found.pks, found.scores, strict=True))
    pairs_of = zip(entries, there, strict=True)
    return [pair for entry, pair in pairs_of if score_of(entry) == scores[entry.pk]]


def _found(query: Query, columns: Sequence[Column], after: Entry | None) -> Flow[Found]:
    plan = plan_of(query)
    skip, limit = query.window
    if plan is None:
        return (yield from _by_values(query, skip, limit, after))
    return (yield from walk(query, plan, columns, skip, ALL if limit is None else limit, after))


def _by_values(query: Query, skip: int, limit: int | None, after: Entry | None) -> Flow[Found]:
    """Return pks in order, by the values of all objects that match."""
    schema, columns = query.schema, columns_of_order(query.order)
    flows: list[Flow[Any]] = [ask(*read_markers(schema.keys)), primary_keys(query)]
    markers, pks = yield from together(flows)
    if query.order[0].column is None:
        return _by_pk(markers, pks, query, after)
    refuse_many(columns[0], len(pks))
    rows = yield from rows_of(schema, pks, columns)
    entries = [
        Entry(pk, keys_of(query.order, columns, pk, row))
        for pk, row in zip(pks, rows, strict=True)
        if row is not None
    ]
    ordered = in_order(entries, query.order)
    if after is not None:
        ordered = rest_after(ordered, after, query.order)
    stop = None if limit is None else skip + limit
    unfinished, part = stop is not None and stop < len(ordered), ordered[skip:stop]
    return Found(
        markers,
        pks[:WITNESSES],
        [entry.pk for entry in part],
        scores=[score_of(entry) for entry in part],
        unfinished=unfinished,
        valued=len(pks),
    )


def _by_pk(markers: list[Any], pks: list[int], query: Query, after: Entry | None) -> Found:
    (skip, limit), down = query.window, query.order[0].descending
    witnesses = pks[:WITNESSES]
    if after is not None:
        pks = [pk for pk in pks if (pk < after.pk if down else pk > after.pk)]
    if limit is None:
        return Found(markers, witnesses, sorted(pks, reverse=down)[skip:])
    smallest = nlargest if down else nsmallest
    part = smallest(skip + limit, pks)[skip:]
    return Found(markers, witnesses, part, unfinished=skip + limit < len(pks))


def refuse_many(column: Column, count: int) -> None:
    """Refuse to read the values of too many objects.

    :raises QueryError: if there are too many
    """
    if count > MOST_UNSORTED and not column.sorted:
        raise QueryError(
            f'{column.label} is not sorted, so ordering by it reads the values of all objects that '
            f'match: {count:,}, and at most {MOST_UNSORTED:,} are read. Add the field to '
            f'SORTED_FIELDS and call objects.reindex(), or sort the list: '
            f'all().sort_by({column.name!r}).'
        )
