"""Cascade save: linked objects are saved before the objects that link to them.

Links may form cycles, so each object is visited once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...errors import UsageError
from ..bulk.save import save_all
from ..flows import Elsewhere, Flow, chunks
from ..mapping.schema import Schema
from ..objects.changes import has_unsaved_changes
from ..objects.graph import children, knows_targets, linked, reachable, schema_of
from ..writes.arguments import check_model
from .fetching import ServerOf

__all__ = (
    'save',
    'save_each',
    'save_in_blocks',
    'save_linked',
)

# Objects of an iterator that one save stores.
BLOCK_OBJECTS = 1000


def save(
    schema: Schema,
    objs: Sequence[Any],
    forced: Sequence[int | None],
    server_of: ServerOf | None = None,
) -> Flow[list[int]]:
    """Store objects, and the linked objects that are new or changed; return the pks, in order.

    Objects of one server are stored all or none; of a model with partitions, those of one
    partition.

    :param forced: for each object the pk to store it under, or None
    :param server_of: returns the server of an object; None leaves linked objects alone
    """
    for obj in objs:
        check_model(schema, obj)
    early: list[Any] = []
    here: list[Any] = []
    if schema.links and server_of is not None:
        early, here = yield from save_linked(objs, server_of)
    yield from _store(schema, objs, forced, here)
    if not schema.links:
        return [obj._id for obj in objs]
    for obj in (*early, *here, *objs):
        for _, data in linked(obj):
            data.getPks()  # notes the pks, so that the link keeps that of a target deleted later
    if server_of is not None:
        yield from save_each(early, server_of)
    return [obj._id for obj in objs]


def _store(
    schema: Schema,
    objs: Sequence[Any] = (),
    forced: Sequence[int | None] = (),
    targets: Sequence[Any] = (),
) -> Flow[None]:
    """Return the flow that stores objects of one place, as :func:`~..bulk.save.save_all` does."""
    if schema.partitions:
        from ..partitions.saving import save_parts  # only programs that call it pay for its import

        return save_parts(schema, objs, forced, targets)
    return save_all(objs, forced, targets)


def save_in_blocks(
    schema: Schema, objs: Iterable[Any], server_of: ServerOf | None = None
) -> Flow[list[int]]:
    """Store objects as :func:`save` does, 1,000 at a time; return the pks, in order."""
    pks: list[int] = []
    for block in chunks(objs, BLOCK_OBJECTS):
        pks += yield from save(schema, block, [None] * len(block), server_of)
    return pks


def save_linked(objs: Sequence[Any], server_of: ServerOf) -> Flow[tuple[list[Any], list[Any]]]:
    """Save the linked objects that live on other servers than ``objs``, with their targets.

    In a cycle they may link to objects that have no pk yet. ``save_each`` stores these links later.

    :returns: the linked objects that were saved, and the other linked objects
    """
    if not knows_targets(objs):
        return [], []
    listed = {id(obj) for obj in objs}
    targets = [target for target in reachable(objs) if id(target) not in listed]
    home = server_of(None)
    place = _place(objs[0], home)
    early = {id(obj) for obj in reachable(t for t in targets if _at(t, server_of) is not place)}
    before = [target for target in targets if id(target) in early]
    for target in before:
        if not schema_of(target).partitions and place is home:
            _check_slots(objs[0], target, home, server_of(target))
    yield from save_each(before, server_of)
    return before, [target for target in targets if id(target) not in early]


def _at(obj: Any, server_of: ServerOf) -> Any:
    """Return what identifies the objects that one write may store together."""
    return _place(obj, server_of(obj))


def _place(obj: Any, server: Any) -> Any:
    schema = schema_of(obj)
    return schema if schema.partitions else server


def _check_slots(obj: Any, target: Any, home: Any, there: Any) -> None:
    """Check that a linked object to be saved is not in another slot of one cluster.

    :raises UsageError: if it is: the two could not be saved all or none
    """
    cluster = getattr(home, 'known', None)
    if cluster is None or there is home or getattr(there, 'known', None) is not cluster:
        return
    if has_unsaved_changes(target, False):
        names = [schema_of(each).name for each in (obj, target)]
        keys = [schema_of(each).key_name for each in (obj, target)]
        raise UsageError(
            f'{names[0]} (KEY_NAME {keys[0]!r}) links to a new or changed {names[1]} (KEY_NAME '
            f'{keys[1]!r}) in another slot of the cluster, and only what is in one slot can be '
            'saved all or none. Nothing was saved. Give both KEY_NAMEs the same tag in braces, '
            f"such as '{{shop}}{names[1]}', or save the {names[1]} first."
        )


def save_each(targets: Sequence[Any], server_of: ServerOf) -> Flow[None]:
    """Save the new and changed ones of ``targets``, given targets first, on their servers."""
    for group in _in_turn(targets, server_of):
        yield Elsewhere(group[0], _store(schema_of(group[0]), targets=group))


def _in_turn(targets: Sequence[Any], server_of: ServerOf) -> list[list[Any]]:
    """Group objects, given targets first, by place, so that targets are saved earlier."""
    servers = {id(target): _at(target, server_of) for target in targets}
    turns: dict[int, int] = {}
    groups: dict[tuple[int, int], list[Any]] = {}
    for target in targets:
        here = servers[id(target)]
        # An object comes a turn after its targets on other servers.
        after = [
            turns[id(c)] + (servers[id(c)] is not here) for c in children(target) if id(c) in turns
        ]
        turn = turns[id(target)] = max(after, default=0)
        groups.setdefault((turn, id(here)), []).append(target)
    return [groups[key] for key in sorted(groups)]
