"""Reserve pks, and look up the pks of draws whose replies were lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ....errors import UsageError
from ...flows import Batch, Command, Flow, Stream, ask, chunks
from ...incarnations import INCARNATION
from ...keys import HIGHEST_PK, Keys
from ...locking.key_types import wrong_type
from ...mapping.schema import Schema
from ...script import Script
from .draws import NOTED_SECONDS, Draw, check_not_expired

__all__ = ('DRAW', 'give_pks', 'highest', 'refusal', 'reserve', 'resolve')

# Pks that one SMISMEMBER tests.
PKS_IN_ONE_COMMAND = 1000

# A function that draws consecutive pks that are not in use: `draw(count, above, tested, stride,
# offset, number)`. The counter may be below pks in use: 6.0.3 could leave it so. A counter above
# the highest pk is refused, since numbers of Lua are exact up to 2^53.
# KEYS: counter, set of all pks, record of incarnations, note of the draw.
# Parameters: how many pks, above which pk, the largest number of pks to test; the distance of the
# pks, and their remainder by it; number of the draw (see draws.py), or nil: leave no note.
# Returns the first pk, the id of the incarnation or '', and whether it was drawn here: it was not
# if the note has the number, or a later one. If there are more pks than it may test, the caller has
# to test whether they are in use. If it reserves no pk, it returns one value: false if all tried
# pks are in use; {key, reason} if a key is unusable. The reason is the type of the key, 'text that
# is no number', or 'full'.
DRAW = (
    f'local HIGHEST, NOTED_SECONDS = {HIGHEST_PK}, {NOTED_SECONDS}'
    + INCARNATION
    + """
local function raise_counter(count, above, tested, stride, offset)
  if count == 1 and above == 0 and stride == 1 then -- the common case: two commands, not six
    local pk = redis.pcall('INCRBY', KEYS[1], 1)
    if type(pk) == 'number' then
      local used = pk <= HIGHEST and redis.pcall('SISMEMBER', KEYS[2], string.format('%.0f', pk))
      if used == 0 then return pk end
      if used ~= 1 then redis.call('INCRBY', KEYS[1], -1) end
    end
  end
  local kinds = {'string', 'set'}
  for k = 1, 2 do
    local actual = redis.call('TYPE', KEYS[k]).ok
    if actual ~= kinds[k] and actual ~= 'none' then return {KEYS[k], actual} end
  end
  local counter = redis.call('GET', KEYS[1]) or '0'
  if not string.find(counter, '^%d+$') then return {KEYS[1], 'text that is no number'} end
  local last = math.max(tonumber(counter), above)
  last = last - (last - offset) % stride
  for _ = 1, math.max(10, math.floor(1000 / count)) do
    if last + count * stride > HIGHEST then return {KEYS[1], 'full'} end
    local first, free = last + stride, true
    last = last + count * stride
    if count <= tested then
      local pks = {}
      for pk = first, last, stride do pks[#pks + 1] = string.format('%.0f', pk) end
      for _, used in ipairs(redis.call('SMISMEMBER', KEYS[2], unpack(pks))) do
        free = free and used == 0
      end
    end
    if free then
      redis.call('SET', KEYS[1], string.format('%.0f', last))
      return first
    end
  end
  redis.call('SET', KEYS[1], string.format('%.0f', last))
  return false
end
local function draw(count, above, tested, stride, offset, number)
  local noted = number and redis.pcall('GET', KEYS[4])
  if type(noted) == 'string' then
    local of, pk, drawn = string.match(noted, '^(%d+) (%d+) (%x*)$')
    if of and tonumber(of) >= tonumber(number) then return tonumber(pk), drawn, false end
  end
  local drawn = incarnation(KEYS[3], KEYS[1])
  local first = raise_counter(count, above, tested, stride, offset)
  if type(first) ~= 'number' then return first end
  if number then
    local text = string.format('%s %.0f %s', number, first, drawn)
    redis.call('SET', KEYS[4], text, 'EX', NOTED_SECONDS)
  end
  return first, drawn, true
end
"""
)

# Reserve pks.
# KEYS: counter, set of all pks, record of incarnations; to repeat a draw, its note.
# ARGV: how many pks, above which pk, the largest number of pks that the script tests, the distance
# of the pks, and their remainder by it; to repeat a draw, its number.
# Returns {first pk, id of the incarnation or ''}, or what DRAW returns instead.
# Bounded: 10,000 tests of pks.
RESERVE = Script(
    'reserve',
    DRAW
    + """
local numbers = {}
for a = 1, 5 do numbers[a] = tonumber(ARGV[a]) end
local first, drawn = draw(numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], ARGV[6])
return drawn and {first, drawn} or first
""",
)


def highest(pks: Iterable[int]) -> int:
    """Return the highest of these pks; 0 for no pks."""
    return max(pks, default=0)


def reserve(
    schema: Schema, count: int, above: int = 0, draw: Draw | None = None
) -> Flow[tuple[int, bytes]]:
    """Reserve ``count`` pks that are not in use, and follow each other as ``Keys.pks`` tells.

    Returns the first pk, and the id of the incarnation that they are drawn under.

    :param above: the highest given pk that the caller uses besides
    :param draw: a draw of one pk to repeat: if it took place, the pk is the one that it drew
    :raises WrongKeyTypeError: if the counter, or the set of all pks, has another type
    :raises UsageError: if fewer pks are left up to the highest one
    """
    keys = schema.keys
    while True:
        answer = yield from ask(*_reserve_command(keys, count, above, draw))
        if answer is None:
            continue
        first, drawn = answer
        if isinstance(first, bytes):
            raise refusal(schema, count, first, drawn)
        if count <= PKS_IN_ONE_COMMAND:
            return first, drawn
        if not (yield from _any_in_use(schema, keys.pks(first, count))):
            return first, drawn


def resolve(schema: Schema, draw: Draw) -> Flow[tuple[int, bytes]]:
    """Return the pk of a draw, as :func:`reserve` does; draw it if no script has.

    :raises OutcomeUnknownError: if the note may have expired
    """
    check_not_expired(schema, draw)
    return (yield from reserve(schema, 1, draw=draw))


def _reserve_command(keys: Keys, count: int, above: int, draw: Draw | None) -> Command:
    names = [keys.next, keys.all, keys.incarnations]
    args = [count, above, PKS_IN_ONE_COMMAND, keys.stride, keys.offset]
    if draw is not None:
        names.append(draw.note(keys))
        args.append(draw.number)
    return RESERVE(names, *args)


def refusal(schema: Schema, count: int, key: bytes, found: bytes) -> Exception:
    """Return the error for a reply that says why no pk can be drawn.

    :param found: what the key holds instead, or ``full``
    """
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
