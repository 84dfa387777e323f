"""Delete rows by comparing: a script removes index entries of the values that are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ConflictError
from ..column import EMPTY
from ..expressions.matching import Matcher
from ..flows import Batch, Command, Flow
from ..incarnations import IS_LOST, drawn_arguments, is_lost
from ..locking.key_types import wrong_type
from ..mapping.index_keys import index_keys_of_rows
from ..mapping.schema import Schema
from ..script import DENIED, ScriptPair
from .acknowledging import check_acknowledged, wait_commands
from .compare_and_move import COMMITTED_STATE, ROUNDS, Step, UnfinishedWrite
from .entry import expected_token
from .scripts import READ_RECORD

__all__ = ('Drawn', 'Expected', 'delete_rows')

# The values that are expected to be stored in the indexed fields, by pk.
Expected = dict[int, list[Any]]
# The ids of the incarnations under which pks were drawn, where they are known.
Drawn = Mapping[int, bytes]

# DELETE and DELETE_STEP share this text. They compare row by row, but remove pks set by set, which
# takes a third of the time of moving entries row by row.
_DELETE = (
    DENIED
    + READ_RECORD
    + IS_LOST
    + """
local all, count, width = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local pks, problems = 4 + width + 2 * tonumber(ARGV[3 + width]), {}
local expected, sets = pks + count, pks + count + count * width
local function must_be(kind, name, row)
  local actual = redis.call('TYPE', name).ok
  if actual ~= kind and actual ~= 'none' then
    problems[#problems + 1] = {row, 'type', name, actual}
  end
end
local function check_row(row, at)
  local data = KEYS[before + row]
  local actual = width > 0 and redis.pcall('HMGET', data, unpack(ARGV, 3, 2 + width)) or {}
  if width == 0 or actual.err then return must_be('hash', data, row) end
  for f = 1, width do
    if ARGV[at + f] ~= (actual[f] and '=' .. actual[f] or '-') then
      problems[#problems + 1] = {row, 'stale', actual}
      return
    end
  end
end
local resetting, unfinished = read_record(KEYS[3], KEYS[2], own)
if unfinished then return {{1, 'unfinished'}} end
for a = 4 + width, pks - 1, 2 do
  local listed = is_lost(KEYS[4], ARGV[a], ARGV[a + 1])
  if listed then return {{1, 'lost', listed}} end
end
local skipped = (resetting or left) and {}
for a = pks, skipped and expected - 1 or 0 do
  skipped[ARGV[a]] = resetting and redis.call('SISMEMBER', all, ARGV[a]) == 0
    or left and redis.call('HEXISTS', left, ARGV[a]) == 0
end
must_be('set', all, 1)
+ for k = sorted, before do must_be('zset', KEYS[k], 1) end
for k = before + 1 + count, #KEYS do must_be('set', KEYS[k], 1) end
for i = 1, count do
  local skip = skipped and skipped[ARGV[pks + i - 1]]
  if not skip then check_row(i, expected - 1 + (i - 1) * width) end
end
if #problems > 0 then return problems end
-- A part of a list without items of skipped pks. Usually none is skipped, and nothing is copied.
local function leaving(list, first, last, first_pk)
  if not skipped then return list, first, last end
  local part = {}
  for i = first, last do
    if not skipped[ARGV[first_pk + i - first]] then part[#part + 1] = list[i] end
  end
  return part, 1, #part
end
local function in_thousands(command, name, list, first, last)
  local sum = 0
  for i = first, last, 1000 do
    sum = sum + redis.call(command, name, unpack(list, i, math.min(i + 999, last)))
  end
  return sum
end
- local no = denied({'UNLINK', all}, left and {'HDEL', left, ''})
+ local no = denied({'UNLINK', all}, {'ZREM', all, ''}, left and {'HDEL', left, ''})
if no then return no end
local gone = in_thousands('SREM', all, leaving(ARGV, pks, expected - 1, pks))
for k = before + 1 + count, #KEYS do
  local first, last = sets + 1, sets + tonumber(ARGV[sets])
  in_thousands('SREM', KEYS[k], leaving(ARGV, first, last, first))
  sets = last + 1
end
+ for k = sorted, before do in_thousands('ZREM', KEYS[k], leaving(ARGV, pks, expected - 1, pks)) end
local hashes, first, last = leaving(KEYS, before + 1, before + count, pks)
for i = first, last, 1000 do
  redis.call('UNLINK', unpack(hashes, i, math.min(i + 999, last)))
end
if left then in_thousands('HDEL', left, ARGV, pks, expected - 1) end
return gone
"""
)

# Delete rows that are stored as expected: all of them, or none. Skip rows that a reset has staged.
# KEYS: set of all pks, lock, records of resets and of incarnations, sorted sets, hashes of the
# rows, index sets that may list them.
# ARGV: number of rows, number of indexed fields, these fields, number of incarnations that pks were
# drawn under; for each: id, highest pk; pks; for each row the expected value of each field (as of
# WRITE); for each index set: number of pks to remove from it, these pks; with sorted fields their
# number.
# Returns the number of objects that were stored, or problems: {row, 'stale', stored values}, {row,
# 'type', key, type}, {1, 'unfinished'}, {1, 'lost', record of incarnations}. With any, nothing is
# written.
# Bounded: 4 ms of rows (SCRIPT_US) or 250 rows (CHUNK in bulk/delete.py), a few index sets for each
# index, and those that the filters name.
DELETE = ScriptPair(
    'delete',
    """
- local own, left, before = '', nil, 4
+ local own, left, sorted = '', nil, 5
+ local before = sorted - 1 + tonumber(ARGV[#ARGV])"""
    + _DELETE,
)

# Delete rows in a step of a committed write. Skip rows that are not left: another process did them.
# KEYS: as of DELETE; after the records, the hash of the rows that are left, by pk.
# ARGV: as of DELETE; with sorted fields the token of the owner before their number, else last.
# Returns the same as DELETE.
# Bounded: 250 rows (ROWS_OF_A_STEP).
DELETE_STEP = ScriptPair(
    'delete_step',
    """
- local own, left, before = ARGV[#ARGV], KEYS[5], 5
+ local own, left, sorted = ARGV[#ARGV - 1], KEYS[5], 6
+ local before = sorted - 1 + tonumber(ARGV[#ARGV])"""
    + _DELETE,
)


def delete_rows(
    schema: Schema,
    expected: Expected,
    leave: Sequence[bytes] = (),
    matcher: Matcher | None = None,
    step: Step | None = None,
    drawn: Drawn = EMPTY,
    is_last: bool = False,
) -> Flow[int]:
    """Delete all of these objects, or none; return how many were stored.

    :param expected: the expected values by pk; the flow adapts them to the stored ones
    :param leave: further index sets that may list the objects
    :param matcher: leaves out rows that do not match
    :param step: the step of a committed write, or None
    :param drawn: the incarnations of pks; lost pks are left out
    :param is_last: wait for replicas, if the model asks for it: the operation ends with this write
    :raises UnfinishedWrite: if a killed process left a committed write
    :raises NotAcknowledgedError: if too few replicas confirm the write
    """
    waits = wait_commands([schema]) if is_last else []
    for _ in range(ROUNDS):
        if not expected:
            return 0
        also = step.also if step else ()
        command = _command(schema, expected, leave, step, drawn)
        answer, *others = yield Batch([command, *also, *waits])
        if isinstance(answer, int):
            check_acknowledged([schema], waits, others)
            return answer
        _learn(schema, expected, answer, matcher, drawn)
    raise ConflictError(
        f'{schema.name}: other writers changed the same objects {ROUNDS} times while they were '
        f'being deleted. {COMMITTED_STATE if step else "Try again."}'
    )


def _learn(
    schema: Schema,
    expected: Expected,
    problems: Sequence[Any],
    matcher: Matcher | None,
    drawn: Drawn,
) -> None:
    """Expect the values that the script returned; leave out rows that do not match."""
    pks = list(expected)
    for number, kind, *details in problems:
        if kind == b'type':
            raise wrong_type(schema, *details)
        if kind == b'unfinished':
            raise UnfinishedWrite(schema)
        if kind == b'lost':
            for pk, each in drawn.items():
                if is_lost(details[0], each, pk):
                    expected.pop(pk, None)
            return
        actual = list(details[0])
        pk = pks[number - 1]
        if matcher is not None and not matcher.matches(pk, actual):
            del expected[pk]
        else:
            expected[pk] = actual


def _command(
    schema: Schema,
    expected: Mapping[int, list[Any]],
    leave: Sequence[bytes],
    step: Step | None,
    drawn: Drawn,
) -> Command:
    own = schema.keys
    pks = [b'%d' % pk for pk in expected]
    keys = [own.all, own.lock, own.record, own.incarnations, *([step.left] if step else [])]
    keys += schema.sorted_keys
    keys += (own.data_prefix + pk for pk in pks)
    args: list[Any] = [len(pks), len(schema.indexed), *schema.keys_of(schema.indexed)]
    checked = ((each, pk) for pk, each in drawn.items() if pk in expected)
    args += (*drawn_arguments(checked), *pks)
    for row in expected.values():
        args += map(expected_token, row)
    listed = index_keys_of_rows(schema, pks, expected.values())
    for key, some in {**listed, **dict.fromkeys(leave, pks)}.items():
        keys.append(key)
        args += (len(some), *some)
    if step:
        args.append(step.token)
    if schema.sorted:
        args.append(len(schema.sorted))
    return (DELETE_STEP if step else DELETE).of(schema.sorted)(keys, *args)
