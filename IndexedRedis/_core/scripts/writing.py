"""Scripts that store and delete objects: compare with what is stored, then move."""

from __future__ import annotations

from .script import Script

__all__ = ('DELETE', 'RESERVE', 'TOUCH', 'WRITE')

# KEYS: counter, set of all pks. ARGV: how many, above which pk. Returns the first of that many
# consecutive pks, none of which is in use. (6.0.3 could leave a counter behind the pks that are.)
# Where a key holds something else: {key, what}, and nothing is written.
RESERVE = Script(
    'reserve',
    """
local kinds = {'string', 'set'}
for k = 1, 2 do
  local found = redis.call('TYPE', KEYS[k]).ok
  if found ~= kinds[k] and found ~= 'none' then return {KEYS[k], found} end
end
local counter = redis.call('GET', KEYS[1]) or '0'
if not string.find(counter, '^%d+$') then return {KEYS[1], 'text that is no number'} end
local count = tonumber(ARGV[1])
if tonumber(ARGV[2]) > tonumber(counter) then
  redis.call('SET', KEYS[1], ARGV[2])
end
while true do
  local last = redis.call('INCRBY', KEYS[1], count)
  local first, free = last - count + 1, true
  for start = first, last, 1000 do
    local pks = {}
    for pk = start, math.min(start + 999, last) do pks[#pks + 1] = string.format('%.0f', pk) end
    local used = redis.call('SMISMEMBER', KEYS[2], unpack(pks))
    for i = 1, #used do
      if used[i] == 1 then free = false end
    end
  end
  if free then return first end
end
""",
)

# What write and delete have in common: a cursor over KEYS and ARGV, the check of key types, and
# the comparison of what the client believes to be stored. A belief is '=' and the bytes, '-' for
# absent, '?' for unknown. A problem is {row, kind, ...}; with any, nothing is written.
_CHECKED = """
local k, a, problems = 0, 0, {}
local function key() k = k + 1; return KEYS[k] end
local function arg() a = a + 1; return ARGV[a] end
local function must_be(kind, name, row)
  local found = redis.call('TYPE', name).ok
  if found ~= kind and found ~= 'none' then
    problems[#problems + 1] = {row, 'type', name, found}
  end
end
local function check_moves(row, data, moves)
  local actual, stale = {}, false
  for m = 1, #moves do
    local value = redis.call('HGET', data, moves[m].field)
    actual[m] = value
    if moves[m].belief ~= (value and '=' .. value or '-') then stale = true end
  end
  if stale then problems[#problems + 1] = {row, 'stale', actual} end
end
"""

# While a reset is under way it is told of index sets that it may not have listed, so that its swap
# drops them too. The note outlives the lock of the reset, which prolongs both, but not for ever.
_TOUCH = """
local function touch(touched, name)
  redis.call('SADD', touched, name)
  redis.call('PEXPIRE', touched, 600000)
end
"""

# Inserts, updates and forced pks, of one or several models.
# KEYS: for each model: set of all pks, counter, lock of resets, note for a reset; for each of its
# rows: its hash; for each move: old and new index set.
# ARGV: number of models; for each: number of rows; for each: pk, mode, number of moves,
# (field, belief) each, number of pairs, (field, value) each. Modes: insert (a pk nobody else has),
# update, put (either).
WRITE = Script(
    'write',
    _CHECKED
    + _TOUCH
    + """
local models, rows = {}, {}
local function read_row(model)
  local row = {model = model, pk = arg(), mode = arg(), data = key(), moves = {}, pairs = {}}
  local i = #rows + 1
  must_be('hash', row.data, i)
  for m = 1, tonumber(arg()) do
    local move = {field = arg(), belief = arg(), old = key(), new = key()}
    must_be('set', move.old, i)
    must_be('set', move.new, i)
    row.moves[m] = move
  end
  for p = 1, 2 * tonumber(arg()) do row.pairs[p] = arg() end
  rows[i] = row
end
for g = 1, tonumber(arg()) do
  local model = {all = key(), counter = key(), lock = key(), touched = key(), highest = 0}
  must_be('set', model.all, #rows + 1)
  must_be('string', model.counter, #rows + 1)
  for i = 1, tonumber(arg()) do read_row(model) end
  models[g] = model
end
if #problems > 0 then return problems end
for g = 1, #models do models[g].resetting = redis.call('EXISTS', models[g].lock) == 1 end
for i = 1, #rows do
  local row = rows[i]
  row.there = redis.call('SISMEMBER', row.model.all, row.pk) == 1
  if row.mode == 'update' and not row.there then
    problems[#problems + 1] = {i, 'gone'}
  elseif row.mode == 'insert' and row.there then
    row.done = true
    for p = 1, #row.pairs, 2 do
      if redis.call('HGET', row.data, row.pairs[p]) ~= row.pairs[p + 1] then row.done = false end
    end
    if not row.done then problems[#problems + 1] = {i, 'taken'} end
  elseif row.mode == 'put' and not row.there and row.model.resetting
      and redis.call('PTTL', row.data) == -1 then
    -- Most likely a row that the reset has staged under a pk of its own.
    problems[#problems + 1] = {i, 'staged'}
  else
    check_moves(i, row.data, row.moves)
  end
end
if #problems > 0 then return problems end
-- A reset may have replaced what was here and let it expire: none of that is to stay.
local function strip(row)
  if not row.expiring then return end
  redis.call('PERSIST', row.data)
  local written = {}
  for p = 1, #row.pairs, 2 do written[row.pairs[p]] = true end
  for _, field in ipairs(redis.call('HKEYS', row.data)) do
    if not written[field] then redis.call('HDEL', row.data, field) end
  end
end
for i = 1, #rows do
  local row = rows[i]
  if not row.done then
    row.expiring = not row.there and redis.call('EXISTS', row.data) == 1
    for p = 1, #row.pairs, 1000 do
      redis.call('HSET', row.data, unpack(row.pairs, p, math.min(p + 999, #row.pairs)))
    end
    for m = 1, #row.moves do
      local move = row.moves[m]
      redis.call('SADD', move.new, row.pk)
      if row.model.resetting then touch(row.model.touched, move.new) end
      if move.old ~= move.new then redis.call('SREM', move.old, row.pk) end
    end
    if not row.there then
      strip(row)
      redis.call('SADD', row.model.all, row.pk)
    end
    if row.mode == 'put' then
      row.model.highest = math.max(row.model.highest, tonumber(row.pk))
    end
  end
end
for g = 1, #models do
  local model = models[g]
  if model.highest > (tonumber(redis.call('GET', model.counter) or '0') or 0) then
    redis.call('SET', model.counter, string.format('%.0f', model.highest))
  end
end
return problems
""",
)

# KEYS: lock of resets, note for a reset, keys written to.
TOUCH = Script(
    'touch',
    _TOUCH
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then
  for k = 3, #KEYS do touch(KEYS[2], KEYS[k]) end
end
return 0
""",
)

# KEYS: set of all pks, lock of resets; index sets to leave in any case; for each row: its hash; for
# each move: its index set.
# ARGV: number of index sets to leave in any case, number of rows; for each: pk, number of moves,
# (field, belief) each. Returns problems, or the number of objects that were there. While a reset
# is under way, a row that is not in use may be one that it has staged, and stays.
DELETE = Script(
    'delete',
    _CHECKED
    + """
local all, lock, leave = key(), key(), {}
must_be('set', all, 1)
for i = 1, tonumber(arg()) do leave[i] = key() end
local rows = {}
for i = 1, tonumber(arg()) do
  local row = {pk = arg(), data = key(), moves = {}}
  for m = 1, tonumber(arg()) do
    row.moves[m] = {field = arg(), belief = arg(), old = key()}
    must_be('set', row.moves[m].old, i)
  end
  must_be('hash', row.data, i)
  rows[i] = row
end
if #problems > 0 then return problems end
for i = 1, #rows do check_moves(i, rows[i].data, rows[i].moves) end
if #problems > 0 then return problems end
local count, resetting = 0, redis.call('EXISTS', lock) == 1
for i = 1, #rows do
  local row = rows[i]
  local there = redis.call('SREM', all, row.pk)
  for m = 1, #row.moves do redis.call('SREM', row.moves[m].old, row.pk) end
  for s = 1, #leave do redis.call('SREM', leave[s], row.pk) end
  if there == 1 or not resetting then redis.call('UNLINK', row.data) end
  count = count + there
end
return count
""",
)
