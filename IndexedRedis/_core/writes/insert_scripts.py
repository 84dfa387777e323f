"""The script that stores new objects, each row packed into one argument (see ``encoder.py``)."""

from __future__ import annotations

from ..script import Script
from .scripts import NOTE_TOUCHED

__all__ = (
    'INSERT',
    'INSERT_ONE',
    'UPDATE_ONE',
)


# A cursor over KEYS and ARGV; what stores a packed row, and what fills a set.
_STORE = """
local k, a = 0, 0
local function key() k = k + 1; return KEYS[k] end
local function arg() a = a + 1; return ARGV[a] end
local function in_thousands(first, last, call)
  for start = first, last, 1000 do call(start, math.min(start + 999, last)) end
end
local function store(data, packed)
  local pairs = cmsgpack.unpack(packed)
  for i = 1, #pairs, 1000 do
    redis.call('HSET', data, unpack(pairs, i, math.min(i + 999, #pairs)))
  end
end
local function fill(name, first, last)
  in_thousands(first, last, function(i, j) redis.call('SADD', name, unpack(ARGV, i, j)) end)
end
-- Index sets: their keys, and in ARGV for each the number of its members and these.
local function read_sets(count)
  local sets = {}
  for s = 1, count do
    local size = tonumber(arg())
    sets[s] = {name = key(), first = a + 1, last = a + size}
    a = a + size
  end
  return sets
end
"""

# New objects of one or several models, under pks that nobody else should have.
# KEYS: for each model: set of all pks, lock of resets, note for a reset; hashes; index sets.
# ARGV: number of models; for each: number of objects, of index sets, pks, packed rows; for each
# index set: number of members, members. Returns 1; or 0 and does nothing where a pk, a row or a set
# is not as it should be.
INSERT = Script(
    'insert',
    NOTE_TOUCHED
    + _STORE
    + """
local models = {}
for g = 1, tonumber(arg()) do
  local model = {all = key(), lock = key(), touched = key(), count = tonumber(arg())}
  local sets = tonumber(arg())
  model.pks, model.rows, model.hashes = a, a + model.count, k
  k, a = k + model.count, a + 2 * model.count
  model.sets = read_sets(sets)
  models[g] = model
end
local function is_set(name)
  local found = redis.call('TYPE', name).ok
  return found == 'set' or found == 'none'
end
local function is_free(model)
  local free = is_set(model.all)
  for _, set in ipairs(model.sets) do free = free and is_set(set.name) end
  if not free then return false end
  in_thousands(1, model.count, function(i, j)
    local pks, rows = model.pks, model.hashes
    for _, used in ipairs(redis.call('SMISMEMBER', model.all, unpack(ARGV, pks + i, pks + j))) do
      free = free and used == 0
    end
    free = free and redis.call('EXISTS', unpack(KEYS, rows + i, rows + j)) == 0
  end)
  return free
end
for _, model in ipairs(models) do
  if not is_free(model) then return 0 end
end
for _, model in ipairs(models) do
  for i = 1, model.count do store(KEYS[model.hashes + i], ARGV[model.rows + i]) end
  local resetting = redis.call('EXISTS', model.lock) == 1
  for _, set in ipairs(model.sets) do
    fill(set.name, set.first, set.last)
    if resetting then touch(model.touched, set.name) end
  end
  fill(model.all, model.pks + 1, model.pks + model.count)
end
return 1
""",
)


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
