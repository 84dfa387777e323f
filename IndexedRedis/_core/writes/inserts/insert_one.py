"""Store one new object in one trip: the script that stores the object draws its pk.

A second round trip would only reserve the pk: half of the time over a network, a third on one
machine. After a lost reply the flow looks the draw up (:mod:`.draws`), and writes the row by
comparing.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from ...flows import Batch, Command, Flow, NoConnection, ServerFull
from ...mapping.index_keys import grouped_by_index, grouped_by_sorted
from ...objects.graph import children
from ...script import DENIED, ScriptPair
from .. import sizes
from ..acknowledging import check_acknowledged, wait_commands
from ..scripts import NOTE_TOUCHED
from .draws import Draw, free_token, new_draw
from .insert import Draft
from .pks import DRAW, refusal

__all__ = ('insert_one', 'may_insert_one')

# Draw a pk, and store a new object under it.
# KEYS: counter, set of all pks, record of incarnations, note of the draw, record of resets, touched
# index sets; index sets, those of unique values first; sorted sets.
# ARGV: number of the draw, beginning of the name of a hash; in the second text: number of index
# sets of unique values, number of sorted sets, the score in each; fields and values.
# Returns {pk, id of the incarnation or '', whether the object is stored}. It is not if the draw was
# noted before, the row exists, a key has another type, or a unique value has an index set or a
# writer is on record. If no pk can be drawn, it returns what DRAW does.
# Bounded: 1,000 tests of pks, one row of 500 fields (FIELDS_IN_ONE_COMMAND).
INSERT_ONE = ScriptPair(
    'insert_one',
    DENIED
    + NOTE_TOUCHED
    + DRAW
    + """
local all, resetting = KEYS[2], redis.call('EXISTS', KEYS[5]) == 1
local no = denied(
+   {'ZADD', all, '0', ''},
  {'SET', KEYS[4], ''}, {'SADD', all, ''}, resetting and {'PEXPIRE', KEYS[6], '1'})
if no then return no end
local first, drawn, is_new = draw(1, 0, 1, 1, 0, ARGV[1])
if not drawn then return first end
if not is_new then return {first, drawn, 0} end
local pk = string.format('%.0f', first)
local row = ARGV[2] .. pk
- local last, values = #KEYS, 3
+ local unique, scores = tonumber(ARGV[3]), tonumber(ARGV[4])
+ local last, values = #KEYS - scores, 5 + scores
local free = redis.call('EXISTS', row) == 0
local function must_be(expected, first, last)
  for k = first, last do
    local kind = redis.call('TYPE', KEYS[k]).ok
    free = free and (kind == expected or kind == 'none')
  end
end
must_be('set', 7, last)
+ must_be('zset', last + 1, #KEYS)
+ if unique > 0 then
+   free = free and not resetting and redis.call('EXISTS', unpack(KEYS, 7, 6 + unique)) == 0
+ end
if not free then return {first, drawn, 0} end
redis.call('HSET', row, unpack(ARGV, values))
for k = 7, last do
  redis.call('SADD', KEYS[k], pk)
  if resetting then touch(KEYS[6], KEYS[k]) end
end
+ for s = 1, scores do redis.call('ZADD', KEYS[last + s], ARGV[4 + s], pk) end
redis.call('SADD', all, pk)
return {first, drawn, 1}
""",
)


def may_insert_one(draft: Draft) -> bool:
    """Return whether a draft is of one object that :func:`insert_one` can store.

    That is none of a model with partitions, and none that links to itself: the link needs the pk.
    """
    schema, obj = draft.schema, draft.objs[0]
    if len(draft.objs) > 1 or schema.keys.stride > 1:
        return False
    if len(schema.all) > sizes.FIELDS_IN_ONE_COMMAND or draft.us > sizes.SCRIPT_US:
        return False
    return not schema.links or not any(child is obj for child in children(obj))


def insert_one(draft: Draft) -> Flow[bool]:
    """Draw a pk for the object, and store it.

    :returns: whether it is stored; it has its pk in any case
    :raises AnswerLost: if the reply is lost; then the draft has the draw for its pk
    :raises NotAcknowledgedError: if too few replicas confirm the object
    :raises WrongKeyTypeError: if the counter, or the set of all pks, has another type
    :raises UsageError: if no pk is left up to the highest one
    """
    schema, draw, answer = draft.schema, new_draw(), None
    draft.pks = (draw,)
    waits = wait_commands([schema])
    try:
        while answer is None:
            answer, *confirmed = yield Batch([_command(draft, draw), *waits], once=True)
    except (NoConnection, ServerFull) as error:
        # Nothing is stored; but what a full server refused may be a command of waits.
        if isinstance(error, NoConnection) or not waits:
            _end(draft, draw, None)
        raise
    if len(answer) == 2:
        _end(draft, draw, None)
        raise refusal(schema, 1, *answer)
    pk, draft.drawn, is_stored = answer
    _end(draft, draw, pk)
    if is_stored:
        check_acknowledged([schema], waits, confirmed)
    return bool(is_stored)


def _end(draft: Draft, draw: Draw, pk: int | None) -> None:
    """Put the pk that was drawn, or None, in the place of the draw, and free its token."""
    draft.pks = (pk,)
    free_token(draw)


def _command(draft: Draft, draw: Draw) -> Command:
    schema, keys = draft.schema, draft.schema.keys
    (row,) = draft.rows
    names = [keys.next, keys.all, keys.incarnations, draw.note(keys), keys.record, keys.touched]
    args: list[Any] = [draw.number, keys.data_prefix]
    sets = grouped_by_index(schema, (b'',), draft.rows)
    if schema.is_extended:
        unique = dict.fromkeys(claim.key for claim in draft.claims())
        scores = grouped_by_sorted(schema, (b'',), draft.rows)
        names += (*unique, *(key for key in sets if key not in unique), *scores)
        args += (len(unique), len(scores), *(score for score, _ in scores.values()))
    else:
        names += sets
    args += chain.from_iterable(zip(schema.keys_of(schema.all), row, strict=True))
    return INSERT_ONE.of(schema.is_extended)(names, *args)
