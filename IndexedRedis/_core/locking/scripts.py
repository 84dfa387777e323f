"""Scripts of the locks of models, which resets and writes of long lists hold.

*Touched index sets* are those that writers add to while a lock is held; a set names them. The
*record of resets* is a hash: token of a lock owner -> state of its work.
"""

from __future__ import annotations

from ..script import DENIED, Script

__all__ = (
    'BEGIN',
    'CLEAR',
    'CLEAR_SETS',
    'FORGET',
    'GIVE_UP',
    'HOLD',
    'MAY_COMMIT',
    'MAY_STORE',
    'PRUNE',
    'RELEASE',
    'RETIRE',
    'UNSORT',
)


# Record the owner of a lock as staging. Clear the touched index sets if no other owner is recorded:
# those of a dead owner may list pks without objects until its recovery.
# KEYS: lock, touched index sets, record of resets.
# ARGV: token.
# Returns 1; 0 without the lock.
# Bounded: the owners on record, a handful.
BEGIN = Script(
    'begin',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[3], ARGV[1], 'staging')
if #redis.call('HKEYS', KEYS[3]) == 1 then redis.call('UNLINK', KEYS[2]) end
return 1
""",
)

# Extend the locks of an owner.
# KEYS: for each model: lock, record of resets.
# ARGV: token, milliseconds, 1 to take an expired lock again. It is taken only if the record still
# says `staging`: another owner that had the lock meanwhile would have swept that.
# Returns 1; 0 if a lock is lost, and then nothing is extended.
# Bounded: four commands for each model of one call, such as resetMany().
HOLD = Script(
    'hold',
    """
local free = {}
for k = 1, #KEYS, 2 do
  local holder = redis.call('GET', KEYS[k])
  if not holder and ARGV[3] == '1' and redis.call('HGET', KEYS[k + 1], ARGV[1]) == 'staging' then
    free[#free + 1] = KEYS[k]
  elseif holder ~= ARGV[1] then
    return 0
  end
end
for _, lock in ipairs(free) do redis.call('SET', lock, ARGV[1]) end
for k = 1, #KEYS, 2 do redis.call('PEXPIRE', KEYS[k], ARGV[2]) end
return 1
""",
)

# Release a lock that the owner still holds. Remove the touched index sets, unless the record of
# resets has an owner left.
# KEYS: lock, touched index sets, record of resets.
# ARGV: token.
# Returns the number of removed keys; 0 without the lock.
# Bounded: three commands.
RELEASE = Script(
    'release',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('EXISTS', KEYS[3]) == 1 then return redis.call('UNLINK', KEYS[1]) end
return redis.call('UNLINK', KEYS[1], KEYS[2])
""",
)


# The frame of a guard. It returns nil if `objection` returns nil. On an objection, or an error, it
# also writes to KEYS[1]. That key is watched, so EXEC does nothing.
_GUARD = """
local function objection()
%s
end
local ok, reason = pcall(objection)
if ok and not reason then return false end
redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
if not ok then error(reason) end
return reason
"""


# Guard a transaction that stages rows or index entries: its owner holds the lock, the pks are free,
# and the keys are sets.
# KEYS: key to write to, lock, set of all pks, index sets.
# ARGV: token, pks.
# Returns nil to agree; else 'lost', 'taken', or {key, its type} for a key that is not a set.
# Bounded: 100 pks (CHUNK) and 500 index sets (SETS in transactions.py).
MAY_STORE = Script(
    'may_store',
    _GUARD
    % """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
for k = 3, #KEYS do
  local kind = redis.call('TYPE', KEYS[k]).ok
  if kind ~= 'set' and kind ~= 'none' then return {KEYS[k], kind} end
end
for a = 2, #ARGV, 1000 do
  local pks = {unpack(ARGV, a, math.min(a + 999, #ARGV))}
  for _, used in ipairs(redis.call('SMISMEMBER', KEYS[3], unpack(pks))) do
    if used == 1 then return 'taken' end
  end
end
""",
)


# Guard the commit of a long list: its owner holds the locks, and nobody swept what it staged.
# KEYS: key to write to; for each model: lock, record of resets, set of all pks.
# ARGV: token.
# Returns nil to agree; 'done' if the list is committed already; 'lost' if a lock is lost, or the
# stage was swept; {key, its type} if the set of all pks has another type.
# Bounded: three commands for each model of the list.
MAY_COMMIT = Script(
    'may_commit',
    _GUARD
    % """
if redis.call('HGET', KEYS[3], ARGV[1]) == 'committed' then return 'done' end
for k = 2, #KEYS, 3 do
  if redis.call('GET', KEYS[k]) ~= ARGV[1] then return 'lost' end
  if redis.call('HGET', KEYS[k + 1], ARGV[1]) ~= 'staging' then return 'lost' end
  local kind = redis.call('TYPE', KEYS[k + 2]).ok
  if kind ~= 'set' and kind ~= 'none' then return {KEYS[k + 2], kind} end
end
""",
)


# Give up what a writer has staged: if it is suspended, it must not go on when it wakes up.
# KEYS: lock, record of resets.
# ARGV: token of the writer, token of the caller: the owner of the lock, or the writer itself.
# Returns the state of the writer afterwards, nil if it is not on record; 'lost' if the caller has
# lost the lock: then the writer may be at work again.
# Bounded: three commands.
GIVE_UP = Script(
    'give_up',
    """
if ARGV[1] ~= ARGV[2] and redis.call('GET', KEYS[1]) ~= ARGV[2] then return 'lost' end
local state = redis.call('HGET', KEYS[2], ARGV[1])
if state ~= 'staging' then return state end
redis.call('HSET', KEYS[2], ARGV[1], 'swept')
return 'swept'
""",
)


# The sweep of a writer may be suspended too. When it wakes up, another process may have finished
# the sweep, and a reset may have staged objects under the same given pks. The record tells.
#
# Remove rows that a writer has replaced, or staged and not used. Skip pks that are listed.
# KEYS: set of all pks, record of resets.
# ARGV: token of the writer, milliseconds that the rows stay readable (0: none), prefix of data
# keys, pks.
# Returns 1; 0 if the writer is not on record, and then nothing is removed.
# Bounded: 200 pks (PAGE_MEMBERS).
RETIRE = Script(
    'retire',
    """
local call, grace, prefix = redis.call, ARGV[2], ARGV[3]
if call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return 0 end
local used = call('SMISMEMBER', KEYS[1], unpack(ARGV, 4))
for a = 4, #ARGV do
  if used[a - 3] == 0 then
    if grace == '0' then call('UNLINK', prefix .. ARGV[a])
    else call('PEXPIRE', prefix .. ARGV[a], grace) end
  end
end
return 1
""",
)


# Remove from index sets pks that a writer has replaced, or staged and not used. Skip pks that are
# listed. Usually none is: then one SREM for each set takes a third of the time of one for each pk.
# KEYS: set of all pks, record of resets, index sets.
# ARGV: token of the writer, number of pks, pks; for each index set: number of pks to remove from
# it, these pks.
# Returns 1; 0 if the writer is not on record, and then nothing is removed.
# Bounded: 200 pks and 200 index sets (PAGE_MEMBERS); one SREM of up to 200 pks for each set, or 200
# for each index of the model.
PRUNE = Script(
    'prune',
    """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return 0 end
local last = 2 + tonumber(ARGV[2])
local used, any = {}, false
for i, inside in ipairs(redis.call('SMISMEMBER', KEYS[1], unpack(ARGV, 3, last))) do
  if inside == 1 then used[ARGV[2 + i]], any = true, true end
end
local a = last + 1
for k = 3, #KEYS do
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
return 1
""",
)


# Remove from sorted sets pks that a writer has replaced, or staged and not used. Skip pks that are
# listed.
# KEYS: set of all pks, record of resets, sorted sets.
# ARGV: token of the writer, pks.
# Returns 1; 0 if the writer is not on record, and then nothing is removed.
# Bounded: 200 pks (PAGE_MEMBERS), in one ZREM for each sorted field of the model.
UNSORT = Script(
    'unsort',
    DENIED
    + """
local no = denied({'ZREM', KEYS[1], ''})
if no then return no end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return 0 end
local gone = {}
for i, inside in ipairs(redis.call('SMISMEMBER', KEYS[1], unpack(ARGV, 2))) do
  if inside == 0 then gone[#gone + 1] = ARGV[i + 1] end
end
if #gone > 0 then
  for k = 3, #KEYS do redis.pcall('ZREM', KEYS[k], unpack(gone)) end
end
return 1
""",
)


# Empty index sets of a model that is being destroyed, apart from pks that are listed.
# KEYS: lock, set of all pks, index sets.
# ARGV: token, budget of members; each set costs ten more.
# Returns how many sets are done; -1 without the lock: then the sets may belong to another reset.
# Bounded: 200 sets (SETS), and a budget of 2,000 members (AT_ONCE). The last set may exceed it, by
# 1,000 members (MOST) and those that writers added after the swap.
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


# Remove work keys of a model that is being destroyed, and rows of pks that are not listed.
# KEYS: lock, set of all pks, work keys.
# ARGV: token, prefix of data keys, pks.
# Returns 1; 0 without the lock.
# Bounded: the keys of one page of SCAN, about 1,000 (PAGE in destroy.py).
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


# Remove an owner from the record, unless it has staged something new.
# KEYS: record of resets, work keys of the owner.
# ARGV: token.
# Returns 1; 0 if a work key exists, or the record does not list the owner.
# Bounded: seven commands, for six work keys at most.
FORGET = Script(
    'forget',
    """
for k = 2, #KEYS do
  if redis.call('EXISTS', KEYS[k]) == 1 then return 0 end
end
return redis.call('HDEL', KEYS[1], ARGV[1])
""",
)
