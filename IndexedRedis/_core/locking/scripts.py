"""Scripts of the locks of models, which resets hold."""

from __future__ import annotations

from ..script import Script

__all__ = (
    'BEGIN',
    'CLEAR',
    'CLEAR_SETS',
    'FINISH',
    'FORGET',
    'HOLD',
    'MAY_COMMIT',
    'MAY_STORE',
    'PRUNE',
    'RELEASE',
    'RETIRE',
)


# KEYS: lock, note of touched index sets, record of resets. ARGV: token, whether to take all others
# off the record. Lists a reset as one that is alive; 0 if the lock is not its own any more.
BEGIN = Script(
    'begin',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '1' then redis.call('UNLINK', KEYS[3]) end
redis.call('HSET', KEYS[3], ARGV[1], 'staging')
redis.call('UNLINK', KEYS[2])
return 1
""",
)

# KEYS: for each model: lock, note of touched index sets, record of resets. ARGV: token,
# milliseconds, whether a lock that ran out may be taken again: only if nobody else had it since,
# who would have swept what the record lists as being staged. Prolongs all; 0 if one is not ours
# any more.
HOLD = Script(
    'hold',
    """
local free = {}
for k = 1, #KEYS, 3 do
  local holder = redis.call('GET', KEYS[k])
  if not holder and ARGV[3] == '1' and redis.call('HGET', KEYS[k + 2], ARGV[1]) == 'staging' then
    free[#free + 1] = KEYS[k]
  elseif holder ~= ARGV[1] then
    return 0
  end
end
for _, lock in ipairs(free) do redis.call('SET', lock, ARGV[1]) end
for k = 1, #KEYS, 3 do
  redis.call('PEXPIRE', KEYS[k], ARGV[2])
  redis.call('PEXPIRE', KEYS[k + 1], 600000)
end
return 1
""",
)

# KEYS: lock, note of touched index sets. ARGV: token. Gives the lock back if it is ours.
RELEASE = Script(
    'release',
    """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1], KEYS[2]) end
return 0
""",
)


_GUARD = """
local function objection()
%s
end
local fine, said = pcall(objection)
if fine and not said then return false end
-- Whatever happens to a key that is watched, EXEC does nothing.
redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
if not fine then error(said) end
return said
"""


# Whether rows may be stored under pks of a reset, or of a save of many. KEYS: key to touch, lock,
# set of all pks, index sets. ARGV: token, pks. Returns nil; or 'lost', 'taken' if somebody stored
# an object under one of the pks, or {key, what it holds} if a key is no set.
MAY_STORE = Script(
    'may_store',
    _GUARD
    % """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
for k = 3, #KEYS do
  local found = redis.call('TYPE', KEYS[k]).ok
  if found ~= 'set' and found ~= 'none' then return {KEYS[k], found} end
end
for a = 2, #ARGV, 1000 do
  local some = {unpack(ARGV, a, math.min(a + 999, #ARGV))}
  for _, used in ipairs(redis.call('SMISMEMBER', KEYS[3], unpack(some))) do
    if used == 1 then return 'taken' end
  end
end
""",
)


# Whether a write of many rows may be committed. KEYS: key to touch; for each model: lock, record of
# resets, set of all pks. ARGV: token. Returns nil; 'done' if it is committed already; 'lost' if a
# lock is; or {key, what it holds} if a key is no set. Bounded by the number of models.
MAY_COMMIT = Script(
    'may_commit',
    _GUARD
    % """
if redis.call('HGET', KEYS[3], ARGV[1]) == 'committed' then return 'done' end
for k = 2, #KEYS, 3 do
  if redis.call('GET', KEYS[k]) ~= ARGV[1] then return 'lost' end
  if redis.call('HGET', KEYS[k + 1], ARGV[1]) ~= 'staging' then return 'lost' end
  local found = redis.call('TYPE', KEYS[k + 2]).ok
  if found ~= 'set' and found ~= 'none' then return {KEYS[k + 2], found} end
end
""",
)


# What was replaced, or staged and never used. KEYS: set of all pks. ARGV: milliseconds the rows
# stay readable (0: none), prefix of data keys, pks. Passes over pks that are in use.
RETIRE = Script(
    'retire',
    """
local call, grace, prefix = redis.call, ARGV[1], ARGV[2]
local used = call('SMISMEMBER', KEYS[1], unpack(ARGV, 3))
for a = 3, #ARGV do
  if used[a - 2] == 0 then
    if grace == '0' then call('UNLINK', prefix .. ARGV[a])
    else call('PEXPIRE', prefix .. ARGV[a], grace) end
  end
end
return 0
""",
)


# KEYS: set of all pks, index sets. ARGV: number of pks, pks; for each index set: number of those of
# them that it may list, these. Takes those that are not in use out of the sets. As nearly always
# none is, that way does not look at each: it takes a third of the time.
PRUNE = Script(
    'prune',
    """
local last = 1 + tonumber(ARGV[1])
local used, any = {}, false
for i, inside in ipairs(redis.call('SMISMEMBER', KEYS[1], unpack(ARGV, 2, last))) do
  if inside == 1 then used[ARGV[1 + i]], any = true, true end
end
local a = last + 1
for k = 2, #KEYS do
  local first, stop = a + 1, a + tonumber(ARGV[a])
  a = stop + 1
  if not any then
    redis.pcall('SREM', KEYS[k], unpack(ARGV, first, stop))
  else
    for i = first, stop do
      if not used[ARGV[i]] then redis.pcall('SREM', KEYS[k], ARGV[i]) end
    end
  end
end
return 0
""",
)


# Index sets of a model that is being destroyed. KEYS: lock, set of all pks, index sets. ARGV:
# token, how many members are looked at here, a set counting as ten more. Leaves in them what
# belongs to a pk that is in use. Returns how many of them are done; -1 without the lock, since they
# may be those of another reset.
CLEAR_SETS = Script(
    'clear_sets',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local budget = tonumber(ARGV[2])
local function clear(name)
  local size = redis.pcall('SCARD', name)
  if type(size) == 'table' then return redis.call('UNLINK', name) end
  budget = budget - size - 10
  redis.call('SINTERSTORE', name, name, KEYS[2])
end
for k = 3, #KEYS do
  clear(KEYS[k])
  if budget < 0 then return k - 2 end
end
return #KEYS - 2
""",
)


# A page of the other keys of such a model. KEYS: lock, set of all pks, work keys. ARGV: token,
# prefix of data keys, pks. Removes the work keys, and the rows of pks that are not in use; 0
# without the lock.
CLEAR = Script(
    'clear',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for k = 3, #KEYS do redis.call('UNLINK', KEYS[k]) end
for a = 3, #ARGV do
  local data = ARGV[2] .. ARGV[a]
  if redis.call('SISMEMBER', KEYS[2], ARGV[a]) == 0 then redis.call('UNLINK', data) end
end
return 1
""",
)


# The last step of destroying a model. KEYS: lock, record of resets, counter, set of all pks. ARGV:
# token. Removes the record, and the counter if there are no objects. Without the lock, or without
# the record, since it is done then, it does nothing: others may have reserved pks.
FINISH = Script(
    'finish',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('UNLINK', KEYS[2])
if redis.call('EXISTS', KEYS[4]) == 0 then redis.call('UNLINK', KEYS[3]) end
return 1
""",
)


# KEYS: record of resets, work keys of one. ARGV: its token. Takes it off the record, unless it has
# staged something new.
FORGET = Script(
    'forget',
    """
for k = 2, #KEYS do
  if redis.call('EXISTS', KEYS[k]) == 1 then return 0 end
end
return redis.call('HDEL', KEYS[1], ARGV[1])
""",
)
