"""Scripts that only read: replicas run them, and so does a server that is out of memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..script import Script

__all__ = (
    'ANY',
    'COUNT',
    'COUNT_LIVING',
    'FIND',
    'FIND_ANY',
    'MEMBERS',
    'PICK',
    'PICK_ANY',
)

# Set algebra over KEYS: the first `every` are required sets, the others excluded ones.
_SELECT = """
local function smallest(every)
  local best, size = KEYS[1], nil
  for k = 1, every do
    local n = redis.call('SCARD', KEYS[k])
    if not size or n < size then best, size = KEYS[k], n end
  end
  return size, best
end
-- Leave out the members of a set, or for wanted = 1 all others.
local function without(members, key, wanted)
  local kept = {}
  for start = 1, #members, 1000 do
    local stop = math.min(start + 999, #members)
    local found = redis.call('SMISMEMBER', key, unpack(members, start, stop))
    for i = start, stop do
      if found[i - start + 1] == (wanted or 0) then kept[#kept + 1] = members[i] end
    end
  end
  return kept
end
local function intersection(members, others)
  local there, kept = {}, {}
  for i = 1, #others do there[others[i]] = true end
  for i = 1, #members do
    if there[members[i]] then kept[#kept + 1] = members[i] end
  end
  return kept
end
-- unpack() takes at most some thousands of values.
local function select_members(every)
  local members
  if every == 1 then
    members = redis.call('SMEMBERS', KEYS[1])
  else
    members = redis.call('SINTER', unpack(KEYS, 1, math.min(every, 1000)))
  end
  for k = 1001, every, 1000 do
    local others = redis.call('SINTER', unpack(KEYS, k, math.min(k + 999, every)))
    members = intersection(members, others)
  end
  if #KEYS - every <= 10 then
    for k = every + 1, #KEYS do members = without(members, KEYS[k]) end
  else
    local _, base = smallest(every)
    for k = every + 1, #KEYS, 1000 do
      local others = redis.call('SDIFF', base, unpack(KEYS, k, math.min(k + 999, #KEYS)))
      members = intersection(members, others)
    end
  end
  return members
end
"""


# The pks of several terms, each once. KEYS: the set of all pks; for each term its required sets,
# its excluded sets. `shape` holds the numbers of both for each term; it is empty if each term is
# one set. Nil if the smallest required sets of the terms have more than `most` members together.
_SELECT_ANY = (
    _SELECT
    + """
local function select_any(shape, most)
  if shape == '' then
    for k = 2, #KEYS do most = most - redis.call('SCARD', KEYS[k]) end
    return most >= 0 and without(redis.call('SUNION', unpack(KEYS, 2)), KEYS[1], 1)
  end
  local first, terms, pks, seen = 2, {}, {}, {}
  for every, none in string.gmatch(shape, '(%d+) (%d+)') do
    local term = {KEYS[1], unpack(KEYS, first, first + every - 1)}
    term.none = {unpack(KEYS, first + every, first + every + none - 1)}
    first = first + every + none
    local size = redis.call('SCARD', term[#term])
    for k = 2, #term - 1 do size = math.min(size, redis.call('SCARD', term[k])) end
    most = most - size
    if most < 0 then return nil end
    terms[#terms + 1] = term
  end
  for t = 1, #terms do
    local members = redis.call('SINTER', unpack(terms[t]))
    for n = 1, #terms[t].none do members = without(members, terms[t].none[n]) end
    for i = 1, #members do
      if not seen[members[i]] then
        seen[members[i]] = true
        pks[#pks + 1] = members[i]
      end
    end
  end
  return pks
end
"""
)


# Return pks, rows and the record of incarnations; or pks and both markers if there are more than
# `rows`. MGET, because GET fails on a key of another type.
_RETURN_ROWS = """if #pks > rows then return {pks, redis.call('MGET', ARGV[5], ARGV[6])} end
local found = {}
for i = 1, #pks do
  found[i] = redis.call('HMGET', ARGV[4] .. pks[i], unpack(ARGV, 7))
end
return {pks, found, redis.call('MGET', ARGV[6])[1]}
"""


def _reads_of_find(args: Sequence[Any], reply: Any) -> Iterator[bytes]:
    prefix, *markers = args[3:6]
    yield from markers
    for pk in reply[0] if len(reply) == 3 else ():
        yield prefix + pk


# The script reads only KEYS.
def _nothing(args: Sequence[Any], reply: Any) -> tuple[bytes, ...]:
    return ()


# Return pks and rows of a result, all of one moment.
# KEYS: required sets, excluded sets.
# ARGV: number of required sets; limit of members; limit of rows; prefix of data keys; swap marker;
# record of incarnations; fields.
# Returns {pks, rows, record of incarnations}; if more rows match, {pks, {swap marker, record of
# incarnations}}; {} if each required set has more members.
# Bounded: SCRIPT_LOOKUPS lookups of members in sets, 3 ms, and SMALL_RESULT_VALUES values (2.5
# times as many with a client-side cache), 1 ms. Without limits, for a reader that READ_ATTEMPTS
# resets have overtaken: the size of the result, 3 ms for 1,000 rows.
FIND = Script(
    'find',
    _SELECT
    + """
local every, most, rows = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
-- The set of all pks comes first, and is rarely the smallest.
local short = false
for k = every, 1, -1 do
  short = short or redis.call('SCARD', KEYS[k]) <= most
end
if not short then return {} end
local pks = select_members(every)
"""
    + _RETURN_ROWS,
    _reads_of_find,
)

# Return pks and rows of objects that are in one of several terms, all of one moment.
# KEYS: set of all pks; for each term: required sets, excluded sets.
# ARGV: for each term, in one text: its number of required sets, its number of excluded sets, or ''
# if each term is one set; limit of members; then as of FIND.
# Returns the same as FIND; {} if the smallest required sets of the terms have more members.
# Bounded: as FIND; the limit of members is for all terms together. Terms of one set: UNION_WORK
# sets and members, 3 ms.
FIND_ANY = Script(
    'find_any',
    _SELECT_ANY
    + """
local most, rows = tonumber(ARGV[2]), tonumber(ARGV[3])
local pks = select_any(ARGV[1], most)
if not pks then return {} end
"""
    + _RETURN_ROWS,
    _reads_of_find,
)

# Return the pks of a result.
# KEYS: as of FIND.
# ARGV: number of required sets.
# Returns the pks.
# Bounded: the size of the sets, as SINTER and SDIFF are. Nothing else bounds it.
MEMBERS = Script('members', _SELECT + 'return select_members(tonumber(ARGV[1]))')

# Redis 6.2 has no SINTERCARD.
_CARDINALITY = """
local function cardinality(names)
  if #names == 1 then return redis.call('SCARD', names[1]) end
  local size = redis.pcall('SINTERCARD', #names, unpack(names))
  return type(size) == 'table' and #redis.call('SINTER', unpack(names)) or size
end
"""

# Count a result by inclusion and exclusion.
# KEYS: the sets of each term.
# ARGV: for each term: its sign, its number of sets.
# Returns the sum of sign * (cardinality of the intersection of the term's sets).
# Bounded: 2 ^ COUNTED_EXCLUSIONS terms, or COUNTED_TERMS of an "or", of SCRIPT_SETS sets. Each
# takes as long as SINTERCARD: of two sets, 0.1 ms for 1,000 members of the smaller one.
COUNT = Script(
    'count',
    _CARDINALITY
    + """
local total, first = 0, 1
for a = 1, #ARGV, 2 do
  local n = tonumber(ARGV[a + 1])
  total = total + tonumber(ARGV[a]) * cardinality({unpack(KEYS, first, first + n - 1)})
  first = first + n
end
return total
""",
    _nothing,
)

# Count a result while a reset is under way, or its leftovers wait for a sweep. Index sets may then
# list pks without an object. A term whose sets all may do so is intersected with the set of all
# pks.
# KEYS: set of all pks, touched index sets; then as of COUNT.
# ARGV: members of the largest index set that may list such pks; then as of COUNT.
# Returns the same as COUNT.
# Bounded: as COUNT.
COUNT_LIVING = Script(
    'count_living',
    _CARDINALITY
    + """
local function may_lie(name)
  if name == KEYS[1] then return false end
  return redis.call('SCARD', name) <= tonumber(ARGV[1])
    or redis.call('SISMEMBER', KEYS[2], name) == 1
end
local total, first = 0, 3
for a = 2, #ARGV, 2 do
  local n, doubtful = tonumber(ARGV[a + 1]), true
  local names = {unpack(KEYS, first, first + n - 1)}
  for i = 1, n do doubtful = doubtful and may_lie(names[i]) end
  if doubtful then names[n + 1] = KEYS[1] end
  total = total + tonumber(ARGV[a]) * cardinality(names)
  first = first + n
end
return total
""",
    _nothing,
)

_ROW_OF = """\
local function row_of(pk)
  local row = redis.call('HMGET', ARGV[5] .. pk, unpack(ARGV, 7))
  for i = 1, #row do
    if row[i] then return {pk, row, redis.call('MGET', ARGV[6])[1]} end
  end
end
"""

# Pick one of `pks` and return its row; skip those whose rows are gone.
_PICK_ROW = """\
if order == 'random' then math.randomseed(tonumber(ARGV[4])) end
local function extreme_of(pks)
  local best, low, extreme = 1, order == 'first', tonumber(pks[1])
  for i = 2, #pks do
    local pk = tonumber(pks[i])
    if (pk < extreme) == low and pk ~= extreme then best, extreme = i, pk end
  end
  return best
end
for _ = 1, math.min(16, math.max(1, math.floor(20000 / #pks))) do
  if #pks == 0 then return {} end
  local best = order == 'random' and math.random(#pks)
  if not best then
    -- It fails if a member is no number; the caller finds out which.
    local ok, extreme = pcall(extreme_of, pks)
    if not ok then return false end
    best = extreme
  end
  local found = row_of(pks[best])
  if found then return found end
  table.remove(pks, best)
end
return false
"""

# Pick one object of a result. Skip pks whose rows are gone.
# KEYS: as of FIND.
# ARGV: number of required sets; 'first', 'last' or 'random'; limit of members; seed; prefix of data
# keys; record of incarnations; fields.
# Returns {pk, row, record of incarnations}; {} if nothing matches; nil if the smallest set has more
# members than the limit, or one that is not a number, or 16 tries met pks whose rows are gone.
# Bounded: 128 tries; SCRIPT_LOOKUPS lookups, 3 ms; 20,000 comparisons of pks, 3 ms. Pks above 2^53
# compare as equal to their neighbours.
PICK = Script(
    'pick',
    _SELECT
    + """
local every, order, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local size, base = smallest(every)
"""
    + _ROW_OF
    + """\
local function matches(pk)
  for k = 1, #KEYS do
    if (redis.call('SISMEMBER', KEYS[k], pk) == 1) ~= (k <= every) then return false end
  end
  return true
end
if order == 'random' then
  -- A few tries suffice, unless the other sets exclude nearly all members of the smallest. A
  -- negative count draws each member independently; a positive one gives small sets in fixed order.
  for _, count in ipairs({4, 12, 48}) do
    local tries = redis.call('SRANDMEMBER', base, -count)
    for i = 1, #tries do
      local found = matches(tries[i]) and row_of(tries[i])
      if found then return found end
    end
  end
end
-- Where many objects match, one of the first pks may. Trying these takes less time than reading
-- 300 members.
local low = 0
for _, count in ipairs(order == 'first' and size > 300 and {16, 48, 64} or {}) do
  local pks = {}
  for i = 1, count do pks[i] = tostring(low + i) end
  local inside = redis.call('SMISMEMBER', base, unpack(pks))
  for i = 1, count do
    local found = inside[i] == 1 and matches(pks[i]) and row_of(pks[i])
    if found then return found end
  end
  low = low + count
end
if size > most then return false end
local pks = select_members(every)
"""
    + _PICK_ROW,
)

# Pick one object that is in one of several terms. Skip pks whose rows are gone.
# KEYS: as of FIND_ANY.
# ARGV: as of FIND_ANY the numbers of sets; then as of PICK.
# Returns the same as PICK; nil if the smallest required sets of the terms have more members
# together than the limit.
# Bounded: SCRIPT_LOOKUPS lookups, or UNION_WORK sets and members, 3 ms; 20,000 comparisons of pks,
# 3 ms.
PICK_ANY = Script(
    'pick_any',
    _SELECT_ANY
    + _ROW_OF
    + """
local order = ARGV[2]
local pks = select_any(ARGV[1], tonumber(ARGV[3]))
if not pks then return false end
"""
    + _PICK_ROW,
)

# Tell whether an object matches. A few random members of the smallest set usually do.
# KEYS: as of FIND.
# ARGV: number of required sets; limit of members.
# Returns 1 or 0; nil if only the members of a set above the limit could tell.
# Bounded: 64 tries in SCRIPT_SETS sets; SCRIPT_LOOKUPS lookups, 3 ms.
ANY = Script(
    'any',
    _SELECT
    + """
local every = tonumber(ARGV[1])
local size, base = smallest(every)
if size == 0 or #KEYS == 1 then return size > 0 and 1 or 0 end
local tries = redis.call('SRANDMEMBER', base, -64)
for k = 1, #KEYS do
  local kept, inside = {}, redis.call('SMISMEMBER', KEYS[k], unpack(tries))
  for i = 1, #tries do
    if (inside[i] == 1) == (k <= every) then kept[#kept + 1] = tries[i] end
  end
  tries = kept
  if #tries == 0 then break end
end
if #tries > 0 then return 1 end
if size > tonumber(ARGV[2]) then return false end
return #select_members(every) > 0 and 1 or 0
""",
    _nothing,
)
