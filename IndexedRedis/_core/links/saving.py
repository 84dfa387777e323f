"""Following links: to fetch, one trip for each level and server; to save, children first.

Links may form circles, so each object is visited once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..bulk.save import save_all
from ..flows import Elsewhere, Flow, chunks
from ..mapping.schema import Schema
from ..objects.graph import children, linked, reachable
from ..writes.arguments import check_model
from .fetching import ServerOf

__all__ = (
    'save',
    'save_each',
    'save_in_blocks',
    'save_linked',
)

# Objects of an iterator that are saved at a time.
BLOCK_OBJECTS = 1000


def save(
    schema: Schema,
    objs: Sequence[Any],
    forced: Sequence[int | None],
    server_of: ServerOf | None = None,
) -> Flow[list[int]]:
    """Store all of ``objs``, or none; and what they link to, if that is new or changed.

    :param forced: for each object the pk to store it under, or None
    :param server_of: gives the server that an object lives on; None leaves linked objects alone
    :returns: the pks, in order
    """
    for obj in objs:
        check_model(schema, obj)
    early: list[Any] = []
    here: list[Any] = []
    if not schema.links:
        yield from save_all(objs, forced)
        return [obj._id for obj in objs]
    if server_of is not None:
        early, here = yield from save_linked(objs, server_of)
    yield from save_all(objs, forced, here)
    for obj in (*early, *here, *objs):
        for _, data in linked(obj):
            data.getPks()  # picks them up: should a target be deleted later, the link is to its pk
    if server_of is not None:
        yield from save_each(early, server_of)
    return [obj._id for obj in objs]


def save_in_blocks(
    schema: Schema, objs: Iterable[Any], server_of: ServerOf | None = None
) -> Flow[list[int]]:
    """As :func:`save`, a thousand objects after the other; returns the pks, in order."""
    pks: list[int] = []
    for block in chunks(objs, BLOCK_OBJECTS):
        pks += yield from save(schema, block, [None] * len(block), server_of)
    return pks


def save_linked(objs: Sequence[Any], server_of: ServerOf) -> Flow[tuple[list[Any], list[Any]]]:
    """Save the linked objects that live on other servers than ``objs``, and what they lead to.

    In a circle they may link to objects that have no pk yet: once those have, ``save_each`` stores
    such links.

    :returns: those that were saved, and the others
    """
    if not any(model._validated().links for model in {type(obj) for obj in objs}):
        return [], []
    listed = {id(obj) for obj in objs}
    targets = [target for target in reachable(objs) if id(target) not in listed]
    home = server_of(None)
    early = {id(obj) for obj in reachable(t for t in targets if server_of(t) is not home)}
    before = [target for target in targets if id(target) in early]
    yield from save_each(before, server_of)
    return before, [target for target in targets if id(target) not in early]


def save_each(targets: Sequence[Any], server_of: ServerOf) -> Flow[None]:
    """Save what is new or changed of ``targets``, children first, each where it lives."""
    for group in _in_turn(targets, server_of):
        yield Elsewhere(group[0], save_all((), targets=group))


def _in_turn(targets: Sequence[Any], server_of: ServerOf) -> list[list[Any]]:
    """Group objects, given children first, by server, so that those linked to are saved earlier."""
    servers = {id(target): server_of(target) for target in targets}
    turns: dict[int, int] = {}
    groups: dict[tuple[int, int], list[Any]] = {}
    for target in targets:
        here = servers[id(target)]
        # One more for each change of servers on the way.
        after = [
            turns[id(c)] + (servers[id(c)] is not here) for c in children(target) if id(c) in turns
        ]
        turn = turns[id(target)] = max(after, default=0)
        groups.setdefault((turn, id(here)), []).append(target)
    return [groups[key] for key in sorted(groups)]
