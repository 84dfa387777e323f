"""Make staged editions true: prepare every partition, commit in the home slot, apply everywhere.

While a flip is prepared, writers wait, so none writes to an edition that stops being true. Readers
do not wait. Whoever finds a flip committed or given up settles the fences
(``partitions.editions.settling``).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ....errors import ConflictError
from ...flows import Batch, Command, Flow
from ...locking.locks import LockOwner, extend_command, fence_lost_error, lock_lost_error
from ...locking.scripts import GIVE_UP
from ...mapping.schema import Schema
from ...partitions.editions.fence import Edition, Fence
from ...partitions.editions.known import learn, shards
from ...partitions.editions.scripts import ADVANCE, REPLACE
from ...partitions.layout import Shard
from ...partitions.spread import at_places
from ...script import Script
from ...writes.acknowledging import NOT_REPLACED, check_acknowledged, wait_commands
from .record import Flip, commit_command
from .retire import KEPT_MS

__all__ = ('apply', 'flip', 'reopen')

# Close a fence for writes, until a flip is committed or given up.
# KEYS: fence.
# ARGV: its new value, number of the edition that is true, number of the one to follow.
# Returns the new value; the present one if it tells a later edition, or that one is to follow, and
# then it stays: a later reset has the lock.
# Bounded: two commands.
PREPARE = Script(
    'prepare_flip',
    """
local found = redis.call('GET', KEYS[1]) or ''
local number = tonumber(string.match(found, '^%d+')) or 0
local following = tonumber(string.match(found, '>(%d+)')) or 0
if number > tonumber(ARGV[2]) or following > tonumber(ARGV[3]) then return found end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
""",
)

# Mark that a partition has a whole staged edition, and give its lock to writers.
# KEYS: fence, mark, lock and set of all pks of the edition in the partition.
# ARGV: the value of the fence of the flip, token of the reset.
# Returns how many pks it has (also if it was done before); -1 if another reset has dropped the
# edition.
# Bounded: six commands.
MARK = Script(
    'mark_edition',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('GET', KEYS[3]) == ARGV[2] then
  redis.call('SET', KEYS[2], '1')
  redis.call('UNLINK', KEYS[3])
end
return redis.call('EXISTS', KEYS[2]) == 1 and redis.call('SCARD', KEYS[4]) or -1
""",
)


def flip(
    flips: Sequence[Flip], owners: Sequence[LockOwner], stamp: str, fence: bytes
) -> Flow[None]:
    """Make staged editions true, of all models in one moment.

    :param flips: also of models that keep their edition and get another time stamp
    :param owners: who holds the locks of the models
    :param stamp: the value of ``mirroredAt`` for the new data
    :param fence: as of :class:`ResetObserver`
    :raises ResetLostError: if a lock, or the fence, is lost
    :raises ConflictError: if another edition became true meanwhile
    :raises NotAcknowledgedError: if too few replicas confirm a step
    """
    token = owners[0].token
    yield from _hold_for_good(owners)
    changed = [each for each in flips if each.replaces]
    for each in changed:
        yield from _prepare(each, token)
    # The wait goes out with the commit: another primary may have taken over behind it.
    schemas = [each.schema for each in flips]
    waits = wait_commands(schemas)
    outcome, *confirmed = yield Batch([commit_command(flips, token, stamp, fence), *waits])
    if outcome == b'fenced':
        raise fence_lost_error(owners)
    if outcome == b'lost':
        raise lock_lost_error(owners)
    if outcome == b'moved':
        raise _moved(flips[0].schema)
    check_acknowledged(schemas, waits, confirmed)
    with suppress(Exception):  # the new data is live; whoever meets a fence or mark applies it
        for each in changed:
            yield from apply(each.schema, each.before, each.after)


def _hold_for_good(owners: Sequence[LockOwner]) -> Flow[None]:
    """Extend the locks a last time: one that expires is not taken again.

    Whoever finds a closed fence opens it if its lock has expired, so it must stay so.
    """
    token = owners[0].token
    keys = [owner.schema.keys for owner in owners]
    ending = [GIVE_UP([each.lock, each.record], token, token) for each in keys]
    *_, held = yield Batch([*ending, extend_command(owners)])
    if not held:
        raise lock_lost_error(owners)


def _prepare(each: Flip, token: bytes) -> Flow[None]:
    schema, before, after, staged = each
    closed, numbers = Fence(before, after, token).text(), (before.number, after.number)
    closing: list[tuple[bytes, list[Command]]] = [
        (
            shard.keys.fence,
            [PREPARE([shard.keys.fence], closed, *numbers), *wait_commands([shard])],
        )
        for shard in _places(schema, before, after)
    ]
    for found, *confirmed in (yield from at_places(closing)):
        _check(schema, confirmed)
        if found != closed:
            raise _moved(schema)
    marking: list[tuple[bytes, list[Command]]] = []
    for shard in shards(schema, after):
        keys = shard.keys
        names = [keys.fence, keys.edition, keys.lock, keys.all]
        marking.append((names[0], [MARK(names, closed, token), *wait_commands([shard])]))
    sizes = []
    for size, *confirmed in (yield from at_places(marking)):
        _check(schema, confirmed)
        sizes.append(size)
    # A primary that took over meanwhile may lack rows.
    if min(sizes) < 0 or sum(sizes) != staged:
        raise lock_lost_error([LockOwner(schema, token)])


def _check(schema: Schema, confirmed: Sequence[object]) -> None:
    check_acknowledged([schema], wait_commands([schema]), confirmed, NOT_REPLACED)


def _places(schema: Schema, before: Edition, after: Edition) -> list[Shard]:
    """Return a shard for each fence of two editions."""
    found = {shard.keys.fence: shard for shard in shards(schema, after)}
    found.update((shard.keys.fence, shard) for shard in shards(schema, before))
    return [*found.values()]


def apply(schema: Schema, before: Edition, after: Edition) -> Flow[None]:
    """Open the partitions for an edition that has become true; readers soon leave the other.

    Idempotent.
    """
    opened = after.text()
    opening: list[tuple[bytes, list[Command]]] = [
        (shard.keys.fence, [ADVANCE([shard.keys.fence], opened, after.number)])
        for shard in _places(schema, before, after)
    ]
    leaving = [
        (shard.keys.fence, [('PEXPIRE', shard.keys.edition, KEPT_MS)])
        for shard in shards(schema, before)
    ]
    yield from at_places([*opening, *leaving])
    learn(schema, after)


def reopen(each: Flip, token: bytes) -> Flow[None]:
    """Open the partitions for the edition that is still true: the flip is not going to happen."""
    schema, before, after, _ = each
    closed, opened = Fence(before, after, token).text(), before.text()
    yield from at_places(
        [
            (shard.keys.fence, [REPLACE([shard.keys.fence], closed, opened)])
            for shard in _places(schema, before, after)
        ]
    )


def _moved(schema: Schema) -> ConflictError:
    return ConflictError(
        f'{schema.name}: another reset, or a failover, changed the edition meanwhile. Nothing was '
        'replaced by this reset; try again.'
    )
