"""Scripts that look whether the plain commands after them may be carried out (see guarded.py)."""

from __future__ import annotations

from .script import Script

__all__ = ('MAY_PUBLISH', 'MAY_STORE')

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

# Whether what a save of many has stored may be listed among all pks. KEYS: key to touch; for each
# model: lock, record of resets, set of all pks. ARGV: token. Returns nil; 'done' if it is already,
# or 'lost' if a lock is, or a key is no set.
MAY_PUBLISH = Script(
    'may_publish',
    _GUARD
    % """
if redis.call('HGET', KEYS[3], ARGV[1]) == 'stored' then return 'done' end
for k = 2, #KEYS, 3 do
  if redis.call('GET', KEYS[k]) ~= ARGV[1] then return 'lost' end
  local found = redis.call('TYPE', KEYS[k + 2]).ok
  if found ~= 'set' and found ~= 'none' then return 'lost' end
end
""",
)
