"""The record of editions: those that are being staged, and those that are to be dropped.

It is a hash in the home slot of a model: number of an edition -> ``staged``, ``doomed`` or ``old``,
and over how many partitions; ``last`` -> the highest number that any edition has had; ``by`` -> the
field that spreads the objects of the true edition. The next reset, ``repair()`` or
``destroyModel()`` finishes what a dead process left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...flows import Batch, Command, Flow, ask
from ...keys import Keys
from ...locking.locks import LockOwner, lock_lost_error
from ...mapping.schema import Schema
from ...partitions.editions.fence import Edition
from ...partitions.editions.pointer import by_of
from ...script import DENIED, Script
from ...writes.acknowledging import NOT_REPLACED, check_acknowledged, wait_commands

__all__ = ('OLD', 'STAGED', 'Flip', 'begin_edition', 'commit_command', 'doom', 'forget', 'listed')

# What the record says of an edition.
STAGED = b'staged'
DOOMED = b'doomed'  # it was staged, and is never going to be true
OLD = b'old'

# Enter an edition that is going to be staged. Its number is above all that were ever used: a
# process that has lost the lock may go on with the edition that it has begun.
# KEYS: lock, pointer, record of editions.
# ARGV: token, number of partitions.
# Returns its number; nil without the lock.
# Bounded: the editions on record, a handful.
BEGIN_EDITION = Script(
    'begin_edition',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local last = tonumber(string.match(redis.call('GET', KEYS[2]) or '0', '^%d+')) or 0
last = math.max(last, tonumber(redis.call('HGET', KEYS[3], 'last') or '0') or 0)
for _, number in ipairs(redis.call('HKEYS', KEYS[3])) do
  last = math.max(last, tonumber(number) or 0)
end
local number = string.format('%.0f', last + 1)
redis.call('HSET', KEYS[3], number, 'staged ' .. ARGV[2], 'last', number)
return last + 1
""",
)

# Settle that a staged edition never becomes true, so that it can be dropped.
# KEYS: lock, record of editions.
# ARGV: token, number of the edition, over how many partitions.
# Returns 1; 0 without the lock, and then nothing is changed.
# Bounded: two commands.
DOOM = Script(
    'doom_edition',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], 'doomed ' .. ARGV[3])
return 1
""",
)

# Make staged editions true, of all models in one moment. The record then lists the old ones. Of a
# model whose new pointer is the expected one, only the time stamp is set.
# KEYS: for each model: lock, pointer, record of editions, time stamp, mirror lock.
# ARGV: token, time stamp or nothing, the token that all mirror locks must hold or nothing; for each
# model: the expected pointer, the new one, number of the old edition, its partitions, number of the
# new edition; for each model: the field that spreads its objects, or nothing.
# Returns 'done' (also if it was done before); 'lost' if a lock is lost, or an edition is not on
# record as staged; 'fenced' if a mirror lock does not hold its token; 'moved' if a pointer has
# another value.
# Bounded: ten commands for each model of one call, such as resetMany().
COMMIT = Script(
    'commit_edition',
    DENIED
    + """
local stamp, fence, flips, done = ARGV[2], ARGV[3], 0, 0
local function flipped(k) return ARGV[k + 3] ~= ARGV[k + 4] end
for k = 1, #KEYS, 5 do
  if flipped(k) then
    flips = flips + 1
    if redis.call('GET', KEYS[k + 1]) == ARGV[k + 4] then done = done + 1 end
  end
end
if flips > 0 and done == flips then return 'done' end
for k = 1, #KEYS, 5 do
  if redis.call('GET', KEYS[k]) ~= ARGV[1] then return 'lost' end
  local staged = 'staged ' .. string.match(ARGV[k + 4], '%d+$')
  if flipped(k) and redis.call('HGET', KEYS[k + 2], ARGV[k + 7]) ~= staged then return 'lost' end
  if fence ~= '' and redis.call('GET', KEYS[k + 4]) ~= fence then return 'fenced' end
  if redis.call('GET', KEYS[k + 1]) ~= ARGV[k + 3] then return 'moved' end
end
local no = denied({'SET', KEYS[4], ''}, {'DEL', KEYS[4]}, {'HDEL', KEYS[3], ''})
if no then return no end
for k = 1, #KEYS, 5 do
  if flipped(k) then
    redis.call('HSET', KEYS[k + 2], ARGV[k + 5], 'old ' .. ARGV[k + 6])
    redis.call('HDEL', KEYS[k + 2], ARGV[k + 7])
    redis.call('HSET', KEYS[k + 2], 'by', ARGV[3 + #KEYS + (k + 4) / 5])
    redis.call('SET', KEYS[k + 1], ARGV[k + 4])
  end
  if stamp == '' then redis.call('DEL', KEYS[k + 3]) else redis.call('SET', KEYS[k + 3], stamp) end
end
return 'done'
""",
)


class Flip(NamedTuple):
    """The change of one model from an edition to another.

    :param before: the edition that is true
    :param after: the one that is staged; or ``before``: only the time stamp of its data changes
    :param staged: how many objects
    """

    schema: Schema
    before: Edition
    after: Edition
    staged: int = 0

    @property
    def replaces(self) -> bool:
        """Whether another edition becomes true."""
        return self.after != self.before


def begin_edition(owner: LockOwner, count: int) -> Flow[Edition]:
    """Enter a new edition in the record; return it.

    :param owner: who holds the lock of the model
    :param count: the number of its partitions
    :raises ResetLostError: if the lock is lost
    :raises NotAcknowledgedError: if too few replicas confirm it
    """
    keys, waits = owner.schema.keys, wait_commands([owner.schema])
    names = [keys.lock, keys.edition, keys.editions]
    number, *confirmed = yield Batch([BEGIN_EDITION(names, owner.token, count), *waits])
    if number is None:
        raise lock_lost_error([owner])
    check_acknowledged([owner.schema], waits, confirmed, NOT_REPLACED)
    return Edition(number, count)


def doom(owner: LockOwner, edition: Edition) -> Flow[None]:
    """Settle that a staged edition never becomes true.

    :param owner: who holds the lock of the model
    :raises ResetLostError: if the lock is lost
    :raises NotAcknowledgedError: if too few replicas confirm it
    """
    keys, waits = owner.schema.keys, wait_commands([owner.schema])
    command = DOOM([keys.lock, keys.editions], owner.token, *edition)
    done, *confirmed = yield Batch([command, *waits])
    if not done:
        raise lock_lost_error([owner])
    check_acknowledged([owner.schema], waits, confirmed, NOT_REPLACED)


def commit_command(flips: Sequence[Flip], token: bytes, stamp: str, fence: bytes) -> Command:
    """Return the command that makes staged editions true.

    :param stamp: the value of ``mirroredAt`` for the new data
    :param fence: as of :class:`ResetObserver`
    """
    names, args = list[bytes](), [token, stamp.encode('utf-8'), fence]
    for schema, before, after, _ in flips:
        names += _names(schema.keys)
        args += (before.text(), after.text(), *before.text().split(), b'%d' % after.number)
    return COMMIT(names, *args, *(by_of(schema) for schema, *_ in flips))


def _names(keys: Keys) -> tuple[bytes, ...]:
    return keys.lock, keys.edition, keys.editions, keys.mirrored, keys.mirror_lock


def listed(schema: Schema) -> Flow[list[tuple[bytes, Edition]]]:
    """Return what the record lists: of each edition whether it is ``OLD`` or ``STAGED``."""
    pairs = yield from ask('HGETALL', schema.keys.editions)
    items = pairs.items() if isinstance(pairs, dict) else zip(pairs[::2], pairs[1::2], strict=True)
    found = []
    for number, text in items:
        state, _, count = text.partition(b' ')
        if number.isdigit() and count.isdigit() and state in (STAGED, DOOMED, OLD):
            found.append((OLD if state == OLD else STAGED, Edition(int(number), int(count))))
    return found


def forget(schema: Schema, edition: Edition) -> Flow[None]:
    """Take an edition off the record: nothing of it is left."""
    yield from ask('HDEL', schema.keys.editions, edition.number)
