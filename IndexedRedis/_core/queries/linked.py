"""Filters along links, such as ``artist__name='AC/DC'``: two queries in two round trips.

The first query gets the pks of the linked objects, and the second one takes them as the values of
the link. Rule: both read the same data set, so that a reset of both models never leaves them with
the pks of the old artists and the songs of the new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ...errors import ConflictError
from ..expressions.tree import And, InSets, Linked, Node, Not, Or
from ..flows import Batch, Command, Elsewhere, Flow
from ..mapping.schema import Schema
from ..overlap import counted, together
from .query import Query, primary_keys

__all__ = ('follow', 'links_of', 'targets')

# How often a reader begins anew whose data set was replaced meanwhile; as of cascade fetches.
ATTEMPTS = 20

T = TypeVar('T')
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


def follow(
    query: Query,
    ask: Callable[[Query], Flow[T]],
    server_of: Callable[[Any], Any],
    reads: bool = True,
) -> Flow[T]:
    """Return what a flow returns for a query whose links were looked up.

    :param ask: gives the flow
    :param server_of: gives the server of a model; of None, the server that the flow runs on
    :param reads: whether the flow only reads. If so, it runs again after a reset; else it does not
        run on data that a reset has replaced before it began.
    :raises ConflictError: if resets come faster than reads
    """
    links = list(dict.fromkeys(links_of(query.filters)))
    for _ in range(ATTEMPTS):
        witnesses, values = [], {}
        for link in links:
            witness, pks = yield Elsewhere(link.schema.cls, targets(link))
            witnesses.append((link.schema, witness))
            values[link] = InSets(link.column, tuple(b'%d' % pk for pk in pks), 'in', link)
        asked = query._replace(filters=tuple(_replaced(node, values) for node in query.filters))
        if not reads:
            if (yield from _are_valid(witnesses)):
                return (yield from ask(asked))
            continue
        result, valid = yield from _beside(ask(asked), witnesses, server_of)
        if valid:
            return result
    raise ConflictError(
        f'{query.schema.name}: resets replaced the data set {ATTEMPTS} times while objects and '
        'what they link to were read. Read again, or reset less often.'
    )


def targets(link: Linked) -> Flow[tuple[Witness, list[int]]]:
    """Return a witness of the data set of the linked model, and the pks of the objects there."""
    query = Query(link.schema, (link.node,))
    flows: list[Flow[Any]] = [_witness(link.schema), primary_keys(query)]
    witness, pks = yield from together(flows)
    return witness, pks


def _witness(schema: Schema) -> Flow[Any]:
    marker, pk = yield Batch([('GET', schema.keys.swapped), ('SRANDMEMBER', schema.keys.all)])
    return marker, pk


def _replaced(node: Node, values: dict[Linked, InSets]) -> Node:
    if isinstance(node, Linked):
        return values[node]
    if isinstance(node, Not):
        return Not(_replaced(node.node, values))
    if isinstance(node, (And, Or)):
        return node._replace(nodes=tuple(_replaced(each, values) for each in node.nodes))
    return node


def _beside(
    flow: Flow[T], witnesses: list[tuple[Schema, Witness]], server_of: Callable[[Any], Any]
) -> Flow[tuple[T, bool]]:
    """Run a flow; return its result, and whether no reset replaced the linked objects before."""
    home = server_of(None)
    here = [each for each in witnesses if server_of(each[0].cls) is home]
    trips: list[None] = []
    checks: list[Flow[Any]] = [_are_those(here)] if here else []
    # In the trip of the flow: the replies come in the order of the commands.
    result, *valid = yield from together([counted(flow, trips), *checks])
    if len(trips) > 1 or len(here) < len(witnesses):
        valid = [(yield from _are_valid(witnesses))]
    return result, all(valid)


def _are_valid(witnesses: list[tuple[Schema, Witness]]) -> Flow[bool]:
    """Return whether no reset has replaced the linked objects."""
    for each in witnesses:
        if not (yield Elsewhere(each[0].cls, _are_those([each]))):
            return False
    return True


def _are_those(witnesses: list[tuple[Schema, Witness]]) -> Flow[bool]:
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
