"""Commit a long list, and finish committed lists, step by step.

A list that would keep one script busy for too long goes in steps. First it is stored under work
keys: rows by pk (``LEFT``), or ranges of pks whose rows are stored but not listed (``RANGES``).
Then the record of resets says ``committed``. From then on the write happens, even if this process
dies: the next writer, a reset or ``repair()`` finishes it. The script of each step removes rows
from the work key as it writes them, so each row is written once, whoever sends the step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from ..flows import Batch, Command, Flow, ask, scan
from ..keys import LEFT, RANGES, REFUSED, VALUES, is_allowed_pk, parse_range
from ..locking.key_types import wrong_type
from ..locking.locks import LockOwner, lock_lost_error
from ..locking.scripts import FORGET, MAY_COMMIT
from ..locking.transactions import guarded_store, guarded_transaction, objection
from ..mapping.schema import Schema
from ..queries.by_pk import indexed_values_of
from ..script import DENIED, ScriptPair
from ..writes.compare_and_move import Step, write_step
from ..writes.delete import delete_rows
from ..writes.entry import Entry, Mode, hset_arguments
from ..writes.sizes import delete_us, in_steps

__all__ = (
    'COMMITTED',
    'PUBLISHED_AT_ONCE',
    'commit',
    'each_range',
    'finish',
    'packed',
    'parse_left',
    'publish_commands',
    'store_left',
)

# The state of a committed write in the record of resets.
COMMITTED = b'committed'
# Pks that one script publishes, in 0.6 to 1.2 us each.
PUBLISHED_AT_ONCE = 2000
# The COUNT of the HSCAN of LEFT; a page is written in steps of STEP_US.
ROWS_OF_A_PAGE = 200

# Publish stored rows: add the first pks of a range to the set of all pks. The rest stays a range.
# KEYS: ranges that are left, set of all pks.
# ARGV: first pk and length of a range, number of pks to add, prefix of data keys, 1 to skip pks
# without a row; in the second text: the distance of the pks.
# Returns 1; 0 if the range is not left: another process published it.
# Bounded: 2,000 pks (PUBLISHED_AT_ONCE).
PUBLISH = ScriptPair(
    'publish',
    DENIED
    + """
local first, count, size = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.call('SISMEMBER', KEYS[1], ARGV[1] .. ' ' .. ARGV[2]) == 0 then return 0 end
local no = denied({'SREM', KEYS[1], ''})
if no then return no end
- for start = first, first + size - 1, 1000 do
+ local stride = tonumber(ARGV[6])
+ for start = first, first + (size - 1) * stride, 1000 * stride do
  local pks = {}
-   for number = start, math.min(start + 999, first + size - 1) do
+   for number = start, math.min(start + 999 * stride, first + (size - 1) * stride), stride do
    local pk = string.format('%.0f', number)
    if ARGV[5] ~= '1' or redis.call('EXISTS', ARGV[4] .. pk) == 1 then pks[#pks + 1] = pk end
  end
  if #pks > 0 then redis.call('SADD', KEYS[2], unpack(pks)) end
end
if count > size then
-   redis.call('SADD', KEYS[1], string.format('%.0f %.0f', first + size, count - size))
+   redis.call('SADD', KEYS[1], string.format('%.0f %.0f', first + size * stride, count - size))
end
redis.call('SREM', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
return 1
""",
    'of_partition',
)


def packed(entry: Entry) -> bytes:
    """Return the value of a row in ``LEFT``: its mode, fields and values; see ``parse_left``."""
    parts = (entry.mode.encode('ascii'), *hset_arguments(entry))
    return b''.join(b'%d:%b' % (len(part), part) for part in parts)


def parse_left(pk: bytes, row: bytes) -> tuple[int, list[bytes]] | None:
    """Return pk, and mode, fields and values of a row in ``LEFT``; no mode: delete the object.

    None for a pk or a row that no writer stores there.
    """
    parts, at = list[bytes](), 0
    while at < len(row):
        size = re.compile(rb'(\d{1,10}):').match(row, at)
        if size is None or (at := size.end() + int(size[1])) > len(row):
            return None
        parts.append(row[size.end() : at])
    modes = (Mode.INSERT.encode(), Mode.UPDATE.encode(), Mode.PUT.encode())
    if parts and (parts[0] not in modes or len(parts) % 2 == 0):
        return None
    if not is_allowed_pk(pk):
        return None
    return int(pk), parts


def store_left(owner: LockOwner, rows: Mapping[int, bytes], extend: Command) -> Flow[None]:
    """Store rows of a write that is going to be committed.

    :param rows: values for ``LEFT`` by pk; ``b''`` for an object to delete
    :raises ResetLostError: if the lock is lost
    :raises WrongKeyTypeError: if the set of all pks has another type
    """
    keys, token = owner.schema.keys, owner.token
    pairs = (part for pk, row in rows.items() for part in (pk, row))
    command = ('HSET', keys.work(token, LEFT), *pairs)
    _, *replies = yield Batch([extend, *guarded_store(keys, token, [command])])
    against = objection(replies)
    if isinstance(against, list):
        raise wrong_type(owner.schema, *against)
    if against is not None:
        raise lock_lost_error([owner])


def commit(owners: Sequence[LockOwner], also: Sequence[Command] = ()) -> Flow[bool]:
    """Commit the write of a long list, of all models at once; return whether it is committed.

    :param also: commands to carry out in the same moment
    :raises WrongKeyTypeError: if the set of all pks has another type
    """
    token, own = owners[0].token, [owner.schema.keys for owner in owners]
    names = [name for keys in own for name in (keys.lock, keys.record, keys.all)]
    commands = [*(('HSET', keys.record, token, COMMITTED) for keys in own), *also]
    flag, locks = own[0].work(token, REFUSED), [keys.lock for keys in own]
    batch = guarded_transaction(MAY_COMMIT, (flag, *names), (token,), locks, commands)
    against = objection((yield Batch(batch)))
    if isinstance(against, list):
        key = against[0]
        (schema, *_) = [each.schema for each in owners if each.schema.keys.all == key]
        raise wrong_type(schema, *against)
    return against in (None, b'done')


def publish_commands(
    owner: LockOwner, pks: range, in_full: bool = False, careful: bool = False
) -> list[Command]:
    """Return the commands that publish stored rows, one for each step.

    :param pks: a range of ``RANGES``
    :param in_full: send the text of the script, for a transaction: EVALSHA could fail in it
    :param careful: skip pks without a row
    """
    keys = owner.schema.keys
    names = [keys.work(owner.token, RANGES), keys.all]
    of_partition = (keys.stride,) if keys.stride > 1 else ()
    script = PUBLISH.of(of_partition)
    call = script.in_full if in_full else script
    steps = range(0, len(pks), PUBLISHED_AT_ONCE)
    rests = [pks[start:] for start in steps]
    return [
        call(
            names,
            rest.start,
            len(rest),
            min(len(rest), PUBLISHED_AT_ONCE),
            keys.data_prefix,
            int(careful),
            *of_partition,
        )
        for rest in rests
    ]


def finish(schema: Schema, token: bytes, extend: Sequence[Command] = ()) -> Flow[None]:
    """Finish a committed write. Skip what no writer stores in its work keys.

    :param extend: commands to send along with each step
    """
    keys, owner = schema.keys, LockOwner(schema, token)
    ranges, left = keys.work(token, RANGES), keys.work(token, LEFT)

    def publish(text: bytes, reserved: range) -> Flow[None]:
        for command in publish_commands(owner, reserved, careful=True):
            yield Batch([command, *extend])
        yield from ask('SREM', ranges, text)

    # Repeat, since a process that wakes up may publish a part of a range, and leave another range.
    while (yield from ask('EXISTS', ranges)):
        yield from each_range(schema, token, publish)

    def write(page: list[bytes]) -> Flow[None]:
        parsed = map(parse_left, page[::2], page[1::2])
        rows = dict(row for row in parsed if row is not None)
        yield from _write_left(schema, rows, Step(left, token, extend))

    yield from scan(write, left, by='HSCAN', count=ROWS_OF_A_PAGE)
    # Last: until here nobody else stores the unique values.
    values = (keys.work(token, VALUES),) if schema.uniques else ()
    yield Batch([('UNLINK', left, *values), FORGET([keys.record, ranges, left], token)])


def each_range(
    schema: Schema, token: bytes, act: Callable[[bytes, range], Flow[None]]
) -> Flow[None]:
    """Act on each range of pks that a writer has listed, page by page.

    :param act: gets the text of a range, and its pks: none for a text that no writer lists, or
        above the counter
    """
    counter = yield from ask('GET', schema.keys.next)
    highest = int(counter) if counter and counter.isdigit() else 0

    def act_on(page: list[bytes]) -> Flow[None]:
        for text in page:
            yield from act(text, parse_range(text, highest, schema.keys.stride))

    yield from scan(act_on, schema.keys.work(token, RANGES))


def _write_left(schema: Schema, rows: Mapping[int, list[bytes]], step: Step) -> Flow[None]:
    """Write one page of the rows that are left."""
    stored = yield from indexed_values_of(schema, list(rows))
    names = {column.key: name for name, column in schema.columns.items()}
    gone: dict[int, list[Any]] = {}
    entries = []
    for (pk, parts), expected in zip(rows.items(), stored, strict=True):
        if parts:
            entries.append(_entry(schema, pk, parts, names, expected))
        else:
            gone[pk] = expected
    # A page may be long: the server gives a small hash whole.
    us = delete_us(schema)
    for some in in_steps(gone.items(), lambda item: us):
        yield from delete_rows(schema, dict(some), step=step)
    for few in in_steps(entries, attrgetter('us')):
        yield from write_step(few, step)


def _entry(
    schema: Schema, pk: int, row: list[bytes], names: Mapping[bytes, str], expected: Sequence[Any]
) -> Entry:
    mode, *parts = row
    pairs = zip(parts[::2], parts[1::2], strict=True)
    written = {names[field]: value for field, value in pairs if field in names}
    indexed, compared = zip(schema.indexed, expected, strict=True), schema.compared(written)
    moved = {column.name: value for column, value in indexed if column.name in compared}
    return Entry(schema, pk, mode.decode('ascii'), written, moved)
