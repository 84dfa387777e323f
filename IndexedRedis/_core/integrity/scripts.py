"""Scripts of check(), which only read, and of repair(), which test again before they write.

All that one script finds is of one moment, whoever else writes.
"""

from __future__ import annotations

from ..keys import HIGHEST_PK
from ..script import Script, ScriptPair
from ..writes.scripts import NOTE_TOUCHED

__all__ = (
    'COUNTER',
    'KEEP',
    'LEFTOVERS',
    'PROBE',
    'REPAIR_COUNTER',
    'REPAIR_ENTRIES',
    'REPAIR_LEFTOVERS',
    'REPAIR_ROWS',
    'UNLISTED',
)

# Whether a recorded reset has staged a pk, or has replaced it and not yet let it expire. Nil where
# a key of another type leaves that open. Where there are more than 50 resets or 1,000 ranges, every
# pk counts as claimed. Bounded by these numbers. The first call in a script takes up to 1 ms, each
# other one some microseconds.
_CLAIMED = """
local tokens, firsts, ends, unsure, too_many
local function read_tokens(record)
  local page = redis.pcall('HSCAN', record, 0, 'COUNT', 100)
  if page.err then unsure, page = true, {'0', {}} end
  for i = 1, #page[2], 2 do tokens[#tokens + 1] = page[2][i] end
  too_many = page[1] ~= '0' or #tokens > 50
end
local function read_ranges(name, most)
  local size = redis.pcall('SCARD', name)
  if type(size) == 'table' then unsure = true
  elseif size > most then too_many = true
  else return redis.call('SMEMBERS', name) end
  return {}
end
local function read_claims(record, tmp)
  tokens, firsts, ends = {}, {}, {}
  read_tokens(record)
  if too_many then return end
  local end_of, last = {}, 0
  for t = 1, #tokens do
    local texts = read_ranges(tmp .. tokens[t] .. ':ranges', 1000 - #firsts)
    for i = 1, #texts do
      local first, count = string.match(texts[i], '^(%d+) (%d+)$')
      first = tonumber(first)
      if first then
        firsts[#firsts + 1], end_of[first] = first, math.max(end_of[first] or 0, first + count)
      end
    end
  end
  table.sort(firsts)
  for r = 1, #firsts do
    last = math.max(last, end_of[firsts[r]])
    ends[r] = last -- of this range, or of an earlier one that ends later
  end
end
local function claimed(record, tmp, pk)
  if not tokens then read_claims(record, tmp) end
  if too_many then return true end
  local number, open, low, high = tonumber(pk) or 0, unsure, 0, #firsts
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if firsts[middle] <= number then low = middle else high = middle - 1 end
  end
  if low > 0 and number < ends[low] then return true end
  for t = 1, #tokens do
    for _, name in ipairs({':brought', ':old'}) do
      local found = redis.pcall('SISMEMBER', tmp .. tokens[t] .. name, pk)
      if found == 1 then return true end
      if found ~= 0 then open = true end
    end
  end
  if open then return nil end
  return false
end
"""

# Read rows, and whether index sets, or sorted sets, list them.
# KEYS: set of all pks, record of resets, sets.
# ARGV: prefixes of data keys and of work keys; for each row: pk, number of fields, number of sets
# (none, or one for each field), fields.
# Returns for each row {whether it is listed, its PTTL (with sets: only whether it exists), values
# (false: no hash), for each set whether it lists the pk (-1: it has another type; 2: it does, and a
# recorded reset claims the pk), for each sorted set the score or ''}.
# Bounded: PROBE_CALLS rows and values, 0.4 ms; with claims 2 ms.
PROBE = ScriptPair(
    'look',
    _CLAIMED
    + """
local found, k, a = {}, 2, 2
while a < #ARGV do
  local pk, fields, sets = ARGV[a + 1], tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local data, row, inside = ARGV[1] .. pk, nil, {}
  if fields > 0 then
    row = redis.pcall('HMGET', data, unpack(ARGV, a + 4, a + 3 + fields))
    if row.err then row = false end
  else
    local kind = redis.call('TYPE', data).ok
    row = (kind == 'hash' or kind == 'none') and {}
  end
  local ttl = -1
  if sets == 0 or not (row and row[1]) then ttl = redis.call('PTTL', data) end
  local listed = redis.call('SISMEMBER', KEYS[1], pk)
+   local scores = {}
  for s = 1, sets do
-     local there = redis.pcall('SISMEMBER', KEYS[k + s], pk)
+     local score = redis.pcall('ZSCORE', KEYS[k + s], pk)
+     local there = type(score) == 'string' and 1 or score or 0
+     scores[s] = there == 1 and score or ''
    inside[s] = type(there) == 'table' and -1 or there
    if there == 1 and listed == 0 and claimed(KEYS[2], ARGV[2], pk) then inside[s] = 2 end
  end
-   found[#found + 1] = {listed, ttl, row, inside}
+   found[#found + 1] = {listed, ttl, row, inside, scores}
  k, a = k + sets, a + 3 + fields
end
return found
""",
)

# Whether a row never expires, although it is not listed and no recorded reset claims it.
_UNLISTED = (
    _CLAIMED
    + """
local function unlisted(all, record, data, tmp, pk)
  if redis.call('PTTL', data .. pk) ~= -1 then return false end
  if redis.call('SISMEMBER', all, pk) == 1 then return false end
  if redis.call('TYPE', data .. pk).ok ~= 'hash' then return false end
  return claimed(record, tmp, pk) == false
end
"""
)

# Find rows that are not listed, never expire, and that no recorded reset claims.
# KEYS: set of all pks, record of resets.
# ARGV: prefixes of data keys and of work keys, pks.
# Returns the pks of these rows.
# Bounded: KEYS_IN_SCRIPT rows, 0.4 ms; with claims 2 ms.
UNLISTED = Script(
    'unlisted',
    _UNLISTED
    + """
local found = {}
for a = 3, #ARGV do
  if unlisted(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[a]) then found[#found + 1] = ARGV[a] end
end
return found
""",
)

# Whether a work key never expires, although no recorded reset has its token.
_ENDLESS = """
local function endless(record, tmp, key)
  local token = string.match(string.sub(key, #tmp + 1), '^[^:]*')
  return key ~= record and redis.call('PTTL', key) == -1
    and redis.pcall('HEXISTS', record, token) == 0
end
"""

# Find what dead resets left. The lock of a living reset expires.
# KEYS: lock, record of resets, work keys.
# ARGV: prefix of work keys.
# Returns {tokens of recorded resets that do not hold the lock, work keys that never expire and that
# belong to no recorded reset}.
# Bounded: about 500 resets, the others next time, and KEYS_IN_SCRIPT keys; 2 ms.
LEFTOVERS = Script(
    'leftovers',
    _ENDLESS
    + """
local holder, page = redis.pcall('GET', KEYS[1]), redis.pcall('HSCAN', KEYS[2], 0, 'COUNT', 500)
if redis.call('PTTL', KEYS[1]) == -1 then holder = false end
local tokens, dead, keys = page[2] or {}, {}, {}
for t = 1, #tokens, 2 do
  if tokens[t] ~= holder then dead[#dead + 1] = tokens[t] end
end
for k = 3, #KEYS do
  if endless(KEYS[2], ARGV[1], KEYS[k]) then keys[#keys + 1] = KEYS[k] end
end
return {dead, keys}
""",
)

# Let keys stay.
# KEYS: keys.
# ARGV: none.
# Returns 0.
# Bounded: REPAIRS keys.
KEEP = Script(
    'mend_expiring',
    """
for k = 1, #KEYS do redis.call('PERSIST', KEYS[k]) end
return 0
""",
)

# Remove work keys that LEFTOVERS finds.
# KEYS: record of resets, work keys.
# ARGV: prefix of work keys.
# Returns 0.
# Bounded: REPAIRS keys, 0.2 ms.
REPAIR_LEFTOVERS = Script(
    'mend_leftovers',
    _ENDLESS
    + """
for k = 2, #KEYS do
  if endless(KEYS[1], ARGV[1], KEYS[k]) then redis.call('UNLINK', KEYS[k]) end
end
return 0
""",
)

_COUNTER = (
    f'local HIGHEST = {HIGHEST_PK}'
    + """
local function in_use(pk)
  return redis.call('SISMEMBER', KEYS[2], pk) == 1 or redis.call('EXISTS', ARGV[1] .. pk) == 1
end
local function fault(counter, pk)
  -- INCRBY takes no leading zeros.
  if counter ~= '0' and not string.find(counter, '^[1-9]%d*$') then return 'counter_low' end
  if #counter > 16 or tonumber(counter) > HIGHEST then return 'counter_high' end
  if tonumber(counter) < tonumber(pk) and in_use(pk) then return 'counter_low' end
end
local counter = redis.pcall('GET', KEYS[1])
if type(counter) == 'table' then return false end
local found = fault(counter or '0', ARGV[2])
if not found then return false end
"""
)

# Find a wrong counter: it holds no number, a number above the highest allowed pk, or a number below
# the pk that was seen, if that is still in use.
# KEYS: counter, set of all pks.
# ARGV: prefix of data keys, highest pk that was seen.
# Returns {finding, what the counter holds}; nil if the counter is right.
# Bounded: three commands.
COUNTER = Script('counter', _COUNTER + "return {found, counter or ''}")

# Set a wrong counter to the highest pk that was seen.
# KEYS: as of COUNTER.
# ARGV: as of COUNTER.
# Returns OK; nil if the counter is right.
# Bounded: four commands.
REPAIR_COUNTER = Script('mend_counter', _COUNTER + "return redis.call('SET', KEYS[1], ARGV[2])")

# Repair wrong rows, if each finding still holds.
# KEYS: set of all pks, record of resets.
# ARGV: prefixes of data keys and of work keys; pairs of a finding and a pk.
# Returns 0.
# Bounded: REPAIRS findings, 0.3 ms; with claims 2 ms.
REPAIR_ROWS = Script(
    'mend_rows',
    _UNLISTED
    + """
local all = KEYS[1]
for a = 3, #ARGV, 2 do
  local kind, pk = ARGV[a], ARGV[a + 1]
  local data = ARGV[1] .. pk
  if kind == 'pk_invalid' then
    redis.call('SREM', all, pk)
  elseif kind == 'row_missing' then
    if redis.call('EXISTS', data) == 0 then redis.call('SREM', all, pk) end
  elseif kind == 'row_expiring' then
    if redis.call('SISMEMBER', all, pk) == 1 then redis.call('PERSIST', data) end
  elseif unlisted(all, KEYS[2], ARGV[1], ARGV[2], pk) then
    redis.call('UNLINK', data)
  end
end
return 0
""",
)

# Repair wrong entries of index sets, or of sorted sets, if each finding still holds.
# KEYS: set of all pks, lock of resets, touched index sets, record of resets; sets.
# ARGV: prefixes of data keys and of work keys; for each set: finding, pk, field, expected value (as
# of WRITE), and for a sorted set the score.
# Returns for each finding 1 if it was repaired, else 0.
# Bounded: REPAIRS findings, 0.6 ms; with claims 2 ms.
REPAIR_ENTRIES = ScriptPair(
    'mend_entries',
    NOTE_TOUCHED
    + _CLAIMED
    + """
- local all, resetting, outcomes = KEYS[1], redis.call('EXISTS', KEYS[2]) == 1, {}
+ local all, outcomes = KEYS[1], {}
local function is_so(kind, pk, field, expected)
  local data = ARGV[1] .. pk
  local stored = redis.call('SISMEMBER', all, pk) == 1 and redis.call('EXISTS', data) == 1
  if kind == 'entry_gone' then return not stored and not claimed(KEYS[4], ARGV[2], pk) end
  if not stored then return false end
  local value = redis.pcall('HGET', data, field)
  return type(value) ~= 'table' and expected == (value and '=' .. value or '-')
end
for k = 5, #KEYS do
-   local a = 4 * (k - 5) + 3
+   local a = 5 * (k - 5) + 3
  local kind, pk, set = ARGV[a], ARGV[a + 1], redis.call('TYPE', KEYS[k]).ok
-   local so = (set == 'set' or set == 'none') and is_so(kind, pk, ARGV[a + 2], ARGV[a + 3])
-   if so and kind == 'entry_missing' then
-     redis.call('SADD', KEYS[k], pk)
-     if resetting then touch(KEYS[3], KEYS[k]) end
-   elseif so then
-     redis.call('SREM', KEYS[k], pk)
-   end
+   local so = (set == 'zset' or set == 'none') and is_so(kind, pk, ARGV[a + 2], ARGV[a + 3])
+   if so and kind == 'entry_gone' then
+     redis.call('ZREM', KEYS[k], pk)
+   elseif so then
+     redis.call('ZADD', KEYS[k], ARGV[a + 4], pk)
+   end
  outcomes[k - 4] = so and 1 or 0
end
return outcomes
""",
)
