"""Scripts that store rows: they compare with the stored values, then move index entries.

Each script checks everything before its first write. Its callers give it rows for at most four
milliseconds (``sizes.py``).

A row has *moves*: from the index set of the expected value to that of the new one, or to a score in
a sorted set. A sorted set has one member for each pk. So a move to a score compares the stored
value only if the script does not write the field itself.

A move into the index set of a unique value needs that nobody else has or reserves the value. Lock
owners reserve values: in a hash of theirs (``VALUES``), or by an index set that a reset has staged.
"""

from __future__ import annotations

from ..incarnations import IS_LOST
from ..script import DENIED, ScriptPair

__all__ = (
    'CHECK',
    'CURSOR',
    'MAY_WRITE_ROWS',
    'NOTE_TOUCHED',
    'READ_RECORD',
    'STEP',
    'STORE_ROWS',
    'WRITE',
)

# Functions that return the next of KEYS and of ARGV.
CURSOR = """
local k, a = 0, 0
local function key() k = k + 1; return KEYS[k] end
local function arg() a = a + 1; return ARGV[a] end
"""

# A function that returns what the record of resets says of other writers: whether one is listed (at
# work, or killed), and whether a killed one left a committed write, which must be finished. The
# record has a handful of entries: each writer that takes the lock settles those of killed ones.
READ_RECORD = """
local function read_record(record, lock, own)
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

# Milliseconds until the note of touched index sets expires.
TOUCHED_MS = 86_400_000
# A function that notes an index set as touched. Writers note the sets that they add to during a
# reset, so that the swap clears these too. The note stays until no writer is on record: `count()`
# must not use the sizes of these sets. It expires after a day in case nobody writes anymore.
NOTE_TOUCHED = f"""
local function touch(touched, name)
  redis.call('SADD', touched, name)
  redis.call('PEXPIRE', touched, {TOUCHED_MS})
end
"""

# Functions that check key types, and compare stored values with expected ones. An expected value is
# '=' and the bytes; '-' for no value; '?' for unknown, which never matches; '*' for any, which
# always does. A problem is {row, kind, ...}; with any, nothing is written.
_PROBLEMS = """
local problems, checked = {}, {}
local function must_be(kind, name, row)
  if checked[name] then return end
  checked[name] = true
  local actual = redis.call('TYPE', name).ok
  if actual ~= kind and actual ~= 'none' then
    problems[#problems + 1] = {row, 'type', name, actual}
  end
end
local function check_moves(row, data, moves)
  if #moves == 0 then return end
  local fields, stale = {}, false
  for m = 1, #moves do fields[m] = moves[m].field end
  local actual = redis.call('HMGET', data, unpack(fields))
  for m = 1, #moves do
    local value = actual[m]
-     if moves[m].expected ~= (value and '=' .. value or '-') then stale = true end
+     local expected = moves[m].expected
+     if expected ~= '*' and expected ~= (value and '=' .. value or '-') then stale = true end
  end
  if stale then problems[#problems + 1] = {row, 'stale', actual} end
end
"""

# Read the rows in KEYS and ARGV, and check the types of their keys.
# KEYS: for each model: set of all pks, counter, lock, touched index sets, records of resets and of
# incarnations; for each of its rows: its hash; for each move: old and new index set, or twice the
# sorted set.
# ARGV: number of models; for each: number of incarnations that pks of its rows were drawn under;
# for each of them: id, highest pk; number of rows; for each row: pk, mode, number of moves; for
# each move: field, expected value, and in the second text the score, '' for index sets, 'u' for
# that of a unique value; number of pairs; for each pair: field, value. Modes: insert (under a
# reserved pk), update, put (insert or update), remove (the row stays readable for a grace time).
# Needs `own`: the token of a caller that the record lists, or ''.
_READ_ROWS = """
local models, rows = {}, {}
local function read_row(model)
  local row = {model = model, pk = arg(), mode = arg(), data = key(), moves = {}, pairs = {}}
  local i = #rows + 1
  must_be('hash', row.data, i)
  if row.mode ~= 'update' then must_be('string', model.counter, i) end
  for m = 1, tonumber(arg()) do
    local move = {field = arg(), expected = arg(), old = key(), new = key()}
-     must_be('set', move.old, i)
-     must_be('set', move.new, i)
+     move.score = arg()
+     if move.score == 'u' then move.unique, move.score = true, '' end
+     local kind = move.score == '' and 'set' or 'zset'
+     must_be(kind, move.old, i)
+     must_be(kind, move.new, i)
    row.moves[m] = move
  end
  for p = 1, 2 * tonumber(arg()) do row.pairs[p] = arg() end
  rows[i] = row
end
for g = 1, tonumber(arg()) do
  local model = {
    all = key(), counter = key(), lock = key(), touched = key(), record = key(), highest = 0
  }
  local incarnations = key()
  must_be('set', model.all, #rows + 1)
  local unfinished
  model.resetting, unfinished = read_record(model.record, model.lock, own)
  if unfinished then problems[#problems + 1] = {#rows + 1, 'unfinished'} end
  for d = 1, tonumber(arg()) do
    local listed = is_lost(incarnations, arg(), arg())
    if listed then problems[#problems + 1] = {#rows + 1, 'lost', listed} end
  end
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
    -- A row that is not listed and never expires: most likely a reset has staged it.
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

# Check that nobody else has or reserves the unique values of the rows. An entry counts if its pk is
# listed, and stays with the set in this script; if it is not listed, while its owner is at work. A
# row that a long list is about to write waits too: its other values may decide about that list.
_CHECK_UNIQUE = """\
+ local leaving
+ local function leaves(name, pk)
+   if not leaving then
+     leaving = {}
+     for _, row in ipairs(rows) do
+       for _, move in ipairs(row.moves) do
+         if row.mode == 'remove' or move.old ~= move.new then
+           leaving[move.old .. ' ' .. row.pk] = true
+         end
+       end
+     end
+   end
+   return leaving[name .. ' ' .. pk]
+ end
+ local function reserves(model, token, name, pk)
+   local tmp, base = string.sub(model.record, 1, -7), #model.record - 10
+   local holder = redis.call('HGET', tmp .. token .. ':unique', name)
+   return holder and holder ~= pk
+     or redis.call('EXISTS', tmp .. token .. ':' .. string.sub(name, base + 1)) == 1
+     or redis.call('HEXISTS', tmp .. token .. ':left', pk) == 1
+ end
+ local function claim(row, name)
+   local model, listed, staging = row.model, {}, false
+   local states = redis.call('HGETALL', model.record)
+   for i = 1, #states, 2 do
+     local live = states[i + 1] == 'staging' and redis.call('GET', model.lock) == states[i]
+     if states[i] ~= own and (live or states[i + 1] == 'committed') then
+       if reserves(model, states[i], name, row.pk) then return {'reserved'} end
+       staging = staging or live
+     end
+   end
+   local prefix, pks = string.sub(row.data, 1, -#row.pk - 1), nil
+   if redis.call('SCARD', name) > 1000 then pks = redis.call('SRANDMEMBER', name, 1000)
+   else pks = redis.call('SMEMBERS', name) end
+   for _, pk in ipairs(pks) do
+     if pk == row.pk then
+       -- its own entry
+     elseif redis.call('SISMEMBER', model.all, pk) == 1 then
+       if #listed < 50 and not leaves(name, pk) then listed[#listed + 1] = pk end
+     elseif staging and redis.call('PTTL', prefix .. pk) == -1 then
+       return {'reserved'}
+     end
+   end
+   return #listed > 0 and {'unique', name, unpack(listed)}
+ end
+ for i, row in ipairs(rows) do
+   for _, move in ipairs(row.done and {} or row.moves) do
+     local against = move.unique and (not row.there or move.old ~= move.new)
+       and claim(row, move.new)
+     if against then problems[#problems + 1] = {i, unpack(against)} end
+   end
+ end
+ if #problems > 0 then return problems end
"""

# Read rows, then compare them; return the problems if there are any.
READ_ROWS = _PROBLEMS + READ_RECORD + IS_LOST + _READ_ROWS
COMPARE_ROWS = READ_ROWS + _COMPARE
MAY_WRITE_ROWS = COMPARE_ROWS + _CHECK_UNIQUE

STORE_ROWS = (
    DENIED
    + NOTE_TOUCHED
    + """
local function commands_of(row)
  local data, all, model = row.data, row.model.all, row.model
  row.expiring = not row.there and redis.call('EXISTS', data) == 1
  return (#row.moves > 0 or not row.there) and {'SADD', all, ''},
    #row.moves > 0 and {'SREM', all, ''},
+     #row.moves > 0 and {'ZADD', all, '0', ''},
    model.resetting and {'PEXPIRE', model.touched, '1'},
    row.expiring and {'PERSIST', data}, row.expiring and {'HDEL', data, ''},
    row.mode ~= 'update' and {'SET', model.counter, '1'}
end
for i = 1, #rows do
  local no = rows[i].mode ~= 'remove' and not rows[i].done and denied(commands_of(rows[i]))
  if no then return no end
end
-- A reset may have left an old row here that is going to expire: remove its other fields.
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
-     redis.call('SADD', move.new, row.pk)
-     if row.model.resetting then touch(row.model.touched, move.new) end
-     if move.old ~= move.new then redis.call('SREM', move.old, row.pk) end
+     if move.score == '' then
+       redis.call('SADD', move.new, row.pk)
+       if row.model.resetting then touch(row.model.touched, move.new) end
+       if move.old ~= move.new then redis.call('SREM', move.old, row.pk) end
+     else
+       redis.call('ZADD', move.new, move.score, row.pk)
+     end
  end
  if not row.there then
    strip(row)
    redis.call('SADD', row.model.all, row.pk)
  end
  if row.mode ~= 'update' then
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

# Write rows of one or several models: all of them, or none.
# KEYS: as of _READ_ROWS.
# ARGV: as of _READ_ROWS.
# Returns the problems: {row, kind, ...}, with kind 'type', 'unfinished', 'gone', 'taken', 'staged',
# 'stale', 'lost': record of incarnations, 'reserved' or 'unique': index set, pks that it lists.
# With any, nothing is written.
# Bounded: 4 ms of rows (SCRIPT_US), or 25 rows (CHUNK in bulk/reindex.py); 1,000 entries of each
# index set of a unique value, which has one unless other programs wrote to it.
WRITE = ScriptPair(
    'write', CURSOR + "local own = ''\n" + MAY_WRITE_ROWS + STORE_ROWS + 'return problems'
)

# Return the problems that WRITE would return, those of unique values apart.
# KEYS: as of WRITE.
# ARGV: token of the caller; then as of WRITE.
# Returns the problems.
# Bounded: 0.7 ms of rows (STEP_US).
CHECK = ScriptPair('check', CURSOR + 'local own = arg()\n' + COMPARE_ROWS + 'return problems')

# Write rows in a step of a committed write. Skip rows that are not left: another process wrote
# them.
# KEYS: the hash of the rows that are left, by pk; then as of WRITE.
# ARGV: token of the owner; then as of WRITE.
# Returns the problems, as CHECK.
# Bounded: 0.7 ms of rows (STEP_US).
STEP = ScriptPair(
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
