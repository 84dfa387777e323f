"""Settle which edition is true: whoever finds the one that it knows outdated, or a fence that tells
otherwise, does it. That is idempotent, and anybody may do it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ....errors import ResetInProgressError
from ...flows import Batch, Flow, Pause
from ...mapping.schema import Schema
from ..layout import Shard, lost
from ..spread import at_places
from .fence import Edition, Fence
from .forward import advance, confirmed_pointer, fences_of, roll_forward
from .known import FIRST, known, learn, shards
from .opening import reopen
from .pointer import BY, check_by, edition_of
from .scripts import REPLACE

__all__ = ('settle',)

# How long writers wait for a flip that is about to be committed, and how long between two looks.
WAIT_SECONDS = 15.0
PAUSE_SECONDS = 0.01


def settle(
    schema: Schema, numbers: Collection[int], writes: bool, anew: bool = False
) -> Flow[Edition]:
    """Learn the true edition; set pointer and fences forward where they lag behind.

    :param numbers: partitions of the edition that this process knows, whose fences told otherwise
    :param writes: wait until these may be written
    :param anew: as of :func:`pointer_of`
    :raises ResetInProgressError: if a prepared flip is not committed for too long
    :raises NotAcknowledgedError: if too few replicas confirm what the pointer says
    :raises PartitionLostError: if a partition has no fence
    """
    waited = 0.0
    while True:
        asked = known(schema) or Edition(FIRST, schema.partitions)
        places = shards(schema, asked, [n for n in numbers if n < asked.partitions])
        # The fences first: whoever has closed one has the lock behind that look, or lost it for
        # ever.
        texts = yield from fences_of(places)
        keys = schema.keys
        read = ('GET', keys.lock), ('GET', keys.edition), ('HGET', keys.editions, BY)
        token, text, by = yield Batch(read)
        if text is None:
            return (yield from reopen(schema, writes))
        if not anew:
            check_by(schema, by)
        edition = edition_of(schema, text)
        fences = [_fence(shard, found) for shard, found in zip(places, texts, strict=True)]
        latest = max((fence.edition for fence in fences), default=edition)
        if latest > edition:
            edition = yield from roll_forward(schema, latest)
        learn(schema, edition)
        pairs = list(zip(places, fences, strict=True))
        if not writes or not (yield from _settle_fences(schema, edition, token, pairs)):
            return edition
        if waited >= WAIT_SECONDS:
            raise ResetInProgressError(
                f'{schema.name}: a reset is about to go live and did not within '
                f'{WAIT_SECONDS:.0f} s. Nothing was written; try again later.'
            )
        yield Pause(PAUSE_SECONDS)
        waited += PAUSE_SECONDS


def _fence(shard: Shard, text: bytes | None) -> Fence:
    fence = Fence.of(text)
    if fence is None:
        raise lost(shard)
    return fence


def _settle_fences(
    schema: Schema, edition: Edition, token: bytes | None, fences: Sequence[tuple[Shard, Fence]]
) -> Flow[bool]:
    """Open fences for the true edition; return whether to settle again, after a while.

    That is so while a flip is under way, and if the pointer did not last.

    :param token: who held the lock of the model behind the look at the fences
    """
    waits, behind, given_up = False, list[Shard](), list[tuple[Shard, Fence]]()
    for shard, fence in fences:
        if fence.edition < edition:
            behind.append(shard)
        elif fence.following is not None and fence.token == token:
            waits = True
        elif fence.following is not None:
            given_up.append((shard, fence))  # its owner has lost the lock, so it never commits
    if behind:
        if schema.acknowledged_by and (yield from confirmed_pointer(schema)) != edition:
            return True
        yield from advance(behind, edition)
    if given_up:
        yield from at_places(
            [
                (s.keys.fence, [REPLACE([s.keys.fence], fence.text(), fence.edition.text())])
                for s, fence in given_up
            ]
        )
    return waits
