"""Store new objects: one script checks that their pks are free, and stores whole rows.

There is nothing to compare, since the pks were just reserved. Another save with a given pk, or a
reset, may still use one of them. Then the script writes nothing, and the caller stores the rows by
comparing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...flows import Batch, Command, Flow
from ...incarnations import IS_LOST
from ...mapping.index_keys import grouped_by_index, grouped_by_sorted, unique_key
from ...mapping.schema import Schema
from ...objects.state import assigned, confirm_row
from ...script import DENIED, ScriptPair
from ..acknowledging import check_acknowledged, wait_commands
from ..entry import Entry, Mode, Reserved
from ..scripts import CURSOR, NOTE_TOUCHED
from ..sizes import insert_us
from ..unique import Claim, refuse_repeat
from .pks import reserve

__all__ = ('Draft', 'insert_all')

# Functions that store a packed row, fill a set and read the sets in KEYS and ARGV. Needs CURSOR.
_STORE = """
local function in_thousands(first, last, call)
  for start = first, last, 1000 do call(start, math.min(start + 999, last)) end
end
local function store(data, packed)
  local pairs = cmsgpack.unpack(packed)
  for i = 1, #pairs, 1000 do
    redis.call('HSET', data, unpack(pairs, i, math.min(i + 999, #pairs)))
  end
end
local function fill(name, first, last)
  in_thousands(first, last, function(i, j) redis.call('SADD', name, unpack(ARGV, i, j)) end)
end
+ local function sort(name, first, last)
+   in_thousands(first, last, function(i, j) redis.call('ZADD', name, unpack(ARGV, i, j)) end)
+ end
-- KEYS: index sets. ARGV: for each: number of members, members.
local function read_sets(count)
  local sets = {}
  for s = 1, count do
    local size = tonumber(arg())
    sets[s] = {name = key(), first = a + 1, last = a + size}
    a = a + size
  end
  return sets
end
"""

# Store new objects of one or several models, under reserved pks.
# KEYS: for each model: set of all pks, record of resets, touched index sets, counter, record of
# incarnations; hashes; index sets; sorted sets.
# ARGV: number of models; for each: number of objects, number of index sets, id of the incarnation
# that the pks were drawn under or '', pks, packed rows; for each index set: number of members,
# members; in the second text: number of index sets of unique values, which come first; number of
# sorted sets; for each: number of scores and members, these in pairs.
# Returns 1; 0 if a pk or a row is in use, a pk is lost or above the counter, a unique value has an
# index set or a writer is on record, or a key has another type, and then nothing is written.
# Bounded: 4 ms of rows (SCRIPT_US).
INSERT = ScriptPair(
    'insert',
    CURSOR
    + DENIED
    + NOTE_TOUCHED
    + IS_LOST
    + _STORE
    + """
local models = {}
for g = 1, tonumber(arg()) do
  local model = {
    all = key(), record = key(), touched = key(), counter = key(), incarnations = key(),
    count = tonumber(arg())
  }
  local sets = tonumber(arg())
  model.drawn = arg()
  model.pks, model.rows, model.hashes = a, a + model.count, k
  k, a = k + model.count, a + 2 * model.count
  model.sets = read_sets(sets)
+   model.unique = tonumber(arg())
+   model.sorted = read_sets(tonumber(arg()))
  models[g] = model
end
local function is_set(name)
  local kind = redis.call('TYPE', name).ok
  return kind == 'set' or kind == 'none'
end
+ local function is_sorted(name)
+   local kind = redis.call('TYPE', name).ok
+   return kind == 'zset' or kind == 'none'
+ end
local function is_drawn(model)
  local last = ARGV[model.pks + model.count]
  return not is_lost(model.incarnations, model.drawn, last)
    and (tonumber(redis.pcall('GET', model.counter)) or 0) >= tonumber(last)
end
local function is_free(model)
  local free = is_set(model.all) and (model.drawn == '' or is_drawn(model))
  for _, set in ipairs(model.sets) do free = free and is_set(set.name) end
+   for _, set in ipairs(model.sorted) do free = free and is_sorted(set.name) end
+   for s = 1, model.unique do
+     local set = model.sets[s]
+     free = free and set.first == set.last and redis.call('EXISTS', set.name) == 0
+   end
+   if model.unique > 0 then free = free and redis.call('EXISTS', model.record) == 0 end
  if not free then return false end
  in_thousands(1, model.count, function(i, j)
    local pks, rows = model.pks, model.hashes
    for _, used in ipairs(redis.call('SMISMEMBER', model.all, unpack(ARGV, pks + i, pks + j))) do
      free = free and used == 0
    end
    free = free and redis.call('EXISTS', unpack(KEYS, rows + i, rows + j)) == 0
  end)
  return free
end
for _, model in ipairs(models) do
  if not is_free(model) then return 0 end
end
for _, model in ipairs(models) do
  model.resetting = redis.call('EXISTS', model.record) == 1
  local no = denied(
-     {'SADD', model.all, ''}, model.resetting and {'PEXPIRE', model.touched, '1'})
+     {'SADD', model.all, ''}, model.resetting and {'PEXPIRE', model.touched, '1'},
+     {'ZADD', model.all, '0', ''})
  if no then return no end
end
for _, model in ipairs(models) do
  for i = 1, model.count do store(KEYS[model.hashes + i], ARGV[model.rows + i]) end
  for _, set in ipairs(model.sets) do
    fill(set.name, set.first, set.last)
    if model.resetting then touch(model.touched, set.name) end
  end
+   for _, set in ipairs(model.sorted) do sort(set.name, set.first, set.last) end
  fill(model.all, model.pks + 1, model.pks + model.count)
end
return 1
""",
)


class Draft:
    """New objects of one model, encoded.

    :param schema: the model
    :param objs: the objects
    :param reserved: pks that linked objects are about to get, by ``id()``
    :raises FieldValueError: if a value has no stored form
    """

    def __init__(self, schema: Schema, objs: Sequence[Any], reserved: Reserved) -> None:
        self.schema, self.objs = schema, objs
        # Before encoding, so that an assignment in between is detected.
        self._values = [assigned(obj) for obj in objs]
        self.rows = schema.encoder.rows(objs, reserved)
        self.pks: Any = range(0)  # or the draw of its pk, for a single object
        self.drawn = b''

    @property
    def us(self) -> int:
        """Microseconds that the server takes to store the objects."""
        schema = self.schema
        indexes = len(schema.indexed) + len(schema.uniques)
        width = insert_us(len(schema.all), indexes, len(schema.sorted))
        return len(self.objs) * width

    def draw_pks(self) -> Flow[None]:
        """Reserve a pk for each object."""
        count = len(self.objs)
        first, self.drawn = yield from reserve(self.schema, count)
        self.pks = self.schema.keys.pks(first, count)

    def relink(self, reserved: Reserved) -> None:
        """Encode the links with the pks that their targets got."""
        if self.schema.links:
            self.rows = self.schema.encoder.rows(self.objs, reserved)

    def entries(self) -> Iterator[Entry]:
        """Yield the rows as single entries."""
        columns = self.schema.columns
        for obj, pk, row, values in zip(self.objs, self.pks, self.rows, self._values, strict=True):
            expected = {column.name: None for column in self.schema.indexed}
            written = dict(zip(columns, row, strict=True))
            entry = Entry(self.schema, pk, Mode.INSERT, written, expected, obj, values)
            entry.drawn = self.drawn
            yield entry

    def claims(self) -> list[Claim]:
        """Return the unique values of the objects, whose pks are drawn.

        :raises UniqueError: if two objects share one
        """
        found: dict[bytes, Claim] = {}
        for pk, row in zip(self.pks, self.rows, strict=True) if self.schema.uniques else ():
            by_name = dict(zip(self.schema.columns, row, strict=True))
            for unique in self.schema.uniques:
                stored = unique.values_in(by_name)
                if not unique.is_null(stored):
                    key = unique_key(self.schema, unique, stored)
                    refuse_repeat(found, Claim(unique, key, pk, stored))
        return [*found.values()]

    def confirm(self) -> None:
        """Mark all objects as saved."""
        for obj, pk, row, values in zip(self.objs, self.pks, self.rows, self._values, strict=True):
            confirm_row(obj, pk, row, values, self.schema.columns, self.schema.plain, self.drawn)


def insert_all(drafts: Sequence[Draft]) -> Flow[bool]:
    """Store all objects, whose pks are drawn, or none.

    :returns: whether they are stored
    :raises AnswerLost: if the reply is lost
    :raises NotAcknowledgedError: if too few replicas confirm them
    """
    schemas = [draft.schema for draft in drafts]
    waits = wait_commands(schemas)
    done, *confirmed = yield Batch([_command(drafts), *waits], once=True)
    if done:
        check_acknowledged(schemas, waits, confirmed)
    return bool(done)


def _command(drafts: Sequence[Draft]) -> Command:
    names: list[bytes] = []
    args: list[Any] = [len(drafts)]
    extended = any(draft.schema.is_extended for draft in drafts)
    for draft in drafts:
        schema, keys = draft.schema, draft.schema.keys
        pks = [b'%d' % pk for pk in draft.pks]
        sets = grouped_by_index(schema, pks, draft.rows)
        unique = dict.fromkeys(claim.key for claim in draft.claims())
        sets = {**{key: sets[key] for key in unique}, **sets}
        scores = grouped_by_sorted(schema, pks, draft.rows)
        names += (keys.all, keys.record, keys.touched, keys.next, keys.incarnations)
        names += (keys.data_prefix + pk for pk in pks)
        names += (*sets, *scores)
        args += (len(pks), len(sets), draft.drawn, *pks, *schema.pack_rows(draft.rows))
        args += _counted(sets)
        if extended:
            args += (len(unique), len(scores), *_counted(scores))
    return INSERT.of(extended)(names, *args)


def _counted(sets: Mapping[bytes, Sequence[bytes]]) -> Iterator[Any]:
    for members in sets.values():
        yield len(members)
        yield from members
