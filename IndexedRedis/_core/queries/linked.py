"""Filters along links, such as ``artist__name='AC/DC'``: two queries in two round trips.

The first query gets the pks of the linked objects, and the second one takes them as the values of
the link. Rule: both read the same data set, so that a reset of both models never leaves them with
the pks of the old artists and the songs of the new ones. The flow that follows links is in
:mod:`..partitions.queries.linked`, since models with partitions take part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..expressions.tree import And, InSets, Linked, Node, Not, Or
from ..flows import Batch, Command, Flow
from ..mapping.schema import Schema
from ..overlap import together
from .query import Query, primary_keys

__all__ = ('Witness', 'are_those', 'links_of', 'targets')

# The swap marker of a model and one of its pks, which no longer exists after a reset.
Witness = tuple[Any, Any]


def links_of(filters: Sequence[Node]) -> Iterator[Linked]:
    """Yield the filters along links, from left to right."""
    for node in filters:
        if isinstance(node, InSets):
            continue
        if isinstance(node, Linked):
            yield node
        elif isinstance(node, Not):
            yield from links_of((node.node,))
        elif isinstance(node, (And, Or)):
            yield from links_of(node.nodes)


def targets(link: Linked) -> Flow[tuple[Witness, list[int]]]:
    """Return a witness of the data set of the linked model, and the pks of the objects there."""
    query = Query(link.schema, (link.node,))
    flows: list[Flow[Any]] = [_witness(link.schema), primary_keys(query)]
    witness, pks = yield from together(flows)
    return witness, pks


def _witness(schema: Schema) -> Flow[Any]:
    marker, pk = yield Batch([('GET', schema.keys.swapped), ('SRANDMEMBER', schema.keys.all)])
    return marker, pk


def are_those(witnesses: list[tuple[Schema, Witness]]) -> Flow[bool]:
    """Return whether linked models have the data sets that were read."""
    commands: list[Command] = []
    for schema, (_, pk) in witnesses:
        everything = schema.keys.all
        commands.append(('GET', schema.keys.swapped))
        # Without a pk the set was empty, and it has to be still.
        commands.append(('SCARD', everything) if pk is None else ('SISMEMBER', everything, pk))
    replies = yield Batch(commands, shared=True)
    return all(
        marker == before and bool(is_there) == (pk is not None)
        for (_, (before, pk)), marker, is_there in zip(
            witnesses, replies[::2], replies[1::2], strict=True
        )
    )
