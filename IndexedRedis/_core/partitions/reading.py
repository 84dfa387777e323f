"""What a query reads, whether its model has partitions or not.

With partitions, each is asked the query in one trip, and the answers are merged. The files that do
this are imported by the first read of a model with partitions, so that others save the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..column import Column
from ..flows import Flow
from ..mapping.schema import Schema
from ..queries import by_pk
from ..queries.query import Query
from .values import are_routed, filters_for, numbers_for, partition_of

if TYPE_CHECKING:
    from .asking import Make
    from .editions.fence import Edition
    from .layout import Shard

__all__ = ('exists', 'get_many', 'get_one', 'get_targets', 'read_each', 'read_one', 'read_where')

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
    old = yield from _replaced(schema, absent, previous)
    return [old.get(pk) if obj is None else obj for pk, obj in zip(pks, found, strict=True)]


def _replaced(schema: Schema, pks: Iterable[int], edition: Edition) -> Flow[dict[int, Any]]:
    """Return the objects of an edition that is not true any more, by pk."""
    from .editions.known import shards
    from .spread import spread

    mine: dict[int, list[int]] = {}
    for pk in pks:
        mine.setdefault(partition_of(pk, edition), []).append(pk)
    outcomes = yield from spread(
        {
            shard.number: (shard.keys.fence, by_pk.get_unlisted(shard, mine[shard.number]))
            for shard in shards(schema, edition, mine)
        }
    )
    return {o._id: o for each in outcomes.values() for o in each.result if o is not None}


def read_one(schema: Schema, pk: int, make: Make[T]) -> Flow[T]:
    """Run a flow that reads on the partition of a pk; return its result."""
    (result,) = yield from _read_shards(schema, make, lambda edition: [partition_of(pk, edition)])
    return result


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

    parts = yield from _read_shards(schema, some, numbers)
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

    return (yield from _read_shards(schema, asked, numbers))


def _read_shards(
    schema: Schema, make: Make[T], numbers: Callable[[Edition], Iterable[int]]
) -> Flow[list[T]]:
    from .asking import read_shards

    return read_shards(schema, make, numbers)
