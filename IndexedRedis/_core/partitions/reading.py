"""What a query reads, whether its model has partitions or not.

With partitions, each is asked the query in one trip, and the answers are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..column import Column
from ..flows import Flow
from ..mapping.schema import Schema
from ..queries import by_pk
from ..queries.query import Query
from .asking import read_one, read_shards
from .editions.fence import Edition, partition_of
from .editions.known import shards
from .layout import Shard
from .spread import spread
from .values import are_routed, filters_for, numbers_for

__all__ = ('exists', 'get_many', 'get_one', 'get_targets', 'read_each', 'read_where')

T = TypeVar('T')
K = TypeVar('K')


def get_one(schema: Schema, pk: int, columns: Sequence[Column], drawn: bytes = b'') -> Flow[Any]:
    """Return the object of ``pk``, or None.

    :param drawn: the id of an incarnation whose data has the pk, if that has to be checked
    """

    def one(of: Schema) -> Flow[Any]:
        return by_pk.get_one(of, pk, columns, drawn)

    return (yield from (read_one(schema, pk, one) if schema.partitions else one(schema)))


def exists(schema: Schema, pk: int) -> Flow[bool]:
    """Return whether an object is stored under ``pk``."""
    if not schema.partitions:
        return (yield from by_pk.exists(schema, pk))
    return (yield from read_one(schema, pk, lambda shard: by_pk.exists(shard, pk)))


def get_many(schema: Schema, pks: Sequence[int], columns: Sequence[Column]) -> Flow[list[Any]]:
    """Return the objects of ``pks`` in order; None where no object is stored."""
    if not schema.partitions:
        return (yield from by_pk.get_many(schema, pks, columns))
    return (
        yield from read_each(schema, pks, pks, lambda of, some: by_pk.get_many(of, some, columns))
    )


def get_targets(schema: Schema, pks: Sequence[int]) -> Flow[list[Any]]:
    """Return what :func:`get_many` does, and objects that a reset has just replaced.

    Objects that were fetched before the reset link to them. Their rows stay readable for a while.
    """
    if not schema.partitions:
        return (yield from by_pk.get_targets(schema, pks))
    found = yield from get_many(schema, pks, schema.all)
    absent = {pk for pk, obj in zip(pks, found, strict=True) if obj is None}
    previous = schema.known and schema.known.previous
    if not absent or previous is None:
        return found
    mine: dict[int, list[int]] = {}
    for pk in absent:
        mine.setdefault(partition_of(pk, previous), []).append(pk)
    outcomes = yield from spread(
        {
            shard.number: (shard.keys.fence, by_pk.get_unlisted(shard, mine[shard.number]))
            for shard in shards(schema, previous, mine)
        }
    )
    old = {o._id: o for each in outcomes.values() for o in each.result if o is not None}
    return [old.get(pk) if obj is None else obj for pk, obj in zip(pks, found, strict=True)]


def read_each(
    schema: Schema,
    pks: Sequence[int],
    items: Sequence[K],
    read: Callable[[Schema, list[K]], Flow[list[Any]]],
) -> Flow[list[Any]]:
    """Read something of each of some items, from the partitions of their pks; return it in order.

    :param items: as many as ``pks``, which are theirs
    :param read: gives the flow for some items of a shard, which returns as many results
    """
    places: dict[int, list[int]] = {}

    def numbers(edition: Edition) -> list[int]:
        places.clear()
        for place, pk in enumerate(pks):
            places.setdefault(partition_of(pk, edition), []).append(place)
        return list(places)

    def some(shard: Shard) -> Flow[list[Any]]:
        return read(shard, [items[place] for place in places[shard.number]])

    parts = yield from read_shards(schema, some, numbers)
    found: list[Any] = [None] * len(pks)
    for mine, results in zip(places.values(), parts, strict=True):
        for place, result in zip(mine, results, strict=True):
            found[place] = result
    return found


def read_where(
    query: Query, ask: Callable[[Query], Flow[T]], note: Callable[[Edition], Any] | None = None
) -> Flow[list[T]]:
    """Ask each partition that may hold objects that match; return the answers, in order.

    :param note: called with the edition that is asked; the last one is that of the answers
    """
    schema, filters, order, window = query
    differ = are_routed(schema, filters)

    def numbers(edition: Edition) -> list[int]:
        if note is not None:
            note(edition)
        return numbers_for(schema, filters, edition)

    def asked(shard: Shard) -> Flow[T]:
        of_it = filters_for(filters, shard) if differ else filters
        return ask(Query(shard, of_it, order, window))

    return (yield from read_shards(schema, asked, numbers))
