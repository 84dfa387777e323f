"""Destroy a model with partitions: flip to an empty edition, then drop the old one at once."""

from __future__ import annotations

from ...bulk.recovery import begin as begin_owners
from ...flows import Flow
from ...locking.locks import LockOwner, locked
from ...mapping.schema import Schema
from .flip import flip
from .record import OLD, Flip
from .reset import drop, enter, settle_editions

__all__ = ('destroy_editions',)


def destroy_editions(schema: Schema, token: bytes) -> Flow[int]:
    """Remove all objects of a model, with their keys; return how many keys there were.

    Pointer, fences and counters stay, so that no pk and no edition is used twice.

    :param token: text that no reset has
    """
    owners = [LockOwner(schema, token)]
    return (yield from locked(owners, _empty(owners)))


def _empty(owners: list[LockOwner]) -> Flow[int]:
    (owner,) = owners
    yield from begin_owners(owners)
    flips: list[Flip] = []
    yield from enter(owner, (yield from settle_editions(owner)), flips)
    yield from flip(flips, owners, '', b'')
    return (yield from drop(owner.schema, OLD, flips[0].before, at_once=True))
