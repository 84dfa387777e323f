"""The partitions that a pk, the value of ``PARTITION_BY``, and filters lead to."""

from __future__ import annotations

from binascii import crc32  # zlib, which has it too, takes longer to import
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..column import Column
from ..expressions.tree import And, HasPk, InSets, Node, Not, Or, atoms_of
from ..mapping.schema import Schema

if TYPE_CHECKING:
    from .editions.fence import Edition
    from .layout import Shard

__all__ = ('are_routed', 'filters_for', 'numbers_for', 'partition_of', 'partition_of_stored')


def partition_of(pk: int, edition: Edition) -> int:
    """Return the number of the partition of a pk."""
    return pk % edition.partitions


def partition_of_stored(column: Column, stored: bytes | None, edition: Edition) -> int:
    """Return the partition of objects whose ``PARTITION_BY`` field has these stored bytes."""
    return _partition_of_value(column.index_of_stored(stored), edition.partitions)


def _partition_of_value(value: bytes, count: int) -> int:
    return crc32(value) % count


def numbers_for(schema: Schema, filters: Sequence[Node], edition: Edition) -> list[int]:
    """Return the partitions that may hold objects for which all filters hold, in order.

    A filter narrows them if it gives values of the ``PARTITION_BY`` field, or pks.
    """
    found = {*range(edition.partitions)}
    for node in filters:
        found &= _numbers_of(schema, node, edition)
    return sorted(found)


def _numbers_of(schema: Schema, node: Node, edition: Edition) -> set[int]:
    if isinstance(node, And):
        return {*numbers_for(schema, node.nodes, edition)}
    if isinstance(node, Or):
        return {n for each in node.nodes for n in _numbers_of(schema, each, edition)}
    numbers: Iterable[int] = range(edition.partitions)
    if isinstance(node, InSets) and node.column is schema.partition_by:
        numbers = (_partition_of_value(value, edition.partitions) for value in node.values)
    elif isinstance(node, HasPk):
        numbers = (partition_of(pk, edition) for pk in node.pks)
    return {*numbers}


def are_routed(schema: Schema, filters: Sequence[Node]) -> bool:
    """Return whether filters have pks, or values of the ``PARTITION_BY`` field."""
    return any(
        isinstance(atom, HasPk) or atom.column is schema.partition_by
        for node in filters
        for atom in atoms_of(node)
    )


def filters_for(filters: Sequence[Node], shard: Shard) -> tuple[Node, ...]:
    """Return filters that mean the same for the objects of one partition.

    They have only the pks and the values of the ``PARTITION_BY`` field that lead there.
    """
    return tuple(_for_shard(node, shard) for node in filters)


def _for_shard(node: Node, shard: Shard) -> Node:
    if isinstance(node, (And, Or)):
        return node._replace(nodes=filters_for(node.nodes, shard))
    if isinstance(node, Not):
        return Not(_for_shard(node.node, shard))
    number, count = shard.number, shard.keys.stride
    if isinstance(node, HasPk):
        return node._replace(pks=tuple(pk for pk in node.pks if pk % count == number))
    if isinstance(node, InSets) and len(node.values) > 1 and node.column is shard.partition_by:
        mine = (v for v in node.values if _partition_of_value(v, count) == number)
        return node._replace(values=tuple(mine))
    return node
