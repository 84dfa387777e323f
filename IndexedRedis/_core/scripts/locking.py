"""Scripts of the locks of models, which resets hold."""

from __future__ import annotations

from .script import Script

__all__ = ('BEGIN', 'HOLD', 'RELEASE')

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
