"""Scripts of the commonest writes: one new object, or some changed fields of one.

They do what those for many do in a third of the time, where all is as it should be; else they do
nothing and answer 0, and leave it to those to find out what is wrong.
"""

from __future__ import annotations

from .script import Script
from .writing import NOTE_TOUCHED

__all__ = ('INSERT_ONE', 'UPDATE_ONE')

_IS_SET = """
local function is_set(name)
  local found = redis.call('TYPE', name).ok
  return found == 'set' or found == 'none'
end
"""

# KEYS: set of all pks, lock of resets, note for a reset, hash; index sets. ARGV: pk; fields and
# values. Returns 1 if it was done, else 0.
INSERT_ONE = Script(
    'insert_one',
    NOTE_TOUCHED
    + _IS_SET
    + """
local pk = ARGV[1]
if redis.pcall('SISMEMBER', KEYS[1], pk) ~= 0 or redis.call('EXISTS', KEYS[4]) == 1 then
  return 0
end
for k = 5, #KEYS do
  if not is_set(KEYS[k]) then return 0 end
end
redis.call('HSET', KEYS[4], unpack(ARGV, 2))
local resetting = redis.call('EXISTS', KEYS[2]) == 1
for k = 5, #KEYS do
  redis.call('SADD', KEYS[k], pk)
  if resetting then touch(KEYS[3], KEYS[k]) end
end
redis.call('SADD', KEYS[1], pk)
return 1
""",
)

# KEYS: set of all pks, lock of resets, note for a reset, hash; for each move: old and new index
# set. ARGV: pk, number of moves, (field, stored bytes) each; fields and values. Returns 1 if it was
# done, else 0.
UPDATE_ONE = Script(
    'update_one',
    NOTE_TOUCHED
    + _IS_SET
    + """
local pk, moves = ARGV[1], tonumber(ARGV[2])
if redis.pcall('SISMEMBER', KEYS[1], pk) ~= 1 then return 0 end
if moves > 0 then
  local fields = {}
  for m = 1, moves do fields[m] = ARGV[1 + 2 * m] end
  local stored = redis.pcall('HMGET', KEYS[4], unpack(fields))
  for m = 1, moves do
    if stored[m] ~= ARGV[2 + 2 * m] then return 0 end
  end
  for k = 5, #KEYS do
    if not is_set(KEYS[k]) then return 0 end
  end
elseif redis.call('TYPE', KEYS[4]).ok ~= 'hash' then
  return 0
end
redis.call('HSET', KEYS[4], unpack(ARGV, 3 + 2 * moves))
local resetting = moves > 0 and redis.call('EXISTS', KEYS[2]) == 1
for k = 5, #KEYS, 2 do
  redis.call('SADD', KEYS[k + 1], pk)
  if resetting then touch(KEYS[3], KEYS[k + 1]) end
  if KEYS[k] ~= KEYS[k + 1] then redis.call('SREM', KEYS[k], pk) end
end
return 1
""",
)
