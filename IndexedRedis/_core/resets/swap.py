"""reset(): replace a data set while readers go on reading.

First the reset stages the new data set under names that no query reads, and fills the small index
sets (``index_fill.py``). Then one script swaps the large sets, ``:keys`` last, of one model or of
several. The length of that script hardly grows with the data, unless objects keep pks that are in
use. The old rows stay readable for a grace time, so a reader that has the old pks gets the old data
set. A record under ``:tmp:`` names all staged keys: the next reset sweeps what a killed one left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ...errors import ConflictError
from ..bulk.recovery import NOTE_MS, begin, sweep
from ..bulk.save import save_all
from ..flows import Batch, Command, Flow, Stream, chunks, with_cleanup
from ..incarnations import newest, read_incarnations
from ..keys import REPLACED
from ..links.fetching import ServerOf
from ..links.saving import save_each, save_linked
from ..locking.key_types import wrong_type
from ..locking.locks import extend_command, fence_lost_error, lock_lost_error, locked
from ..locking.transactions import objection
from ..mapping.schema import Schema
from ..objects.graph import knows_targets, reachable, schema_of
from ..writes.acknowledging import acknowledge
from .index_fill import Switch, prepare, settle_touched
from .observer import ResetObserver
from .promises import Promises
from .scripts import SWAP
from .staging import Staging, assign, claim, reserve_range, stage_batches

__all__ = ('Group', 'reset_all', 'swap')

# How often a reset claims given pks while other clients store objects under them.
CLAIMS = 20
# How often a swap is sent while other clients touch very many index sets.
SWAPS = 20
# Objects of an iterator that are in memory at a time; objects whose pks one script claims.
BLOCK = 1000

# A model and its new data set: a list, or an iterator that is read once.
Group = tuple[Schema, Iterable[Any]]


def reset_all(
    groups: Sequence[Group],
    token: bytes,
    server_of: ServerOf,
    observer: ResetObserver | None = None,
    stamp: str = '',
) -> Flow[list[list[int]]]:
    """Replace all objects of these models in one moment; return the pks of each data set, in order.

    Objects without a pk get a fresh one, in the order of the list; others keep theirs. New and
    changed linked objects of other models are saved first. New linked objects of the same models
    become part of the new data sets.

    :param token: text that no other reset has
    :param server_of: gives the server that an object lives on
    :param observer: receives the progress
    :param stamp: the value of ``mirroredAt`` for the new data
    """
    promises, observer = Promises(), observer or ResetObserver()
    stagings = [Staging(schema, objs, token, promises, observer) for schema, objs in groups]
    for staging in stagings:
        if isinstance(staging.objs, list):
            staging.check(staging.objs)

    def sweep_all(worked: bool) -> Flow[None]:
        # If this fails, the next reset sweeps; the outcome of this one stays.
        with suppress(Exception):  # after a failed reset, the connection is most likely broken
            for staging in stagings:
                known = staging.replaced if worked else None
                extend = (extend_command([staging]),)
                yield from sweep(staging.schema, staging.token, known, extend)

    flow = with_cleanup(_replace(stagings, server_of, stamp), sweep_all)
    targets = yield from locked(stagings, flow)
    # Objects that link back are saved last: their links need the new pks.
    yield from save_each(targets, server_of)
    return [staging.pks for staging in stagings]


def _replace(stagings: Sequence[Staging], server_of: ServerOf, stamp: str) -> Flow[list[Any]]:
    """Stage everything, then swap; return the linked objects that were saved meanwhile."""
    extend = extend_command(stagings)
    yield from begin(stagings)
    targets = yield from _stage_all(stagings, server_of)
    stagings[0].observer.swapping()
    switches = []
    for staging in stagings:
        switches.append((yield from prepare(staging, extend)))
    fence = stagings[0].observer.fence
    newest_of = yield from swap(switches, extend, stamp, fence)
    yield from acknowledge([staging.schema for staging in stagings])
    stagings[0].promises.confirm(newest_of)
    return targets


def _stage_all(stagings: Sequence[Staging], server_of: ServerOf) -> Flow[list[Any]]:
    extend, promises = extend_command(stagings, retake=1), stagings[0].promises
    saved: dict[int, Any] = {}
    for staging in stagings:
        if isinstance(staging.objs, list):  # so that pks are in the order of the list
            yield from assign(staging, staging.objs)
    for staging in stagings:
        for block in _blocks(staging):
            if staging.is_encoded:
                pks = yield from reserve_range(staging, len(block))
                staging.note(block, pks)
                yield from _stage(staging, [*zip(pks, block, strict=True)], extend, stagings)
                continue
            yield from assign(staging, block)
            if knows_targets(block):
                yield from _await_targets(stagings, block)
                for target in (yield from _save_targets(stagings, block, server_of)):
                    saved[id(target)] = target
            staging.note(block, [promises.pks[id(obj)] for obj in block])
            yield from _stage(staging, block, extend, stagings)
    for staging in stagings:
        yield from _stage(staging, list(staging.awaited.values()), extend, stagings)
    return list(saved.values())


def _blocks(staging: Staging) -> Iterator[list[Any]]:
    if isinstance(staging.objs, list):
        yield staging.objs
        return
    if staging.is_encoded:
        yield from staging.objs
        return
    for block in chunks(staging.objs, BLOCK):
        staging.check(block)
        yield block


def _stage(
    staging: Staging, objs: list[Any], extend: Command, stagings: Sequence[Staging]
) -> Flow[None]:
    def staged(replies: list[Any]) -> None:
        held, *others = replies
        against = objection(others)
        if not held or against == b'lost':
            raise lock_lost_error(stagings)
        if isinstance(against, list):
            raise wrong_type(staging.schema, *against)
        if against:
            raise ConflictError(
                f'{staging.schema.name}: another client stored an object under a pk that this '
                'reset had reserved. Nothing was changed by the reset; try again.'
            )

    if staging.awaited:
        for obj in objs:
            staging.awaited.pop(id(obj), None)
    # Given pks are claimed block by block. Without them, one stream stages all objects.
    for some in chunks(objs, BLOCK if staging.given else max(1, len(objs))):
        before = staging.count
        for attempt in range(CLAIMS):
            staging.count = before
            yield from claim(staging, some)
            try:
                yield Stream(stage_batches(staging, some, extend), staged)
                break
            except ConflictError:
                # Another client stored an object under a pk that this reset had reserved but not
                # claimed. That object may be deleted by the next attempt.
                if attempt == CLAIMS - 1:
                    raise


def _await_targets(stagings: Sequence[Staging], objs: Sequence[Any]) -> Flow[None]:
    """Assign pks to new linked objects of the staged models."""
    found = [target for target in reachable(objs) if target._id is None]
    for staging in stagings:
        mine = [target for target in found if staging.schema.cls._is_variant(type(target))]
        mine = [target for target in mine if id(target) not in staging.promises.pks]
        yield from assign(staging, mine)
        staging.awaited.update((id(target), target) for target in mine)


def _save_targets(
    stagings: Sequence[Staging], objs: Sequence[Any], server_of: ServerOf
) -> Flow[list[Any]]:
    """Save the linked objects of other models; return the ones that may link back."""
    early, here = yield from save_linked(objs, server_of)
    own = {staging.schema.keys.all for staging in stagings}
    others = [target for target in here if schema_of(target).keys.all not in own]
    yield from save_all((), targets=others)
    saved = [target for target in (*early, *others) if schema_of(target).keys.all not in own]
    return [target for target in saved if schema_of(target).links]


def swap(
    switches: Sequence[Switch], extend: Command, stamp: str = '', fence: bytes = b''
) -> Flow[dict[Schema, bytes]]:
    """Put staged data sets live, and drop the old index sets.

    Returns the newest incarnation of each model. As the swap has raised the counter, no later one
    tells against the pks of the data set.

    :param extend: the command that extends the locks
    :param stamp: the value of ``mirroredAt`` for the new data
    :param fence: as of :class:`ResetObserver`
    :raises ResetLostError: if a lock, or the fence, is lost
    :raises ConflictError: if other clients touch index sets faster than this flow settles them
    """
    stagings = [switch.staging for switch in switches]
    read = read_incarnations(*(staging.schema.keys for staging in stagings))
    for _ in range(SWAPS):
        outcome, listed = yield Batch([_swap_command(switches, stamp, fence), read])
        if outcome == b'done':
            for switch in switches:
                switch.staging.replaced = {*switch.drop, *switch.live}
            schemas = [staging.schema for staging in stagings]
            return dict(zip(schemas, map(newest, listed), strict=True))
        if outcome == b'fenced':
            raise fence_lost_error(stagings)
        if outcome != b'touched':
            raise lock_lost_error(stagings)
        settled = []
        for switch in switches:
            settled.append((yield from settle_touched(switch, extend)))
        switches = settled
    names = ', '.join(staging.schema.name for staging in stagings)
    raise ConflictError(
        f'{names}: during this reset other clients wrote to more index sets than the swap can '
        'clear in one moment. Nothing was changed; try again.'
    )


def _swap_command(switches: Sequence[Switch], stamp: str, fence: bytes) -> Command:
    token = switches[0].staging.token
    names: list[bytes] = []
    args: list[Any] = [token, 'swapped', stamp, len(switches)]
    # One marker for all models: a reader of linked models sees that one was replaced in place.
    marker_ms = NOTE_MS if any(switch.staging.occupied for switch in switches) else 0
    for staging, drop, live, most in switches:
        keys = staging.schema.keys
        names += (keys.lock, keys.record, keys.all, keys.work(token, REPLACED))
        names += (keys.next, keys.swapped, keys.mirrored, keys.touched, *drop)
        names += (name for key in live for name in (keys.staged(token, key), key))
        args += (len(drop), len(live), staging.highest(), marker_ms, most)
        args.append(staging.count)
    if fence:
        names += (switch.staging.schema.keys.mirror_lock for switch in switches)
        args.append(fence)
    return SWAP(names, *args)
