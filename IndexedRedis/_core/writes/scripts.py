"""Scripts that store rows: compare with what is stored, then move index entries.

Each looks at everything before its first write. It works on the rows that it is given, and callers
give no more than it writes in some milliseconds (``sizes.py``).
"""

from __future__ import annotations

from ..script import DENIED, Script

__all__ = (
    'CHECK',
    'COMPARE_ROWS',
    'CURSOR',
    'LOOK_AT_RECORD',
    'NOTE_TOUCHED',
    'STEP',
    'STORE_ROWS',
    'WRITE',
)

CURSOR = """
local k, a = 0, 0
local function key() k = k + 1; return KEYS[k] end
local function arg() a = a + 1; return ARGV[a] end
"""

# What the record of resets says of others: whether any is listed (it is under way, or was killed),
# and whether a killed one left a committed write that somebody has to finish. Bounded by the number
# of writers of lists at work, a handful.
LOOK_AT_RECORD = """
local function look_at_record(record, lock, own)
  local states, others, unfinished = redis.pcall('HGETALL', record), false, false
  for i = 1, #states, 2 do
    if states[i] ~= own then
      others = true
      unfinished = unfinished or states[i + 1] == 'committed'
    end
  end
  return others, unfinished and redis.call('EXISTS', lock) == 0
end
"""

# While a reset is under way, writers note the index sets that they add to, so that its swap drops
# these too. The note outlives the lock of the reset, which prolongs both, but not for ever.
NOTE_TOUCHED = """
local function touch(touched, name)
  redis.call('SADD', touched, name)
  redis.call('PEXPIRE', touched, 600000)
end
"""

# The check of key types, and the comparison of what the client expects to be stored: '=' and the
# bytes, '-' where there is nothing, '?' for unknown. A problem is {row, kind, ...}; with any,
# nothing is written.
_PROBLEMS = """
local problems, known = {}, {}
local function must_be(kind, name, row)
  if known[name] then return end
  known[name] = true
  local found = redis.call('TYPE', name).ok
  if found ~= kind and found ~= 'none' then
    problems[#problems + 1] = {row, 'type', name, found}
  end
end
local function check_moves(row, data, moves)
  if #moves == 0 then return end
  local fields, stale = {}, false
  for m = 1, #moves do fields[m] = moves[m].field end
  local actual = redis.call('HMGET', data, unpack(fields))
  for m = 1, #moves do
    local value = actual[m]
    if moves[m].expected ~= (value and '=' .. value or '-') then stale = true end
  end
  if stale then problems[#problems + 1] = {row, 'stale', actual} end
end
"""

# Rows of one or several models on their way in or out.
# KEYS: for each model: set of all pks, counter, lock, note of touched sets, record of resets; for
# each of its rows: its hash; for each move: old and new index set.
# ARGV: number of models; for each: number of rows; for each: pk, mode, number of moves,
# (field, expected) each, number of pairs, (field, value) each. Modes: insert (a pk that nobody
# else has), update, put (either), remove (the row stays readable for a while).
# `own`: the token of a caller that is on the record itself.
_READ_ROWS = """
local models, rows = {}, {}
local function read_row(model)
  local row = {model = model, pk = arg(), mode = arg(), data = key(), moves = {}, pairs = {}}
  local i = #rows + 1
  must_be('hash', row.data, i)
  if row.mode == 'put' then must_be('string', model.counter, i) end
  for m = 1, tonumber(arg()) do
    local move = {field = arg(), expected = arg(), old = key(), new = key()}
    must_be('set', move.old, i)
    must_be('set', move.new, i)
    row.moves[m] = move
  end
  for p = 1, 2 * tonumber(arg()) do row.pairs[p] = arg() end
  rows[i] = row
end
for g = 1, tonumber(arg()) do
  local model = {
    all = key(), counter = key(), lock = key(), touched = key(), record = key(), highest = 0
  }
  must_be('set', model.all, #rows + 1)
  local unfinished
  model.resetting, unfinished = look_at_record(model.record, model.lock, own)
  if unfinished then problems[#problems + 1] = {#rows + 1, 'unfinished'} end
  for i = 1, tonumber(arg()) do read_row(model) end
  models[g] = model
end
if #problems > 0 then return problems end
"""

_COMPARE = """
local function compare(i, row)
  row.there = redis.call('SISMEMBER', row.model.all, row.pk) == 1
  if row.mode == 'update' and not row.there then
    problems[#problems + 1] = {i, 'gone'}
  elseif row.mode == 'insert' and row.there then
    row.done = true
    for p = 1, #row.pairs, 2 do
      if redis.call('HGET', row.data, row.pairs[p]) ~= row.pairs[p + 1] then row.done = false end
    end
    if not row.done then problems[#problems + 1] = {i, 'taken'} end
  elseif (row.mode == 'put' or row.mode == 'insert') and not row.there and row.model.resetting
      and redis.call('PTTL', row.data) == -1 then
    -- Most likely a row that a reset has staged under a pk of its own.
    problems[#problems + 1] = {i, 'staged'}
  else
    check_moves(i, row.data, row.moves)
  end
end
for i = 1, #rows do
  if not rows[i].done then compare(i, rows[i]) end
end
if #problems > 0 then return problems end
"""

# Reads rows, and returns what is otherwise than expected.
READ_ROWS = _PROBLEMS + LOOK_AT_RECORD + _READ_ROWS
COMPARE_ROWS = READ_ROWS + _COMPARE

STORE_ROWS = (
    DENIED
    + NOTE_TOUCHED
    + """
local function commands_of(row)
  local data, all, model = row.data, row.model.all, row.model
  row.expiring = not row.there and redis.call('EXISTS', data) == 1
  return (#row.moves > 0 or not row.there) and {'SADD', all, ''},
    #row.moves > 0 and {'SREM', all, ''},
    model.resetting and {'PEXPIRE', model.touched, '1'},
    row.expiring and {'PERSIST', data}, row.expiring and {'HDEL', data, ''},
    row.mode == 'put' and {'SET', model.counter, '1'}
end
for i = 1, #rows do
  local no = rows[i].mode ~= 'remove' and not rows[i].done and denied(commands_of(rows[i]))
  if no then return no end
end
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
local function store(row)
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
local function raise_counter(model)
  if model.highest == 0 then return end
  if model.highest > (tonumber(redis.call('GET', model.counter) or '0') or 0) then
    redis.call('SET', model.counter, string.format('%.0f', model.highest))
  end
end
for i = 1, #rows do
  if rows[i].mode ~= 'remove' and not rows[i].done then store(rows[i]) end
end
for g = 1, #models do raise_counter(models[g]) end
"""
)

# One or several models; KEYS and ARGV as of rows. Returns the problems.
WRITE = Script('write', CURSOR + "local own = ''\n" + COMPARE_ROWS + STORE_ROWS + 'return problems')

# What WRITE would object to. ARGV: token of the caller; then as of rows.
CHECK = Script('check', CURSOR + 'local own = arg()\n' + COMPARE_ROWS + 'return problems')

# A step of a committed write of many rows of one model. KEYS: what is left of it (hash, by pk);
# then as of rows. ARGV: token of the caller; then as of rows. Passes over rows that are not left:
# another process has written them.
STEP = Script(
    'step',
    CURSOR
    + 'local left, own = key(), arg()\n'
    + READ_ROWS
    + """
local pks = {}
for i = 1, #rows do
  rows[i].done = redis.call('HEXISTS', left, rows[i].pk) == 0
  pks[i] = rows[i].pk
end
"""
    + _COMPARE
    + STORE_ROWS
    + """
for i = 1, #pks, 1000 do
  redis.call('HDEL', left, unpack(pks, i, math.min(i + 999, #pks)))
end
return problems
""",
)
