"""Change one object that is stored as expected, in a script of its own.

It takes the server a third of the time of :func:`~.compare_and_move.compare_and_move`.
"""

from __future__ import annotations

from typing import Any

from ..flows import Batch, Flow
from ..incarnations import IS_LOST
from ..script import DENIED, ScriptPair
from .acknowledging import check_acknowledged, wait_commands
from .entry import UNIQUE, Entry, hset_arguments
from .sizes import FIELDS_IN_ONE_COMMAND

__all__ = ('update_one',)


# Update one row that is stored as expected, while no reset is under way.
# KEYS: set of all pks, record of resets, hash, record of incarnations; for each move: old and new
# index set; sorted sets.
# ARGV: pk, id of the incarnation that it was drawn under or '', number of moves and, in the same
# text, the score in each sorted set; for each move: field, expected bytes; fields and values to
# store.
# Returns 1; 0 if anything differs from the expectation, and then nothing is written.
# Bounded: one row of 500 fields (FIELDS_IN_ONE_COMMAND) and its moves, a few for each index.
UPDATE_ONE = ScriptPair(
    'update_one',
    DENIED
    + IS_LOST
    + """
- local pk, moves = ARGV[1], tonumber(ARGV[3])
+ local pk, moves, scores = ARGV[1], tonumber(string.match(ARGV[3], '^%d+')), {}
+ for score in string.gmatch(ARGV[3], ' (%S+)') do scores[#scores + 1] = score end
+ local last = #KEYS - #scores
if redis.call('EXISTS', KEYS[2]) == 1 or redis.pcall('SISMEMBER', KEYS[1], pk) ~= 1
    or is_lost(KEYS[4], ARGV[2], pk) then
  return 0
end
if moves > 0 then
  local fields = {}
  for m = 1, moves do fields[m] = ARGV[2 + 2 * m] end
  local stored = redis.pcall('HMGET', KEYS[3], unpack(fields))
  for m = 1, moves do
    if stored[m] ~= ARGV[3 + 2 * m] then return 0 end
  end
-   for k = 5, #KEYS do
+   for k = 5, last do
    local kind = redis.call('TYPE', KEYS[k]).ok
    if kind ~= 'set' and kind ~= 'none' then return 0 end
  end
elseif redis.call('TYPE', KEYS[3]).ok ~= 'hash' then
  return 0
end
+ for k = last + 1, #KEYS do
+   local kind = redis.call('TYPE', KEYS[k]).ok
+   if kind ~= 'zset' and kind ~= 'none' then return 0 end
+ end
local no = moves > 0 and denied({'SADD', KEYS[1], ''}, {'SREM', KEYS[1], ''})
+ no = no or denied({'ZADD', KEYS[1], '0', ''})
if no then return no end
redis.call('HSET', KEYS[3], unpack(ARGV, 4 + 2 * moves))
- for k = 5, #KEYS, 2 do
+ for k = 5, last, 2 do
  redis.call('SADD', KEYS[k + 1], pk)
  if KEYS[k] ~= KEYS[k + 1] then redis.call('SREM', KEYS[k], pk) end
end
+ for s = 1, #scores do redis.call('ZADD', KEYS[last + s], scores[s], pk) end
return 1
""",
)


def update_one(entry: Entry) -> Flow[bool]:
    """Write the changes of one object if the stored values are the expected ones.

    It knows no unique values.

    :returns: whether they were, and the changes are written
    """
    own, moves, scores = entry.schema.keys, list[Any](), dict[bytes, bytes]()
    if len(entry.sent) > FIELDS_IN_ONE_COMMAND:
        return False
    for column, stored, old, new, score in entry.moves():
        if score == UNIQUE:
            return False
        if score and column.name in entry.sent:  # the script stores that value
            scores[new] = score
        elif score or type(stored) is not bytes:
            return False
        else:
            moves.append((column.key, stored, old, new))
    keys = [own.all, own.record, own.data(entry.pk), own.incarnations]
    count = b' '.join([b'%d' % len(moves), *scores.values()]) if scores else len(moves)
    args: list[Any] = [entry.pk, entry.drawn, count]
    for name, stored, old, new in moves:
        keys += (old, new)
        args += (name, stored)
    script = UPDATE_ONE.of(scores)
    waits = wait_commands([entry.schema])
    command = script([*keys, *scores], *args, *hset_arguments(entry))
    done, *confirmed = yield Batch([command, *waits])
    if done:
        check_acknowledged([entry.schema], waits, confirmed)
    return bool(done)
