"""Scripts that store and delete objects: compare with what is stored, then move."""

from __future__ import annotations

from .script import Script

__all__ = ('DELETE', 'RESERVE', 'TOUCH', 'WRITE')

# KEYS: counter, set of all pks. ARGV: how many, above which pk. Returns the first of that many
# consecutive pks, none of which is in use. (6.0.3 could leave a counter behind the pks that are.)
RESERVE = Script(
    'reserve',
    """
local count = tonumber(ARGV[1])
if tonumber(ARGV[2]) > tonumber(redis.call('GET', KEYS[1]) or '0') then
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
local function must_be(kind, name)
  local found = redis.call('TYPE', name).ok
  if found ~= kind and found ~= 'none' then
    problems[#problems + 1] = {0, 'type', name, found}
  end
end
local all = key()
must_be('set', all)
if #problems > 0 then return problems end
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

# Inserts, updates and forced pks.
# KEYS: set of all pks, counter, lock of resets, note for a reset; for each row: its hash; for each
# move: old and new index set.
# ARGV: number of rows; for each: pk, mode, number of moves, (field, belief) each, number of
# pairs, (field, value) each. Modes: insert (a pk nobody else has), update, put (either).
WRITE = Script(
    'write',
    _CHECKED
    + """
local counter, lock, touched = key(), key(), key()
local rows, highest = {}, 0
for i = 1, tonumber(arg()) do
  local row = {pk = arg(), mode = arg(), data = key(), moves = {}, pairs = {}}
  must_be('hash', row.data)
  for m = 1, tonumber(arg()) do
    local move = {field = arg(), belief = arg(), old = key(), new = key()}
    must_be('set', move.old)
    must_be('set', move.new)
    row.moves[m] = move
  end
  for p = 1, 2 * tonumber(arg()) do row.pairs[p] = arg() end
  rows[i] = row
end
if #problems > 0 then return problems end
for i = 1, #rows do
  local row = rows[i]
  local there = redis.call('SISMEMBER', all, row.pk) == 1
  if row.mode == 'update' and not there then
    problems[#problems + 1] = {i, 'gone'}
  elseif row.mode == 'insert' and there then
    row.done = true
    for p = 1, #row.pairs, 2 do
      if redis.call('HGET', row.data, row.pairs[p]) ~= row.pairs[p + 1] then row.done = false end
    end
    if not row.done then problems[#problems + 1] = {i, 'taken'} end
  else
    check_moves(i, row.data, row.moves)
  end
end
if #problems > 0 then return problems end
local resetting = redis.call('EXISTS', lock) == 1
for i = 1, #rows do
  local row = rows[i]
  if not row.done then
    for p = 1, #row.pairs, 1000 do
      redis.call('HSET', row.data, unpack(row.pairs, p, math.min(p + 999, #row.pairs)))
    end
    for m = 1, #row.moves do
      local move = row.moves[m]
      redis.call('SADD', move.new, row.pk)
      if resetting then redis.call('SADD', touched, move.new) end
      if move.old ~= move.new then redis.call('SREM', move.old, row.pk) end
    end
    if row.mode ~= 'update' then
      redis.call('SADD', all, row.pk)
      -- A reset may have replaced what was here and let it expire.
      redis.call('PERSIST', row.data)
    end
    if row.mode == 'put' then highest = math.max(highest, tonumber(row.pk)) end
  end
end
if highest > tonumber(redis.call('GET', counter) or '0') then
  redis.call('SET', counter, string.format('%.0f', highest))
end
return problems
""",
)

# KEYS: lock of resets, note for a reset, keys written to. While a reset is under way it is told
# of index sets that it may not have listed, so that its swap drops them too.
TOUCH = Script(
    'touch',
    """
if redis.call('EXISTS', KEYS[1]) == 1 then
  for k = 3, #KEYS do redis.call('SADD', KEYS[2], KEYS[k]) end
end
return 0
""",
)

# KEYS: set of all pks; index sets to leave in any case; for each row: its hash; for each move: its
# index set.
# ARGV: number of index sets to leave in any case, number of rows; for each: pk, number of moves,
# (field, belief) each. Returns problems, or the number of objects that were there.
DELETE = Script(
    'delete',
    _CHECKED
    + """
local leave = {}
for i = 1, tonumber(arg()) do leave[i] = key() end
local rows = {}
for i = 1, tonumber(arg()) do
  local row = {pk = arg(), data = key(), moves = {}}
  for m = 1, tonumber(arg()) do
    row.moves[m] = {field = arg(), belief = arg(), old = key()}
    must_be('set', row.moves[m].old)
  end
  must_be('hash', row.data)
  rows[i] = row
end
if #problems > 0 then return problems end
for i = 1, #rows do check_moves(i, rows[i].data, rows[i].moves) end
if #problems > 0 then return problems end
local count = 0
for i = 1, #rows do
  local row = rows[i]
  for m = 1, #row.moves do redis.call('SREM', row.moves[m].old, row.pk) end
  for s = 1, #leave do redis.call('SREM', leave[s], row.pk) end
  redis.call('UNLINK', row.data)
  count = count + redis.call('SREM', all, row.pk)
end
return count
""",
)
