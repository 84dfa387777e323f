"""Replace the data sets of models with partitions, all of them in one moment.

A reset stages a whole new edition in every partition, then flips (``flip.py``). Objects without a
pk get fresh ones; others keep theirs. The old edition expires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from ...bulk.recovery import begin as begin_owners
from ...flows import Batch, Command, Flow, ask, chunks, with_cleanup
from ...links.fetching import ServerOf
from ...links.saving import save_each
from ...locking.locks import LockOwner, locked
from ...locking.scripts import RELEASE
from ...mapping.schema import Schema
from ...objects.graph import knows_targets, reachable, schema_of
from ...partitions.editions.fence import Edition, Fence
from ...partitions.editions.forward import confirmed_pointer
from ...partitions.editions.known import shards
from ...partitions.editions.opening import open_model
from ...partitions.editions.pointer import pointer_of
from ...partitions.editions.settling import settle
from ...partitions.layout import Shard
from ...partitions.spread import at_places
from ...writes.acknowledging import check_acknowledged, wait_commands
from ..observer import ResetObserver
from ..promises import Promises
from ..swap import Group
from .flip import apply, flip, reopen
from .record import OLD, STAGED, Flip, begin_edition, doom, forget, listed
from .retire import retire
from .staging import BLOCK, EditionStaging, assign, begin, draw, encoded, open_lost, stage

__all__ = (
    'blocks',
    'clean_up',
    'drop',
    'enter',
    'flipped',
    'reset_editions',
    'settle_editions',
    'stage_all',
)

T = TypeVar('T')

# How long a process that sleeps cannot go on with an edition that was dropped meanwhile.
BARRED_MS = 3_600_000


def reset_editions(
    groups: Sequence[Group],
    token: bytes,
    server_of: ServerOf,
    observer: ResetObserver | None = None,
    stamp: str = '',
) -> Flow[list[list[int]]]:
    """Replace all objects of these models in one moment; return the pks of each data set, in order.

    Parameters are those of :func:`~.swap.reset_all`.
    """
    promises, observer = Promises(), observer or ResetObserver()
    stagings = [EditionStaging(schema, objs, token, promises, observer) for schema, objs in groups]
    for staging in stagings:
        if isinstance(staging.objs, list):
            staging.check(staging.objs)
    owners = [staging.owner for staging in stagings]

    def fill(flips: list[Flip]) -> Flow[list[Any]]:
        for staging, owner in zip(stagings, owners, strict=True):
            before = yield from settle_editions(owner)
            staging.edition = yield from enter(owner, before, flips)
        return (yield from stage_all(stagings, owners, server_of))

    flow = flipped(stagings, owners, stamp, fill)
    targets = yield from locked(owners, flow)
    # Objects that link back are saved last: their links need the new pks.
    yield from save_each(targets, server_of)
    return [staging.pks for staging in stagings]


def flipped(
    stagings: Sequence[EditionStaging],
    owners: Sequence[LockOwner],
    stamp: str,
    fill: Callable[[list[Flip]], Flow[T]],
) -> Flow[T]:
    """Let ``fill`` stage data sets in new editions, and flip; return its result.

    The owners hold the locks.

    :param fill: gives the flow, which adds the change of each model to a list
    """
    yield from begin_owners(owners)
    flips: list[Flip] = []

    def run() -> Flow[T]:
        result = yield from fill(flips)
        stagings[0].observer.swapping()
        counts = {staging.schema: staging.count for staging in stagings}
        flips[:] = [each._replace(staged=counts[each.schema]) for each in flips]
        yield from flip(flips, owners, stamp, stagings[0].observer.fence)
        stagings[0].promises.confirm()
        return result

    return (yield from with_cleanup(run(), lambda worked: clean_up(flips, owners, worked)))


def enter(owner: LockOwner, before: Edition, flips: list[Flip]) -> Flow[Edition]:
    """Begin a new edition of a model, whose lock the owner holds; return it.

    :param before: the true edition, which is settled
    :param flips: receives the change from the true edition to the new one
    """
    after = yield from begin_edition(owner, owner.schema.partitions)
    flips.append(Flip(owner.schema, before, after))
    yield from begin(owner, before, after)
    return after


def clean_up(flips: Sequence[Flip], owners: Sequence[LockOwner], worked: bool) -> Flow[None]:
    """Drop the editions that are not true: the old ones, or the staged ones.

    :param worked: whether the flip is known to have happened
    """
    with suppress(Exception):  # the next reset does what is left
        if not worked:
            # A commit that is still on its way is refused without the locks.
            keys = [owner.schema.keys for owner in owners]
            release = [RELEASE([k.lock, k.touched, k.record], owners[0].token) for k in keys]
            yield Batch(release)
        for each in flips:
            if not each.replaces:
                continue
            pointer = Fence.of((yield from ask('GET', each.schema.keys.edition)))
            now = pointer and pointer.edition
            if not worked and now == each.after:  # another primary may not know it
                now = yield from confirmed_pointer(each.schema)
            if not worked and now != each.after:
                with suppress(Exception):  # a full server may refuse it; writers do it, too
                    yield from reopen(each, owners[0].token)
                # Somebody may have found it committed, by a primary that is gone since.
                now = yield from settle(
                    each.schema, range(each.before.partitions), writes=False, anew=True
                )
            if now == each.after:
                yield from apply(each.schema, each.before, each.after)
                yield from drop(each.schema, OLD, each.before)
            elif not worked:
                yield from drop(each.schema, STAGED, each.after)


def drop(
    schema: Schema, state: bytes, edition: Edition, at_once: bool = False, barred: bool = False
) -> Flow[int]:
    """Drop an edition that the record lists; return how many keys it had.

    :param at_once: remove an old one at once: no reader may end
    :param barred: keep its process, which may only sleep, from staging it when it wakes up
    :raises NotAcknowledgedError: if too few replicas confirm a step; then the record still lists it
    """
    at_once = at_once or state == STAGED
    if at_once:  # so that nobody stages any more, and no reader takes it for whole
        taking: list[tuple[bytes, list[Command]]] = [
            (s.keys.fence, [_taken(s, barred), ('UNLINK', s.keys.edition), *wait_commands([s])])
            for s in shards(schema, edition)
        ]
        for replies in (yield from at_places(taking)):
            check_acknowledged([schema], wait_commands([schema]), replies)
    count = yield from retire(schema, edition, at_once)
    yield from forget(schema, edition)
    return count


def _taken(shard: Shard, barred: bool) -> Command:
    """Return the command that takes the lock of a partition from who stages there."""
    lock = shard.keys.lock
    return ('SET', lock, b'', 'PX', BARRED_MS) if barred else ('UNLINK', lock)


def settle_editions(owner: LockOwner) -> Flow[Edition]:
    """Return the true edition, once all fences agree and what dead resets left is dropped.

    :param owner: who holds the lock of the model
    :raises ResetLostError: if the lock is lost
    """
    schema = owner.schema
    edition = (yield from pointer_of(schema, anew=True)) or (yield from open_model(schema))
    yield from open_lost(schema, edition)
    edition = yield from settle(schema, range(edition.partitions), writes=True, anew=True)
    for state, each in (yield from listed(schema)):
        if each == edition:
            continue
        if state == OLD:
            yield from apply(schema, each, edition)
        else:
            yield from doom(owner, each)
        yield from drop(schema, state, each, barred=state == STAGED)
    return edition


def stage_all(
    stagings: Sequence[EditionStaging], owners: Sequence[LockOwner], server_of: ServerOf
) -> Flow[list[Any]]:
    """Stage all data sets; return the objects of other models that were saved meanwhile."""
    promises = stagings[0].promises
    saved: dict[int, Any] = {}
    for staging in stagings:
        if isinstance(staging.objs, list):  # so that links may lead to later objects
            yield from assign(staging, staging.objs)
    for staging in stagings:
        for block in blocks(staging):
            if staging.is_encoded:
                pks = yield from draw(staging, block)
            else:
                yield from assign(staging, block)
                if knows_targets(block):
                    for target in (yield from _link(stagings, block, server_of)):
                        saved[id(target)] = target
                pks = [promises.pks[id(obj)] for obj in block]
                for obj in block:
                    staging.awaited.pop(id(obj), None)
            staging.note(block, pks)
            yield from stage(staging, encoded(staging, block), pks, owners)
    for staging in stagings:
        awaited = [*staging.awaited.values()]
        pks = [promises.pks[id(obj)] for obj in awaited]
        yield from stage(staging, encoded(staging, awaited), pks, owners)
    return [target for target in saved.values() if schema_of(target).links]


def blocks(staging: EditionStaging) -> Iterator[Sequence[Any]]:
    """Yield the data set of a model in parts that are in memory at a time."""
    if staging.is_encoded:
        for rows in staging.objs:
            yield from chunks(rows, BLOCK)
        return
    for block in chunks(staging.objs, BLOCK):
        if not isinstance(staging.objs, list):
            staging.check(block)
        yield block


def _link(
    stagings: Sequence[EditionStaging], block: Sequence[Any], server_of: ServerOf
) -> Flow[list[Any]]:
    """Assign pks to new linked objects of the staged models; save those of others, return them."""
    own = {staging.schema.keys.all: staging for staging in stagings}
    others = []
    for target in reachable(block):
        staging = own.get(schema_of(target).keys.all)
        if staging is None:
            others.append(target)
        elif target._id is None and id(target) not in staging.promises.pks:
            yield from assign(staging, [target])
            staging.awaited[id(target)] = target
    yield from save_each(others, server_of)
    return others
