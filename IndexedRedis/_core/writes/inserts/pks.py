"""Reserve pks, in a script of its own: the script that stores may be sent twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ....errors import UsageError
from ...flows import Batch, Command, Flow, Stream, ask, chunks
from ...incarnations import INCARNATION
from ...keys import HIGHEST_PK, Keys
from ...locking.key_types import wrong_type
from ...mapping.schema import Schema
from ...script import ScriptPair

__all__ = ('give_pks', 'highest', 'reserve')

# Pks that one SMISMEMBER tests.
PKS_IN_ONE_COMMAND = 1000

# Reserve consecutive pks that are not in use; the second text: pks of one partition. The counter
# may be below pks in use: 6.0.3 could leave it so. A counter above the highest pk is refused, since
# numbers of Lua are exact up to 2^53.
# KEYS: counter, set of all pks, record of incarnations.
# ARGV: how many pks, above which pk, the largest number of pks that the script tests; in the second
# text: the distance of the pks, and their remainder by it.
# Returns the first pk, or {first pk, id of the incarnation} if that is known (if ARGV[1] is above
# ARGV[3], the caller has to test whether the pks are in use); nil if all tried pks are in use;
# {key, its type, 'text that is no number', or 'full'} if a key is unusable, and then no pk is
# reserved.
# Bounded: 10,000 tests of pks.
RESERVE = ScriptPair(
    'reserve',
    f'local HIGHEST = {HIGHEST_PK}'
    + INCARNATION
    + """
local drawn = incarnation(KEYS[3], KEYS[1])
local function answer(pk) return drawn ~= '' and {pk, drawn} or pk end
- if ARGV[1] == '1' and ARGV[2] == '0' then -- the common case: two commands instead of six
-   local pk = redis.pcall('INCRBY', KEYS[1], 1)
-   if type(pk) == 'number' then
-     local used = pk <= HIGHEST
-       and redis.pcall('SISMEMBER', KEYS[2], string.format('%.0f', pk))
-     if used == 0 then return answer(pk) end
-     if used ~= 1 then redis.call('INCRBY', KEYS[1], -1) end
-   end
- end
local kinds = {'string', 'set'}
for k = 1, 2 do
  local actual = redis.call('TYPE', KEYS[k]).ok
  if actual ~= kinds[k] and actual ~= 'none' then return {KEYS[k], actual} end
end
local counter = redis.call('GET', KEYS[1]) or '0'
if not string.find(counter, '^%d+$') then return {KEYS[1], 'text that is no number'} end
local count = tonumber(ARGV[1])
local last = math.max(tonumber(counter), tonumber(ARGV[2]))
+ local stride, offset = tonumber(ARGV[4]), tonumber(ARGV[5])
+ last = last - (last - offset) % stride
for _ = 1, math.max(10, math.floor(1000 / count)) do
-   if last + count > HIGHEST then return {KEYS[1], 'full'} end
-   local first, free = last + 1, true
-   last = last + count
+   if last + count * stride > HIGHEST then return {KEYS[1], 'full'} end
+   local first, free = last + stride, true
+   last = last + count * stride
  if count <= tonumber(ARGV[3]) then
    local pks = {}
-     for pk = first, last do pks[#pks + 1] = string.format('%.0f', pk) end
+     for pk = first, last, stride do pks[#pks + 1] = string.format('%.0f', pk) end
    for _, used in ipairs(redis.call('SMISMEMBER', KEYS[2], unpack(pks))) do
      free = free and used == 0
    end
  end
  if free then
    redis.call('SET', KEYS[1], string.format('%.0f', last))
    return answer(first)
  end
end
redis.call('SET', KEYS[1], string.format('%.0f', last))
return false
""",
    'of_partition',
)


def highest(pks: Iterable[int]) -> int:
    """Return the highest of these pks; 0 for no pks."""
    return max(pks, default=0)


def reserve(schema: Schema, count: int, above: int = 0) -> Flow[tuple[int, bytes]]:
    """Reserve ``count`` pks that are not in use, and follow each other as ``Keys.pks`` tells.

    Returns the first pk, and the id of the incarnation that they are drawn under.

    :param above: the highest given pk that the caller uses besides
    :raises WrongKeyTypeError: if the counter, or the set of all pks, has another type
    :raises UsageError: if fewer pks are left up to the highest one
    """
    keys = schema.keys
    while True:
        answer = yield from ask(*_reserve_command(keys, count, above))
        if answer is None:
            continue
        first, drawn = answer if isinstance(answer, list) else (answer, b'')
        if isinstance(first, bytes):
            raise _refusal(schema, count, first, drawn)
        if count <= PKS_IN_ONE_COMMAND:
            return first, drawn
        if not (yield from _any_in_use(schema, keys.pks(first, count))):
            return first, drawn


def _reserve_command(keys: Keys, count: int, above: int) -> Command:
    names = [keys.next, keys.all, keys.incarnations]
    of_partition = (keys.stride, keys.offset) if keys.stride > 1 else ()
    return RESERVE.of(of_partition)(names, count, above, PKS_IN_ONE_COMMAND, *of_partition)


def _refusal(schema: Schema, count: int, key: bytes, found: bytes) -> Exception:
    if found != b'full':
        return wrong_type(schema, key, found)
    return UsageError(
        f'{schema.name}: the counter {key!r} leaves no room for {count:,} more pks up to '
        f'{HIGHEST_PK}, the highest. Nothing was written. If no object has such a pk, '
        f'{schema.name}.objects.repair() lowers the counter.'
    )


def _any_in_use(schema: Schema, pks: Iterable[int]) -> Flow[bool]:
    used: list[Any] = []
    asked = (
        Batch([('SMISMEMBER', schema.keys.all, *group)])
        for group in chunks(pks, PKS_IN_ONE_COMMAND)
    )
    yield Stream(asked, lambda replies: used.extend(replies[0]))
    return 1 in used


def give_pks(entries: Sequence[Any], above: int = 0) -> Flow[None]:
    """Reserve a pk for each of the entries, all of one model.

    :param above: the highest given pk that the caller uses besides
    """
    if entries:
        schema = entries[0].schema
        first, drawn = yield from reserve(schema, len(entries), above)
        for pk, entry in zip(schema.keys.pks(first, len(entries)), entries, strict=True):
            entry.pk, entry.drawn = pk, drawn
