"""Scripts that say how keys are stored; they read only."""

from __future__ import annotations

from ..script import Script

__all__ = ('MEASURE',)

# KEYS: names. ARGV: 1 to have memory and encoding looked at too; names of fields. Returns for each
# key its members or fields (-1: no set and no hash), its bytes of memory (-1: the server, or its
# rules for this user, do not allow MEMORY; or not asked for), its encoding ('' likewise), and the
# length of each field. No command is tried that would fail for the type of a key: the server
# counts errors. What is refused once is not tried again.
MEASURE = Script(
    'measure',
    """
local sizes = {set = 'SCARD', hash = 'HLEN'}
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
  local facts = {-1, try('MEMORY', 'USAGE', KEYS[i]) or -1, ''}
  if kind ~= 'none' then facts[3] = try('OBJECT', 'ENCODING', KEYS[i]) or '' end
  if sizes[kind] then facts[1] = redis.call(sizes[kind], KEYS[i]) end
  for a = 2, #ARGV do
    facts[a + 2] = kind == 'hash' and redis.call('HSTRLEN', KEYS[i], ARGV[a]) or 0
  end
  seen[i] = facts
end
return seen
""",
)
