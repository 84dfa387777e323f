"""Scripts of reset(): claim pks, fill small index sets, swap the rest."""

from __future__ import annotations

from ..script import DENIED, Script
from ..writes.scripts import COMPARE_ROWS, CURSOR, STORE_ROWS

__all__ = ('CLAIM', 'FILL', 'LARGE', 'MERGE', 'SWAP')

# KEYS: counter, set of all pks. ARGV: prefix of data keys, highest of the pks, pks. Keeps others
# from being given one of these pks, and returns those that are in use, or whose rows are there.
CLAIM = Script(
    'claim',
    """
local taken, counter = {}, tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if tonumber(ARGV[2]) > counter then redis.call('SET', KEYS[1], ARGV[2]) end
for a = 3, #ARGV do
  local pk = ARGV[a]
  if redis.call('SISMEMBER', KEYS[2], pk) == 1 or redis.call('EXISTS', ARGV[1] .. pk) == 1 then
    taken[#taken + 1] = pk
  end
end
return taken
""",
)

# The index sets of replaced objects that may not wait until after the swap. KEYS: index sets. ARGV:
# how many members one that may wait has at most. Returns the larger ones, and what is no set.
LARGE = Script(
    'large',
    """
local large = {}
for k = 1, #KEYS do
  local size = redis.pcall('SCARD', KEYS[k])
  if type(size) == 'table' or size > tonumber(ARGV[1]) then large[#large + 1] = KEYS[k] end
end
return large
""",
)

# Before the swap: puts staged index sets into their places, which nobody sees as long as their pks
# are not among all pks. KEYS: lock, list of staged sets, set of all pks. ARGV: token, how many
# members a place may have afterwards, how many are looked at here, prefix of staged keys, prefix of
# places, what follows these. Returns {how many of them are done, places that would become larger or
# that are no sets}; nil if the lock or a staged set is lost.
FILL = Script(
    'fill',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local most, budget, large = tonumber(ARGV[2]), tonumber(ARGV[3]), {}
local function fill(staged, place)
  local size, there = redis.call('SCARD', staged), redis.pcall('SCARD', place)
  if type(there) == 'table' or size + there > most then return place end
  -- Sent again: it is off the list once it is in its place.
  if size == 0 then return redis.call('SISMEMBER', KEYS[2], staged) == 0 end
  budget = budget - size - there - 10
  if there > 0 then there = redis.call('SINTERSTORE', place, place, KEYS[3]) end
  if there > 0 then
    redis.call('SUNIONSTORE', place, place, staged)
    redis.call('UNLINK', staged)
  else
    redis.call('RENAME', staged, place)
  end
  redis.call('SREM', KEYS[2], staged)
  return true
end
for a = 6, #ARGV do
  local outcome = fill(ARGV[4] .. ARGV[a], ARGV[5] .. ARGV[a])
  if not outcome then return false end
  if outcome ~= true then large[#large + 1] = outcome end
  if budget < 0 then return {a - 5, large} end
end
return {#ARGV - 5, large}
""",
)

# KEYS: for each model: lock, record of resets, set of all pks, where that set moves, counter, note
# for readers, time stamp, index sets that writers touched meanwhile; then index sets to drop; then
# pairs of a staged key and its place.
# ARGV: token, what the record says afterwards, time stamp or nothing, number of models; for each:
# number of sets to drop, number of pairs, highest pk that was brought along, milliseconds of the
# note for readers (or 0), how many members an index set may have that was filled before (0: none
# was), how many objects the new data set has. A fenced swap has at the end of KEYS the mirror lock
# of each model, and at the end of ARGV the token that all of them must hold.
# Returns 'done' (also if it was done before), 'lost', or 'fenced' if a mirror lock is not held.
SWAP = Script(
    'swap',
    DENIED
    + """
local token, outcome, stamp, k, a = ARGV[1], ARGV[2], ARGV[3], 0, 4
local function key() k = k + 1; return KEYS[k] end
local function arg() a = a + 1; return tonumber(ARGV[a]) end
local models = {}
for g = 1, tonumber(ARGV[4]) do
  local model = {
    lock = key(), record = key(), all = key(), old = key(), counter = key(), note = key(),
    stamp = key(), touched = key(), drop = {}, moves = {}, moved = {}
  }
  local drops, moves = arg(), arg()
  model.highest, model.note_ms, model.most, model.size = arg(), arg(), arg(), arg()
  for d = 1, drops do model.drop[d] = key() end
  for m = 1, moves do model.moves[m] = {staged = key(), place = key()} end
  models[g] = model
end
if redis.call('HGET', models[1].record, token) == outcome then return 'done' end
for m = k + 1, #KEYS do
  if redis.call('GET', KEYS[m]) ~= ARGV[a + 1] then return 'fenced' end
end
for _, model in ipairs(models) do
  if redis.call('GET', model.lock) ~= token then return 'lost' end
  model.count = tonumber(redis.call('GET', model.counter) or '0') or 0
  for _, move in ipairs(model.moves) do
    if redis.call('EXISTS', move.staged) == 0 then return 'lost' end
  end
  local staged = model.moves[#model.moves] -- the set of all pks
  if staged and redis.call('SCARD', staged.staged) ~= model.size then return 'lost' end
end
-- Others have listed objects there that now are gone.
local function clear(model, name)
  if name == model.all or model.moved[name] then return end
  if model.most == 0 then
    redis.call('UNLINK', name)
  elseif redis.call('SCARD', name) > model.most then
    redis.call('SINTERSTORE', name, name, model.all)
  end
end
local function swap(model)
  redis.call('HSET', model.record, token, outcome)
  for _, name in ipairs(model.drop) do redis.call('UNLINK', name) end
  if redis.call('EXISTS', model.all) == 1 then redis.call('RENAME', model.all, model.old) end
  for _, move in ipairs(model.moves) do
    redis.call('RENAME', move.staged, move.place)
    model.moved[move.place] = true
  end
  for _, name in ipairs(redis.call('SMEMBERS', model.touched)) do clear(model, name) end
  redis.call('UNLINK', model.touched)
  if model.highest > model.count then
    redis.call('SET', model.counter, string.format('%.0f', model.highest))
  end
  if model.note_ms > 0 then redis.call('SET', model.note, token, 'PX', model.note_ms) end
  if stamp == '' then redis.call('DEL', model.stamp) else redis.call('SET', model.stamp, stamp) end
end
local one = models[1]
local no = denied(
  {'UNLINK', one.touched}, {'RENAME', one.all, one.old}, {'SET', one.note, '1'},
  {'DEL', one.stamp}, {'SINTERSTORE', one.old, one.all, one.all})
if no then return no end
for _, model in ipairs(models) do swap(model) end
return 'done'
""",
)

# What has changed of a data set, under the lock of a reset.
# KEYS: for each model: lock, note for readers, time stamp; then as of rows.
# ARGV: token, milliseconds that removed rows stay readable, milliseconds of the note, time stamp or
# nothing, number of models; then as of rows. A fenced merge has at the end of KEYS the
# mirror lock of each model, and at the end of ARGV the token that all of them must hold.
# Returns the problems; a lost lock is one. Sent again once it is done, it does nothing: others may
# have written to the same objects meanwhile.
MERGE = Script(
    'merge',
    CURSOR
    + """
local token, grace, note_ms, stamp = arg(), arg(), arg(), arg()
local notes = {}
for g = 1, tonumber(arg()) do
  local lock, note = key(), key()
  if redis.call('GET', note) == token then return {} end
  if redis.call('GET', lock) ~= token then return {{0, 'lost'}} end
  notes[g] = {note = note, stamp = key()}
end
"""
    + 'local own = token\n'
    + DENIED
    + COMPARE_ROWS
    + """
local fence, mirror_lock = arg(), key()
while mirror_lock do
  if redis.call('GET', mirror_lock) ~= fence then return {{0, 'fenced'}} end
  mirror_lock = key()
end
"""
    + """
local no = denied(
  {'SREM', notes[1].note, ''}, {'PEXPIRE', notes[1].note, '1'}, {'SET', notes[1].note, '1'},
  {'DEL', notes[1].stamp})
if no then return no end
"""
    + STORE_ROWS
    + """
local function remove(row)
  redis.call('SREM', row.model.all, row.pk)
  for m = 1, #row.moves do
    redis.call('SREM', row.moves[m].old, row.pk)
    redis.call('SREM', row.moves[m].new, row.pk)
  end
  redis.call('PEXPIRE', row.data, grace)
end
for i = 1, #rows do
  if rows[i].mode == 'remove' then remove(rows[i]) end
end
for g = 1, #notes do
  redis.call('SET', notes[g].note, token, 'PX', note_ms)
  if stamp == '' then
    redis.call('DEL', notes[g].stamp)
  else
    redis.call('SET', notes[g].stamp, stamp)
  end
end
return problems
""",
)
