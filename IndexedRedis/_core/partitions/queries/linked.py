"""Filters along links, such as ``artist__name='AC/DC'``, of models with and without partitions.

See :mod:`...queries.linked`. What tells that a model with partitions still has the data set that
was read is its pointer: after a reset it names another edition.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

from ....errors import ConflictError
from ...expressions.tree import And, InSets, Linked, Node, Not, Or
from ...flows import Batch, Elsewhere, Flow
from ...mapping.schema import Schema
from ...overlap import counted, together
from ...queries.linked import are_those, links_of, targets
from ...queries.query import Query, primary_keys
from ..editions.fence import Edition, Fence
from ..editions.known import FIRST
from ..reading import read_where

__all__ = ('follow',)

# How often a reader begins anew whose data set was replaced meanwhile; as of cascade fetches.
ATTEMPTS = 20

T = TypeVar('T')
# A linked model, and what tells that it still has the data set that was read: its edition; without
# partitions, the witness of :func:`targets`.
Seen = tuple[Schema, Any]


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
        witnesses, values = list[Seen](), dict[Linked, InSets]()
        for link in links:
            witness, pks = yield Elsewhere(link.schema.cls, _targets(link))
            witnesses.append((link.schema, witness))
            values[link] = InSets(link.column, tuple(b'%d' % pk for pk in pks), 'in', link)
        asked = query._replace(filters=tuple(_replaced(node, values) for node in query.filters))
        if not reads:
            if (yield from _are_valid(witnesses)):
                return (yield from ask(asked))
            continue
        result, valid = yield from _beside(query, ask(asked), witnesses, server_of)
        if valid:
            return result
    raise ConflictError(
        f'{query.schema.name}: resets replaced the data set {ATTEMPTS} times while objects and '
        'what they link to were read. Read again, or reset less often.'
    )


def _targets(link: Linked) -> Flow[tuple[Any, list[int]]]:
    """Return a witness of the data set of the linked model, and the pks of the objects there."""
    if not link.schema.partitions:
        return (yield from targets(link))
    editions: list[Edition] = []
    answers = yield from read_where(Query(link.schema, (link.node,)), primary_keys, editions.append)
    return editions[-1], [*chain.from_iterable(answers)]


def _replaced(node: Node, values: dict[Linked, InSets]) -> Node:
    if isinstance(node, Linked):
        return values[node]
    if isinstance(node, Not):
        return Not(_replaced(node.node, values))
    if isinstance(node, (And, Or)):
        return node._replace(nodes=tuple(_replaced(each, values) for each in node.nodes))
    return node


def _beside(
    query: Query, flow: Flow[T], witnesses: list[Seen], server_of: Callable[[Any], Any]
) -> Flow[tuple[T, bool]]:
    """Run a flow; return its result, and whether no reset replaced the linked objects before."""
    if query.schema.partitions:  # it asks several places, of which none is that of the witnesses
        result = yield from flow
        return result, (yield from _are_valid(witnesses))
    home = server_of(None)
    here = [each for each in witnesses if server_of(each[0].cls) is home]
    trips: list[None] = []
    checks: list[Flow[Any]] = [_are_those(here)] if here else []
    # In the trip of the flow: the replies come in the order of the commands.
    result, *valid = yield from together([counted(flow, trips), *checks])
    if len(trips) > 1 or len(here) < len(witnesses):
        valid = [(yield from _are_valid(witnesses))]
    return result, all(valid)


def _are_valid(witnesses: list[Seen]) -> Flow[bool]:
    """Return whether no reset has replaced the linked objects."""
    for each in witnesses:
        if not (yield Elsewhere(each[0].cls, _are_those([each]))):
            return False
    return True


def _are_those(witnesses: list[Seen]) -> Flow[bool]:
    """Return whether models have the data sets that were read."""
    spread = [each for each in witnesses if each[0].partitions]
    others = [each for each in witnesses if not each[0].partitions]
    flows: list[Flow[bool]] = [are_those(others)] if others else []
    return all((yield from together([*flows, *([_are_at(spread)] if spread else [])])))


def _are_at(witnesses: list[Seen]) -> Flow[bool]:
    """Return whether the pointers of models name the editions that were read."""
    replies = yield Batch([('GET', schema.keys.edition) for schema, _ in witnesses], shared=True)
    return all(
        _edition(text, schema) == edition
        for text, (schema, edition) in zip(replies, witnesses, strict=True)
    )


def _edition(pointer: bytes | None, schema: Schema) -> Edition:
    """Return the edition of a pointer; a model that was never written has the first one."""
    fence = Fence.of(pointer)
    return Edition(FIRST, schema.partitions) if fence is None else fence.edition
