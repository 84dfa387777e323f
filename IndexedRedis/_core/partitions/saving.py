"""Save objects of a model with partitions: all or none in each partition."""

from __future__ import annotations

from collections.abc import Sequence
from random import randrange
from typing import Any, NamedTuple

from ...errors import FieldValueError
from ..bulk.save import save_all
from ..flows import Flow
from ..mapping.schema import Schema
from ..objects.graph import children, reachable
from ..objects.state import current_bytes
from ..text import shorten
from ..writes.arguments import check_distinct
from ..writes.inserts.draws import Draw
from .asking import Make, write_shards
from .editions.fence import Edition
from .values import partition_of, partition_of_stored

__all__ = ('save_parts',)

# New objects of a list that go to one partition together: one script stores so many.
RUN = 100


def save_parts(
    schema: Schema,
    objs: Sequence[Any],
    forced: Sequence[int | None] = (),
    targets: Sequence[Any] = (),
) -> Flow[None]:
    """Store objects, those that others link to first; all or none of those in one partition.

    :param forced: for each of ``objs`` the pk to store it under, or None; empty: None for all
    :param targets: objects to store too, since links lead to them; two may have the same pk
    :raises FieldValueError: if an object would have to move to another partition
    """
    check_distinct(schema, objs, (obj._id for obj in objs))
    whole = [*targets, *objs]
    pks = [*([None] * len(targets)), *(forced or [None] * len(objs))]
    seeds = _seeds(len(whole))
    every = [
        _Item(obj, pk, seed, place < len(targets))
        for place, (obj, pk, seed) in enumerate(zip(whole, pks, seeds, strict=True))
    ]
    levels = _levels(schema, whole)
    for level in range(max(levels, default=0) + 1):
        mine = [item for item, each in zip(every, levels, strict=True) if each == level]
        yield from _save_level(schema, mine)
    if any(levels):  # links of cycles, whose targets had no pks yet
        yield from _save_level(schema, [item._replace(forced=None) for item in every])


class _Item(NamedTuple):
    """An object to store.

    :param forced: the pk to store it under, or None
    :param seed: chooses the partition, if nothing else does
    :param is_target: whether it is stored since links lead to it
    """

    obj: Any
    forced: int | None
    seed: int
    is_target: bool


def _seeds(count: int) -> list[int]:
    """Return for each new object a number that chooses its partition: equal ones in runs."""
    start = randrange(2**31)
    return [start + i // RUN for i in range(count)]


def _levels(schema: Schema, objs: Sequence[Any]) -> list[int]:
    """Return for each object how many saves must come before its own, for links among them."""
    if not schema.links:
        return [0] * len(objs)
    listed = {id(obj) for obj in objs}
    found: dict[int, int] = {}
    for obj in reachable(objs):
        before = [found[id(c)] + (id(c) in listed) for c in children(obj) if id(c) in found]
        found[id(obj)] = max(before, default=0)
    return [found[id(obj)] for obj in objs]


def _save_level(schema: Schema, items: Sequence[_Item]) -> Flow[None]:
    def makes(edition: Edition) -> dict[int, Make[None]]:
        groups: dict[int, list[_Item]] = {}
        for item in items:
            number = _partition_for(schema, item.obj, item.forced, item.seed, edition)
            groups.setdefault(number, []).append(item)
        return {number: _saver(group) for number, group in groups.items()}

    outcomes = yield from write_shards(schema, makes)
    for outcome in outcomes.values():
        _ = outcome.result


def _saver(items: Sequence[_Item]) -> Make[None]:
    given = [item for item in items if not item.is_target]
    objs, forced = [item.obj for item in given], [item.forced for item in given]
    targets = [item.obj for item in items if item.is_target]
    return lambda shard: save_all(objs, forced, targets, place=lambda obj: shard)


def _partition_for(
    schema: Schema, obj: Any, forced: int | None, seed: int, edition: Edition
) -> int:
    """Return the partition to store an object in.

    :raises FieldValueError: if its pk is of another partition than its value
    """
    pk = forced if forced is not None else obj._id
    if pk is None and obj._state.attempt is not None:
        tried = obj._state.attempt[0]
        pk = None if isinstance(tried, Draw) else tried  # of a time without partitions
    by = schema.partition_by
    if by is None or (pk is not None and not obj._state.knows(by.name)):
        return partition_of(seed if pk is None else pk, edition)
    number = partition_of_stored(by, current_bytes(obj, by, {}), edition)
    if pk is not None and partition_of(pk, edition) != number:
        value = shorten(repr(getattr(obj, by.name)))
        raise FieldValueError(
            f'{by.label} = {value}: the field decides the partition of an object, and pk {pk} is '
            'of another one. Nothing was saved. Delete the object and save a copy, which gets a pk '
            'of its own.'
        )
    return number
