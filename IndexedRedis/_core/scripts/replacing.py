"""Scripts of reset(): hold the lock, swap the sets, retire what was replaced."""

from __future__ import annotations

from .script import Script

__all__ = ('HOLD', 'PRUNE', 'RELEASE', 'RETIRE', 'SWAP')

# KEYS: lock, record of resets, set of all pks, where that set moves, counter, note for readers,
# index sets that writers touched meanwhile; then index sets to drop; then pairs of a staged key
# and its place.
# ARGV: token, number of sets to drop, what the record says afterwards, highest pk that was brought
# along, milliseconds of the note for readers (0: none).
# Returns 'done' (also if it was done before), or 'lost'.
SWAP = Script(
    'swap',
    """
local token, drop = ARGV[1], tonumber(ARGV[2])
if redis.call('HGET', KEYS[2], token) == ARGV[3] then return 'done' end
if redis.call('GET', KEYS[1]) ~= token then return 'lost' end
for k = 8 + drop, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[k]) == 0 then return 'lost' end
end
redis.call('HSET', KEYS[2], token, ARGV[3])
for k = 8, 7 + drop do redis.call('UNLINK', KEYS[k]) end
local touched = redis.call('SMEMBERS', KEYS[7])
for t = 1, #touched do
  if touched[t] ~= KEYS[3] then redis.call('UNLINK', touched[t]) end
end
redis.call('UNLINK', KEYS[7])
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) end
for k = 8 + drop, #KEYS, 2 do redis.call('RENAME', KEYS[k], KEYS[k + 1]) end
if tonumber(ARGV[4]) > tonumber(redis.call('GET', KEYS[5]) or '0') then
  redis.call('SET', KEYS[5], ARGV[4])
end
if ARGV[5] ~= '0' then redis.call('SET', KEYS[6], token, 'PX', ARGV[5]) end
return 'done'
""",
)

# What was replaced, or staged and never used. KEYS: set of all pks. ARGV: milliseconds the rows
# stay readable (0: none), prefix of data keys, number of fields, fields, pks. Passes over pks that
# are in use. Returns the rows of those that are not.
RETIRE = Script(
    'retire',
    """
local grace, fields = tonumber(ARGV[1]), tonumber(ARGV[3])
local rows = {}
for a = 4 + fields, #ARGV do
  local pk, data = ARGV[a], ARGV[2] .. ARGV[a]
  if redis.call('SISMEMBER', KEYS[1], pk) == 0 then
    local row = {}
    if fields > 0 then row = redis.call('HMGET', data, unpack(ARGV, 4, 3 + fields)) end
    rows[#rows + 1] = {pk, row}
    if grace == 0 then
      redis.call('UNLINK', data)
    elseif redis.call('PTTL', data) < 0 then
      redis.call('PEXPIRE', data, grace)
    end
  end
end
return rows
""",
)

# KEYS: set of all pks, index sets. ARGV: pks. Takes those that are not in use out of the sets.
PRUNE = Script(
    'prune',
    """
for a = 1, #ARGV do
  if redis.call('SISMEMBER', KEYS[1], ARGV[a]) == 0 then
    for k = 2, #KEYS do redis.call('SREM', KEYS[k], ARGV[a]) end
  end
end
return 0
""",
)

# KEYS: lock, note of touched index sets. ARGV: token, milliseconds. Prolongs both; 0 if the lock is
# not ours any more.
HOLD = Script(
    'hold',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[2], 600000)
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
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
