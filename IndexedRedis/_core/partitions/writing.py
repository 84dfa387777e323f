"""Writes of a model, whether it has partitions or not: delete, update and reindex.

With partitions, each write runs on all of them that may be concerned, and is whole in each. The
files that do this are imported by the first such write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import FieldValueError
from ..bulk import delete, reindex
from ..flows import Flow
from ..mapping.schema import Schema
from ..queries.query import Query
from ..writes.arguments import check_model
from .values import numbers_for, partition_of

if TYPE_CHECKING:
    from .asking import Make
    from .editions.fence import Edition

__all__ = (
    'delete_matching',
    'delete_objects',
    'delete_pks',
    'reindex_matching',
    'reindex_pks',
    'update_matching',
)


def delete_objects(schema: Schema, objs: Sequence[Any]) -> Flow[int]:
    """Delete stored objects; return how many of ``objs`` had a pk."""
    if not schema.partitions:
        return (yield from delete.delete_objects(schema, objs))
    for obj in objs:
        check_model(schema, obj)
    stored = [obj for obj in objs if obj._id is not None]
    return (
        yield from _by_pk(
            schema,
            [obj._id for obj in stored],
            stored,
            lambda some: lambda shard: delete.delete_objects(shard, some),
        )
    )


def delete_pks(schema: Schema, pks: Sequence[int]) -> Flow[int]:
    """Delete the objects of ``pks``; return how many were stored."""
    if not schema.partitions:
        return (yield from delete.delete_pks(schema, pks))
    return (
        yield from _by_pk(
            schema, pks, pks, lambda some: lambda shard: delete.delete_pks(shard, some)
        )
    )


def reindex_pks(schema: Schema, pks: Sequence[int], rehash: bool) -> Flow[int]:
    """Add stored objects to their index sets and sorted sets; return how many there were."""
    if not schema.partitions:
        return (yield from reindex.reindex(schema, pks, rehash))
    return (
        yield from _by_pk(
            schema, pks, pks, lambda some: lambda shard: reindex.reindex(shard, some, rehash)
        )
    )


def delete_matching(query: Query) -> Flow[int]:
    """Delete the objects that match, in chunks; return how many were stored."""
    return (yield from _where(query, delete.delete_matching))


def update_matching(query: Query, written: dict[str, bytes]) -> Flow[int]:
    """Set fields of the objects that match, in chunks; return how many were updated.

    :raises FieldValueError: if the field decides the partition of an object
    """
    from ..bulk.update import update_matching as update  # saves import time

    by = query.schema.partition_by
    if query.schema.partitions and by is not None and by.name in written:
        raise FieldValueError(
            f'{by.label} decides the partition of an object, so it cannot be updated. Delete the '
            'objects and create them anew.'
        )
    return (yield from _where(query, lambda asked: update(asked, written)))


def reindex_matching(query: Query, rehash: bool = False, one_by_one: bool = False) -> Flow[int]:
    """Add the objects that match to their index sets and sorted sets; return their number.

    :param rehash: remove entries under the other choice of ``hashIndex``
    :param one_by_one: write each object by a script of its own
    """
    size = 1 if one_by_one else reindex.CHUNK
    return (yield from _where(query, lambda asked: reindex.reindex_matching(asked, rehash, size)))


def _where(query: Query, write: Callable[[Query], Flow[int]]) -> Flow[int]:
    """Run a write on each partition that may hold objects that match; return the sum."""
    schema = query.schema
    if not schema.partitions:
        return (yield from write(query))

    def makes(edition: Edition) -> dict[int, Make[int]]:
        numbers = numbers_for(schema, query.filters, edition)
        return dict.fromkeys(numbers, lambda shard: write(query._replace(schema=shard)))

    return (yield from _write_shards(schema, makes))


def _by_pk(
    schema: Schema, pks: Sequence[int], items: Sequence[Any], act: Callable[[list[Any]], Make[int]]
) -> Flow[int]:
    """Run a write on each partition that holds some of the items; return the sum.

    :param items: as many as ``pks``, which are theirs
    """

    def makes(edition: Edition) -> dict[int, Make[int]]:
        groups: dict[int, list[Any]] = {}
        for pk, item in zip(pks, items, strict=True):
            groups.setdefault(partition_of(pk, edition), []).append(item)
        return {number: act(some) for number, some in groups.items()}

    return (yield from _write_shards(schema, makes))


def _write_shards(schema: Schema, makes: Callable[[Edition], Mapping[int, Make[int]]]) -> Flow[int]:
    """Run writes on partitions; return the sum of their results."""
    from .asking import write_shards

    outcomes = yield from write_shards(schema, makes)
    return sum(outcome.result for outcome in outcomes.values())
