"""Scripts that say how keys are stored; they read only."""

from __future__ import annotations

from ..script import ScriptPair

__all__ = ('MEASURE',)

# Measure keys. The script runs only commands that fit the type of the key, since the server counts
# errors, and does not repeat a command that was refused.
# KEYS: names.
# ARGV: 1 to measure memory and encoding too; names of fields.
# Returns for each key: its number of members or fields, -1 for another type (the plain text
# measures sets and hashes, the other text sorted sets); its bytes of memory, 0 if the key does not
# exist, -1 if the caller did not ask or the server refuses to measure; its encoding, '' where the
# bytes are 0 or -1; the length of each field.
# Bounded: MEASURED_KEYS keys and MEASURE_CALLS commands, about 0.3 ms.
MEASURE = ScriptPair(
    'measure',
    """
- local sizes = {set = 'SCARD', hash = 'HLEN'}
+ local sizes = {zset = 'ZCARD'}
local refused = {}
local function try(command, what, key)
  if ARGV[1] ~= '1' or refused[command] then return false end
  local answer = redis.pcall(command, what, key)
  if type(answer) == 'table' then
    refused[command] = true
    return false
  end
  return answer
end
local seen = {}
for i = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  local facts = {-1, 0, ''}
  if kind ~= 'none' then
    facts[2] = try('MEMORY', 'USAGE', KEYS[i]) or -1
    facts[3] = try('OBJECT', 'ENCODING', KEYS[i]) or ''
  end
  if sizes[kind] then facts[1] = redis.call(sizes[kind], KEYS[i]) end
  for a = 2, #ARGV do
    facts[a + 2] = kind == 'hash' and redis.call('HSTRLEN', KEYS[i], ARGV[a]) or 0
  end
  seen[i] = facts
end
return seen
""",
)
