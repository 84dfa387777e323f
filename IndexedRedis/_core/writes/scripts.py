"""Scripts that store and delete objects: compare with what is stored, then move."""

from __future__ import annotations

from ..script import Script

__all__ = ('DELETE', 'MERGE', 'NOTE_TOUCHED', 'RESERVE', 'WRITE')

# KEYS: counter, set of all pks. ARGV: how many, above which pk, up to how many are looked at here.
# Returns the first of that many consecutive pks, none of which is in use, if they were looked at.
# (6.0.3 could leave a counter behind the pks that are.) Where a key holds something else: {key,
# what}, and nothing is written.
RESERVE = Script(
    'reserve',
    """
if ARGV[1] == '1' and ARGV[2] == '0' then -- the common case takes two commands instead of six
  local pk = redis.pcall('INCRBY', KEYS[1], 1)
  if type(pk) == 'number' then
    local used = redis.pcall('SISMEMBER', KEYS[2], string.format('%.0f', pk))
    if used == 0 then return pk end
    if used ~= 1 then redis.call('INCRBY', KEYS[1], -1) end
  end
end
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
  if count > tonumber(ARGV[3]) then return first end
  local pks = {}
  for pk = first, last do pks[#pks + 1] = string.format('%.0f', pk) end
  local used = redis.call('SMISMEMBER', KEYS[2], unpack(pks))
  for i = 1, #used do
    if used[i] == 1 then free = false end
  end
  if free then return first end
end
""",
)

# What write and merge have in common: a cursor over KEYS and ARGV, the check of key types, and the
# comparison of what the client expects to be stored: '=' and the bytes, '-' where there is nothing,
# '?' for unknown. A problem is {row, kind, ...}; with any, nothing is written.
_CHECKED = """
local k, a, problems = 0, 0, {}
local function key() k = k + 1; return KEYS[k] end
local function arg() a = a + 1; return ARGV[a] end
local known = {}
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
    if moves[m].expected_token ~= (value and '=' .. value or '-') then stale = true end
  end
  if stale then problems[#problems + 1] = {row, 'stale', actual} end
end
"""

# While a reset is under way it is told of index sets that it may not have listed, so that its swap
# drops them too. The note outlives the lock of the reset, which prolongs both, but not for ever.
NOTE_TOUCHED = """
local function touch(touched, name)
  redis.call('SADD', touched, name)
  redis.call('PEXPIRE', touched, 600000)
end
"""

# Rows of one or several models on their way in or out.
# KEYS: for each model: set of all pks, counter, lock of resets, note for a reset; for each of its
# rows: its hash; for each move: old and new index set.
# ARGV: number of models; for each: number of rows; for each: pk, mode, number of moves,
# (field, expected) each, number of pairs, (field, value) each. Modes: insert (a pk that nobody
# else has), update, put (either), remove (the row stays readable for a while).
_READ_ROWS = """
local models, rows = {}, {}
local function read_row(model)
  local row = {model = model, pk = arg(), mode = arg(), data = key(), moves = {}, pairs = {}}
  local i = #rows + 1
  must_be('hash', row.data, i)
  if row.mode == 'put' then must_be('string', model.counter, i) end
  for m = 1, tonumber(arg()) do
    local move = {field = arg(), expected_token = arg(), old = key(), new = key()}
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
  for i = 1, tonumber(arg()) do read_row(model) end
  models[g] = model
end
if #problems > 0 then return problems end
for g = 1, #models do models[g].resetting = redis.call('EXISTS', models[g].lock) == 1 end
"""

_CHECK_ROWS = """
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
  elseif (row.mode == 'put' or row.mode == 'insert') and not row.there and row.model.resetting
      and redis.call('PTTL', row.data) == -1 then
    -- Most likely a row that the reset has staged under a pk of its own.
    problems[#problems + 1] = {i, 'staged'}
  else
    check_moves(i, row.data, row.moves)
  end
end
if #problems > 0 then return problems end
"""

_STORE_ROWS = """
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

# One or several models; KEYS and ARGV as of rows. Returns the problems.
WRITE = Script(
    'write', _CHECKED + NOTE_TOUCHED + _READ_ROWS + _CHECK_ROWS + _STORE_ROWS + 'return problems'
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
    _CHECKED
    + NOTE_TOUCHED
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
    + _READ_ROWS
    + _CHECK_ROWS
    + """
local fence, mirror_lock = arg(), key()
while mirror_lock do
  if redis.call('GET', mirror_lock) ~= fence then return {{0, 'fenced'}} end
  mirror_lock = key()
end
"""
    + _STORE_ROWS
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

# KEYS: set of all pks, lock of resets, hashes of the rows, index sets they may be in. ARGV: number
# of rows, number of fields, these; the pk of each row; for each row what is expected of each field;
# for each index set: number of pks, pks that are to leave it. Returns problems, or how many objects
# were there. While a reset is under way, a row that is not in use may be one that it has staged,
# and stays where it is. Comparing row by row and leaving set by set takes a third of the time of
# moves.
DELETE = Script(
    'delete',
    """
local all, lock, count, width = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])
local pks, problems = 3 + width, {}
local expected, sets = pks + count, pks + count + count * width
local function must_be(kind, name, row)
  local found = redis.call('TYPE', name).ok
  if found ~= kind and found ~= 'none' then
    problems[#problems + 1] = {row, 'type', name, found}
  end
end
local function check_row(row, at)
  local data = KEYS[2 + row]
  local actual = width > 0 and redis.pcall('HMGET', data, unpack(ARGV, 3, 2 + width)) or {}
  if width == 0 or actual.err then return must_be('hash', data, row) end
  for f = 1, width do
    if ARGV[at + f] ~= (actual[f] and '=' .. actual[f] or '-') then
      problems[#problems + 1] = {row, 'stale', actual}
      return
    end
  end
end
must_be('set', all, 1)
for k = 3 + count, #KEYS do must_be('set', KEYS[k], 1) end
for i = 1, count do check_row(i, expected - 1 + (i - 1) * width) end
if #problems > 0 then return problems end
local staged = redis.call('EXISTS', lock) == 1 and {}
for a = pks, staged and expected - 1 or 0 do
  staged[ARGV[a]] = redis.call('SISMEMBER', all, ARGV[a]) == 0
end
-- Part of a list, without what belongs to staged pks: nearly always all of it, and not copied.
local function leaving(list, first, last, first_pk)
  if not staged then return list, first, last end
  local kept = {}
  for i = first, last do
    if not staged[ARGV[first_pk + i - first]] then kept[#kept + 1] = list[i] end
  end
  return kept, 1, #kept
end
local function remove(name, list, first, last)
  local sum = 0
  for i = first, last, 1000 do
    sum = sum + redis.call('SREM', name, unpack(list, i, math.min(i + 999, last)))
  end
  return sum
end
local gone = remove(all, leaving(ARGV, pks, expected - 1, pks))
for k = 3 + count, #KEYS do
  local first, last = sets + 1, sets + tonumber(ARGV[sets])
  remove(KEYS[k], leaving(ARGV, first, last, first))
  sets = last + 1
end
local hashes, first, last = leaving(KEYS, 3, 2 + count, pks)
for i = first, last, 1000 do
  redis.call('UNLINK', unpack(hashes, i, math.min(i + 999, last)))
end
return gone
""",
)
