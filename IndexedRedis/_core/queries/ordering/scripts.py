"""The scripts of a walk along a sorted set. They only read, so replicas run them."""

from __future__ import annotations

from ...script import Script

__all__ = ('SIFT', 'WALK')

_ARGUMENTS = """
local k, a = 4, 0
local function keys(n)
  local names = {}
  for i = 1, n do k = k + 1; names[i] = KEYS[k] end
  return names
end
local function arg() a = a + 1; return ARGV[a] end
local function number() return tonumber(arg()) end
local down, exact = arg() == 'down', arg() == '1'
local skip, wanted, last, most, small = number(), number(), arg(), number(), number()
local function range()
  local low, high = arg(), arg()
  local open_low, open_high = low:sub(1, 1) == '(', high:sub(1, 1) == '('
  return {
    low = low, high = high, open_low = open_low, open_high = open_high,
    from = tonumber(open_low and low:sub(2) or low),
    to = tonumber(open_high and high:sub(2) or high)
  }
end
local segments = {}
for s = 1, number() do segments[s] = range() end
local first, score_before, member_before = number(), arg(), arg()
-- Estimated microseconds for a member: to read it, and to look it up in the sets.
local clauses, ranges, cost = {}, {}, 0.15
for c = 1, number() do
  local clause = {}
  for l = 1, number() do
    local inside, n = number(), number()
    clause[l] = {inside = inside, sets = keys(n)}
    cost = cost + n
  end
  clauses[c] = clause
end
for r = 1, number() do
  local key = keys(1)[1]
  ranges[r] = range()
  ranges[r].key = key
  cost = cost + 0.6
end
-- Each pk is a member, so as many members as pks are all listed. Else a long list of new objects,
-- which is not committed, has its scores already.
local listed
if redis.call('ZCARD', KEYS[1]) ~= redis.call('SCARD', KEYS[4]) then
  listed = {{inside = 1, sets = {KEYS[4]}}}
  cost = cost + 1
end
"""

# Functions on scores, which are texts: a double has 17 digits, and Lua shows 14.
_SCORES = """
local zset = KEYS[1]
local function within(number, range)
  return (number > range.from or (number == range.from and not range.open_low))
    and (number < range.to or (number == range.to and not range.open_high))
end
local function flipped(bound)
  return bound:sub(1, 1) == '(' and bound:sub(2) or '(' .. bound
end
-- Whether objects of this score have one value, so that their order is that of the members.
local function settled(score)
  return exact and (score == 'inf' or math.abs(tonumber(score)) < 9007199254740992)
end
-- Ranks count from the end at which the walk begins.
local function rank_at(bound_low, bound_high)
  if down then return redis.call('ZCOUNT', zset, flipped(bound_high), '+inf') end
  return redis.call('ZCOUNT', zset, '-inf', flipped(bound_low))
end
local function rank_behind(bound_low, bound_high)
  if down then return redis.call('ZCOUNT', zset, bound_low, '+inf') end
  return redis.call('ZCOUNT', zset, '-inf', bound_high)
end
local function page(start, stop)
  return redis.call(down and 'ZREVRANGE' or 'ZRANGE', zset, start, stop)
end
-- The rank of the first member behind a member of a score, which need not be there any more.
local function rank_after(score, member)
  local low, high = rank_at(score, score), rank_behind(score, score)
  while member ~= '' and low < high do
    local middle = math.floor((low + high) / 2)
    local there = page(middle, middle)[1]
    local behind = there > member
    if down then behind = there < member end
    if behind then high = middle else low = middle + 1 end
  end
  return low
end
"""

_TEST = """
local function matching_clause(clause, members)
  local kept, pass = {}, {}
  for l = 1, #clause do
    local literal, any = clause[l], {}
    for s = 1, #literal.sets do
      local inside = redis.call('SMISMEMBER', literal.sets[s], unpack(members))
      for i = 1, #members do
        if inside[i] == 1 then any[i] = 1 end
      end
    end
    for i = 1, #members do
      if (any[i] or 0) == literal.inside then pass[i] = true end
    end
  end
  for i = 1, #members do
    if pass[i] then kept[#kept + 1] = members[i] end
  end
  return kept
end
local function matching_range(range, members)
  local kept, scores = {}, redis.call('ZMSCORE', range.key, unpack(members))
  for i = 1, #members do
    if scores[i] and within(tonumber(scores[i]), range) then kept[#kept + 1] = members[i] end
  end
  return kept
end
-- Return those of some members that match, in their order.
local function matching(members, but)
  if listed and #members > 0 then members = matching_clause(listed, members) end
  for c = 1, #clauses do
    if c ~= but and #members > 0 then members = matching_clause(clauses[c], members) end
  end
  for r = 1, #ranges do
    if #members > 0 then members = matching_range(ranges[r], members) end
  end
  return members
end
"""

_FEW = """
-- The clause that the fewest members pass, of those that need them to be in a set; their number.
local function fewest()
  local best, size = nil, redis.call('ZCARD', zset)
  for c = 1, #clauses do
    local literal = clauses[c][1]
    if #clauses[c] == 1 and literal.inside == 1 then
      local n = 0
      for s = 1, #literal.sets do n = n + redis.call('SCARD', literal.sets[s]) end
      if n < size then best, size = c, n end
    end
  end
  return best, size
end
-- Keys ascend in either direction.
local function comes_before(one, other)
  if one.key ~= other.key then return one.key < other.key end
  return one.pk ~= other.pk and (one.pk < other.pk) ~= down
end
-- The last of so many first keys. To insert a few takes a fifth of the time that sorting all takes.
local function last_of(keys, count)
  if #keys <= count then return math.huge end
  local best = {}
  if count > 50 then
    for i = 1, #keys do best[i] = keys[i] end
    table.sort(best)
  end
  for i = 1, count > 50 and 0 or #keys do
    local key, at = keys[i], #best
    if at < count or key < best[at] then
      while at > 0 and best[at] > key do at = at - 1 end
      table.insert(best, at + 1, key)
      best[count + 1] = nil
    end
  end
  return best[count]
end
local function gather(c, add)
  local members, literal = {}, clauses[c][1]
  for s = 1, #literal.sets do
    local some = redis.call('SMEMBERS', literal.sets[s])
    if #some > 0 then some = matching(some, c) end
    for i = 1, #some do members[#members + 1] = some[i] end
  end
  local scores = #members > 0 and redis.call('ZMSCORE', zset, unpack(members)) or {}
  local place = score_before ~= '' and {pk = member_before, key = tonumber(score_before)}
  if place and down then place.key = -place.key end
  for s = first, #segments do
    local keys, places, kept = {}, {}, {}
    for i = 1, #members do
      local number = scores[i] and tonumber(scores[i])
      if number and within(number, segments[s]) then
        local key = down and -number or number
        -- Whether it lies behind the place to begin.
        if not place or key > place.key or (key == place.key and (place.pk == ''
            or comes_before(place, {pk = members[i], key = key}))) then
          keys[#keys + 1], places[#places + 1] = key, i
        end
      end
    end
    place = nil
    local last_key = last_of(keys, math.max(1, skip + wanted))
    for i = 1, #keys do
      if keys[i] <= last_key then
        kept[#kept + 1] = {pk = members[places[i]], score = scores[places[i]], key = keys[i]}
      end
    end
    table.sort(kept, comes_before)
    for i = 1, #kept do
      if add(s, kept[i].pk, kept[i].score) then return end
    end
    if #kept < #keys then
      add(s, '', '')
      return
    end
  end
end
"""

# Return the next members of a sorted set that match, in order. Where the order of the last members
# is not settled by their scores, all members of that score are among them.
# KEYS: sorted set; swap marker; record of incarnations; set of all pks; the sets of all clauses;
# the sorted sets of all ranges.
# ARGV: 'up' or 'down'; 1 if equal scores below 2^53 are settled, else 0; matches to skip; matches
# wanted behind these; score of the last match so far, or ''; limit of microseconds, by estimate;
# size of a small set, whose members are gathered and sorted, not met on the way; number of
# segments; for each: lowest and highest score; number of the segment to begin with; score and
# member to begin behind, or '' and ''; number of clauses; for each: number of literals; for each: 1
# for inside or 0, number of sets; number of ranges; for each: lowest and highest score; limit of
# values; prefix of data keys; fields.
# Returns {{swap marker, record of incarnations}, matches that are left to skip, pks, scores, rows,
# place, 1 if there are enough matches, {number of the clause that the fewest members pass, their
# number}, which is {0, 0} if none needs a set, witnesses: pks of this data set, if there is a
# place}. The place is {segment, score, member} to go on behind, nil if that is all. Rows are left
# out if there are more values than the limit.
# Bounded: the limit of microseconds (WALK_US), or the members of a small set (SMALL_SET), 1.5 ms
# and their lookups in the other sets; the limit of values, 1 ms.
WALK = Script(
    'walk',
    _ARGUMENTS
    + _SCORES
    + _TEST
    + _FEW
    + """
local pks, scores, place = {}, {}, false
local need, enough, segment_of_last = skip + wanted, false, first
-- Add a match, unless there are enough.
local function add(segment, pk, score)
  enough = #pks >= need and (score ~= last or settled(last))
  if enough then
    place = #pks > 0 and {segment_of_last, scores[#pks], pks[#pks]}
      or score_before ~= '' and {first, score_before, member_before} or false
  else
    segment_of_last = segment
    pks[#pks + 1], scores[#scores + 1], last = pk, score, score
  end
  return enough
end
-- If every member matches, those to skip need no look.
local jumps = #clauses + #ranges == 0 and not listed and skip > 0
local function jump(start, stop)
  if not jumps then return start end
  local begin = stop + 1
  if start + skip <= stop then
    jumps, begin = false, start + skip
    local score = redis.call('ZMSCORE', zset, page(begin, begin)[1])[1]
    if not settled(score) then begin = math.max(start, rank_at(score, score)) end
  end
  skip = skip - math.max(0, begin - start)
  need = skip + wanted
  return begin
end
-- Estimated microseconds so far, and for a match (MATCH_US).
local us, match_cost = 0, 2.5
-- Walk along a segment; return true if that is all for this step.
local function walk(s)
  local start = rank_at(segments[s].low, segments[s].high)
  local stop = rank_behind(segments[s].low, segments[s].high) - 1
  if s == first and score_before ~= '' then
    start = math.max(start, rank_after(score_before, member_before))
  end
  start = jump(start, stop)
  local size, segment_end = math.min(1000, math.max(20, need + 1)), stop
  while start <= stop do
    if #pks >= need and last ~= '' then
      -- Only the rest of a group of equal scores is wanted.
      local group_end = settled(last) and start - 1 or rank_behind(last, last) - 1
      if start > group_end then return add(s, '', '') end
      stop = math.min(stop, group_end)
    end
    -- All of them may match.
    size = math.max(1, math.min(size, math.floor((most - us) / (cost + match_cost))))
    local members = page(start, math.min(start + size - 1, stop))
    local behind, found = members[#members], matching(members)
    local found_scores = #found > 0 and redis.call('ZMSCORE', zset, unpack(found)) or {}
    for i = 1, #found do
      if add(s, found[i], found_scores[i]) then return true end
    end
    start, size = start + #members, math.min(1000, size * 2)
    us = us + #members * cost + #found * match_cost
    if us + 20 * (cost + match_cost) > most and start <= stop then
      place = {s, redis.call('ZMSCORE', zset, behind)[1], behind}
      return true
    end
  end
  -- Members behind the rest of a group may match.
  if start <= segment_end then return add(s, '', '') end
end
local clause, members = fewest()
-- If matches are spread evenly, a walk meets so many members per match as it has per member.
if clause and members <= small and members * members <= need * redis.call('ZCARD', zset) then
  gather(clause, add)
else
  for s = first, #segments do
    if walk(s) then break end
  end
end
local rows, values, prefix, fields = {}, number(), arg(), {}
while ARGV[a + 1] do fields[#fields + 1] = arg() end
if #pks * #fields <= values and (enough or not place) then
  for i = 1, #pks do rows[i] = redis.call('HMGET', prefix .. pks[i], unpack(fields)) end
end
return {
  redis.call('MGET', KEYS[2], KEYS[3]), skip, pks, scores, rows, place, enough and 1 or 0,
  {clause or 0, clause and members or 0},
  listed and place and redis.call('SRANDMEMBER', KEYS[4], 5) or {place and place[3] or nil}
}
""",
)

# Return those of some pks that a walk would find, in no order.
# KEYS: as of WALK.
# ARGV: as of WALK up to the ranges; number of a clause that all of the pks pass; pks.
# Returns {pks, scores}.
# Bounded: GATHERED_AT_ONCE pks, each looked up in MOST_SETS sets at most: 1 ms for two sets.
SIFT = Script(
    'sift',
    _ARGUMENTS
    + _SCORES
    + _TEST
    + """
local clause = number()
local pks, scores, found = matching({unpack(ARGV, a + 1)}, clause), {}, {{}, {}}
if #pks > 0 then scores = redis.call('ZMSCORE', zset, unpack(pks)) end
for i = 1, #pks do
  for s = 1, scores[i] and #segments or 0 do
    if within(tonumber(scores[i]), segments[s]) then
      table.insert(found[1], pks[i])
      table.insert(found[2], scores[i])
    end
  end
end
return found
""",
)
