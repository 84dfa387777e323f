"""Scripts of reset(): claim pks, fill small index sets, swap the rest."""

from __future__ import annotations

from ..script import DENIED, Script, ScriptPair
from ..writes.scripts import CURSOR, MAY_WRITE_ROWS, STORE_ROWS

__all__ = ('CLAIM', 'FILL', 'LARGE', 'MERGE', 'SWAP')

# Claim given pks: raise the counter to the highest, so that no other object gets one of them.
# KEYS: counter, set of all pks.
# ARGV: prefix of data keys, highest of the pks, pks.
# Returns the pks that are listed, or whose rows exist.
# Bounded: 1,000 pks (BLOCK in swap.py).
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

# Find the index sets that are too large to lose their old pks after the swap.
# KEYS: index sets.
# ARGV: number of members of the largest set that is small.
# Returns the larger sets, and keys of other types.
# Bounded: 1,000 sets (PAGE in destroy.py), or those of 200 rows (PAGE_MEMBERS).
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

# Add staged index sets to the index sets that queries read. The new pks show in no result until the
# swap puts them into the set of all pks.
# KEYS: lock, names of staged sets, set of all pks.
# ARGV: token, largest number of members that an index set may have afterwards, budget of members
# (each set costs ten more), prefix of staged keys, prefix of keys of the model, for each set the
# rest of its name.
# Returns {number of sets that are done, index sets that are left to the swap: they would become too
# large, or are not sets}; nil if the lock or a staged set is lost.
# Bounded: 200 sets (PAGE_MEMBERS), and a budget of 2,000 members (AT_ONCE), which the last set may
# exceed by 1,000 (MOST).
FILL = Script(
    'fill',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local most, budget, large = tonumber(ARGV[2]), tonumber(ARGV[3]), {}
local function fill(staged, target)
  local size, there = redis.call('SCARD', staged), redis.pcall('SCARD', target)
  if type(there) == 'table' or size + there > most then return target end
  -- If the script was sent twice, this set is done and its name is removed.
  if size == 0 then return redis.call('SISMEMBER', KEYS[2], staged) == 0 end
  budget = budget - size - there - 10
  if there > 0 then there = redis.call('SINTERSTORE', target, target, KEYS[3]) end
  if there > 0 then
    redis.call('SUNIONSTORE', target, target, staged)
    redis.call('UNLINK', staged)
  else
    redis.call('RENAME', staged, target)
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

# Put staged data sets live, in one moment: replace the set of all pks, and the index sets that FILL
# left to the swap.
# KEYS: for each model: lock, record of resets, set of all pks, key to move that set to, counter,
# swap marker, time stamp, touched index sets; index sets and sorted sets to drop; pairs of a staged
# key and the key that it replaces, the set of all pks last. A fenced swap adds the mirror lock of
# each model.
# ARGV: token, new state in the record, time stamp or nothing, number of models; for each model:
# number of sets to drop, number of pairs, highest pk of the data set, milliseconds of the swap
# marker (0: no marker), largest number of members of an index set that FILL filled (0: it filled
# none), number of objects. A fenced swap adds the token that all mirror locks must hold.
# Returns 'done' (also if the swap was done before); 'lost' if a lock, a staged key or an object is
# missing; 'fenced' if a mirror lock does not hold the token; 'touched' if a model has more than
# 1,000 touched index sets.
# Bounded: the number of dropped and moved keys, a few microseconds each (those of sorted sets and
# large index sets; where objects keep pks in use, all index sets and a row for each such object),
# and 1,000 touched index sets of each model.
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
  for m = 1, moves do model.moves[m] = {staged = key(), target = key()} end
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
  local staged = model.moves[#model.moves]
  if staged and redis.call('SCARD', staged.staged) ~= model.size then return 'lost' end
  if redis.call('SCARD', model.touched) > 1000 then return 'touched' end
end
-- Writers added pks of the old data set to these sets during the reset.
local function clear(model, name)
  if name == model.all or model.moved[name] then return end
  local size = redis.pcall('SCARD', name)
  if model.most == 0 then
    redis.call('UNLINK', name)
  elseif type(size) == 'number' and size > model.most then
    redis.call('SINTERSTORE', name, name, model.all)
  end
end
local function swap(model)
  redis.call('HSET', model.record, token, outcome)
  for _, name in ipairs(model.drop) do redis.call('UNLINK', name) end
  if redis.call('EXISTS', model.all) == 1 then redis.call('RENAME', model.all, model.old) end
  for _, move in ipairs(model.moves) do
    redis.call('RENAME', move.staged, move.target)
    model.moved[move.target] = true
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

# Write all changes of data sets in one moment, under the locks of a reset. If the script was sent
# twice, the second run changes nothing: others may have written to the same objects meanwhile.
# KEYS: for each model: lock, swap marker, time stamp, set of all pks, set of pks to list, set of
# pks not to list any more; then KEYS of WRITE. A fenced merge adds the mirror lock of each model.
# ARGV: token, milliseconds that removed rows stay readable, milliseconds of the swap marker, time
# stamp or nothing, the time stamp that all models must have so far or nothing, number of models;
# for each: the sizes of these two sets; then ARGV of WRITE; number of rows to compare further; for
# each: its number, the expected value of each field that is stored. A fenced merge adds the token
# that all mirror locks must hold.
# Returns the problems, as WRITE; also {0, 'lost'}, {0, 'moved'} (another time stamp) and
# {0, 'fenced'}. With any, nothing is written.
# Bounded: the number of changes that the caller of resetChanged() allows, and 50,000 objects
# (FRESH_AT_ONCE), of each a pk to list and one not to list any more, in a microsecond each.
MERGE = ScriptPair(
    'merge',
    CURSOR
    + """
local token, grace, note_ms, stamp, before = arg(), arg(), arg(), arg(), arg()
local notes = {}
for g = 1, tonumber(arg()) do
  local lock, note = key(), key()
  if redis.call('GET', note) == token then return {} end
  if redis.call('GET', lock) ~= token then return {{0, 'lost'}} end
  notes[g] = {note = note, stamp = key(), all = key(), listed = key(), unlisted = key()}
  for _, name in ipairs({'listed', 'unlisted'}) do
    local size = tonumber(arg())
    if size > 0 and redis.call('SCARD', notes[g][name]) ~= size then return {{0, 'lost'}} end
  end
  if before ~= '' and redis.call('GET', notes[g].stamp) ~= before then return {{0, 'moved'}} end
end
"""
    + 'local own = token\n'
    + DENIED
    + MAY_WRITE_ROWS
    + """
-- An update of another client, which changed one of these fields and others, must not mix in.
local function is_stale(row)
  local stale = false
  for first = 1, #row.pairs, 2000 do
    local fields = {}
    for p = first, math.min(first + 1999, #row.pairs), 2 do fields[#fields + 1] = row.pairs[p] end
    for _, value in ipairs(redis.call('HMGET', row.data, unpack(fields))) do
      if arg() ~= (value and '=' .. value or '-') then stale = true end
    end
  end
  return stale
end
for _ = 1, tonumber(arg()) do
  local i = tonumber(arg())
  if is_stale(rows[i]) then problems[#problems + 1] = {i, 'stale', {}} end
end
if #problems > 0 then return problems end
local fence, mirror_lock = arg(), key()
while mirror_lock do
  if redis.call('GET', mirror_lock) ~= fence then return {{0, 'fenced'}} end
  mirror_lock = key()
end
"""
    + """
local no = denied(
  {'SREM', notes[1].note, ''}, {'PEXPIRE', notes[1].note, '1'}, {'SET', notes[1].note, '1'},
-   {'DEL', notes[1].stamp})
+   {'DEL', notes[1].stamp}, {'ZREM', notes[1].note, ''})
if no then return no end
"""
    + STORE_ROWS
    + """
local function remove(row)
  redis.call('SREM', row.model.all, row.pk)
  for m = 1, #row.moves do
-     redis.call('SREM', row.moves[m].old, row.pk)
-     redis.call('SREM', row.moves[m].new, row.pk)
+     local remove = row.moves[m].score == '' and 'SREM' or 'ZREM'
+     redis.call(remove, row.moves[m].old, row.pk)
+     redis.call(remove, row.moves[m].new, row.pk)
  end
  redis.call('PEXPIRE', row.data, grace)
end
for i = 1, #rows do
  if rows[i].mode == 'remove' then remove(rows[i]) end
end
local function for_each(command, from, to)
  local pks = redis.call('SMEMBERS', from)
  for first = 1, #pks, 1000 do
    redis.call(command, to, unpack(pks, first, math.min(first + 999, #pks)))
  end
end
for g = 1, #notes do
  for_each('SREM', notes[g].unlisted, notes[g].all)
  for_each('SADD', notes[g].listed, notes[g].all)
  redis.call('UNLINK', notes[g].listed)
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
