"""Unique values: who has a value already, and the reservations of long lists.

Scripts judge by the pks in the index set of a value. Another program, such as version 6.0.3, may
have left a wrong entry there. So the rows of these pks decide, and wrong entries are removed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...errors import UniqueError
from ..flows import Batch, Command, Flow, chunks
from ..keys import VALUES
from ..locking.locks import LockOwner, lock_lost_error
from ..mapping.index_keys import unique_key
from ..mapping.schema import Schema
from ..mapping.unique import Unique
from ..overlap import side_by_side
from ..queries.by_pk import is_empty, rows_of
from ..script import DENIED, Script
from .entry import Entry, expected_token

__all__ = (
    'NOTHING_WRITTEN',
    'Claim',
    'ValueReserved',
    'claims_of',
    'holders',
    'refuse_for_many',
    'refuse_repeat',
    'refuse_repeats',
    'reserve_values',
    'settle_claims',
    'taken_error',
    'written_uniques',
)

# What a UniqueError says of the data.
NOTHING_WRITTEN = 'Nothing was written.'
# Values that one script reserves, in 4 us each.
VALUES_AT_ONCE = 150

# Remove rows from an index set if they store these values, which belong into another one.
# KEYS: index set, hashes of the rows.
# ARGV: number of fields, fields; for each row: pk, for each field the stored value (as of WRITE).
# Returns 0.
# Bounded: 50 rows.
DROP_ENTRIES = Script(
    'drop_entries',
    DENIED
    + """
local width, no = tonumber(ARGV[1]), denied({'SREM', KEYS[1], ''})
if no then return no end
for k = 2, #KEYS do
  local a, same = 2 + width + (k - 2) * (width + 1), true
  for i, value in ipairs(redis.call('HMGET', KEYS[k], unpack(ARGV, 2, 1 + width))) do
    same = same and ARGV[a + i] == (value and '=' .. value or '-')
  end
  if same then redis.call('SREM', KEYS[1], ARGV[a]) end
end
return 0
""",
)

# Reserve the unique values of a long list, so that no other writer stores them.
# KEYS: lock, set of all pks, hash of reserved values, index sets.
# ARGV: token, for each index set the pk that it is reserved for.
# Returns {number of an index set, pks that it lists too}, for each that lists some; nil without the
# lock.
# Bounded: 150 values (VALUES_AT_ONCE), and 1,000 entries of each index set, which has one unless
# other programs wrote to it.
RESERVE_VALUES = Script(
    'reserve_values',
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local found = {}
for k = 4, #KEYS do
  local name, own, listed = KEYS[k], ARGV[k - 2], {k - 3}
  redis.call('HSET', KEYS[3], name, own)
  local pks
  if redis.call('SCARD', name) > 1000 then pks = redis.call('SRANDMEMBER', name, 1000)
  else pks = redis.call('SMEMBERS', name) end
  for _, pk in ipairs(pks) do
    if pk ~= own and #listed <= 50 and redis.call('SISMEMBER', KEYS[2], pk) == 1 then
      listed[#listed + 1] = pk
    end
  end
  if #listed > 1 then found[#found + 1] = listed end
end
return found
""",
)


class ValueReserved(Exception):
    """Another writer, which is at work, is going to store a unique value."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema.name)
        self.schema = schema


class Claim(NamedTuple):
    """A unique value that a row is going to have.

    :param key: its index set
    :param stored: the stored bytes of the fields
    """

    unique: Unique
    key: bytes
    pk: int
    stored: Sequence[Any]


def claims_of(entries: Iterable[Entry]) -> list[Claim]:
    """Return the unique values that rows are going to have.

    :raises UniqueError: if two rows would share one
    """
    found: dict[bytes, Claim] = {}
    for entry in entries:
        for unique, key in entry.claims() if entry.schema.uniques else ():
            row = {**entry.expected, **entry.written}
            refuse_repeat(found, Claim(unique, key, entry.pk, unique.values_in(row)))
    return [*found.values()]


def refuse_repeat(found: dict[bytes, Claim], claim: Claim) -> None:
    """Note a unique value in ``found``, by index set.

    :raises UniqueError: if another row has the value
    """
    if found.setdefault(claim.key, claim).pk != claim.pk:
        raise UniqueError(
            f'{claim.unique.label}: two objects of the list have '
            f'{claim.unique.shown(claim.stored)}, and UNIQUE_FIELDS allows each value once. '
            f'{NOTHING_WRITTEN} Give one of them another value.',
            claim.unique.names,
        )


def written_uniques(entries: Iterable[Entry]) -> set[tuple[Unique, int]]:
    """Return the unique fields that rows write, each with the pk of the row."""
    return {
        (unique, entry.pk)
        for entry in entries
        for unique in entry.schema.uniques
        if not entry.sent.keys().isdisjoint(unique.names)
    }


def refuse_repeats(entries: Iterable[Entry]) -> None:
    """Check that no two rows are going to share a unique value, as far as values are known.

    :raises UniqueError: if they would
    """
    claims_of(entries)


def refuse_for_many(schema: Schema, written: Mapping[str, bytes], count: int) -> None:
    """Check that an update does not give several objects one unique value.

    :param written: the stored bytes that each of the objects gets
    :param count: number of objects
    :raises UniqueError: if it does
    """
    for unique in schema.uniques if count > 1 else ():
        if written.keys() >= {*unique.names}:
            stored = unique.values_in(written)
            if not unique.is_null(stored):
                raise UniqueError(
                    f'{unique.label}: {count:,} objects match, and update() would give '
                    f'{unique.shown(stored)} to each, but UNIQUE_FIELDS allows each value once. '
                    f'{NOTHING_WRITTEN} Update one object, or set null.',
                    unique.names,
                )


def taken_error(claim: Claim, pk: int, state: str = NOTHING_WRITTEN) -> UniqueError:
    """Return the error for a value that the object with ``pk`` has.

    :param state: the sentence of the message about the data
    """
    return UniqueError(
        f'{claim.unique.label}: the object with pk {pk} has {claim.unique.shown(claim.stored)}, '
        f'and UNIQUE_FIELDS allows each value once. {state} Save another value, or change that '
        'object.',
        claim.unique.names,
        pk,
    )


def holders(schema: Schema, unique: Unique, key: bytes, pks: Sequence[int]) -> Flow[list[int]]:
    """Return those of ``pks``, which an index set lists, whose objects have its value.

    Entries of the other ones are wrong, and are removed.
    """
    rows = yield from rows_of(schema, pks, schema.all)
    found, wrong, args = list[int](), [key], list[Any]()
    for pk, row in zip(pks, rows, strict=True):
        if row is None:
            continue  # deleted meanwhile
        values = unique.values_in(dict(zip(schema.columns, row, strict=True)))
        if unique_key(schema, unique, values) == key and not is_empty(row):
            found.append(pk)
        else:
            wrong.append(schema.keys.data(pk))
            args += (pk, *map(expected_token, values))
    if args:
        fields = schema.keys_of(unique.columns)
        yield Batch([DROP_ENTRIES(wrong, len(fields), *fields, *args)])
    return found


def settle_claims(
    entries: Sequence[Entry], problems: Iterable[Any], state: str = NOTHING_WRITTEN
) -> Flow[list[Any]]:
    """Settle the problems of unique values that a script returned; return the other ones.

    :raises UniqueError: if another object has a value
    :raises ValueReserved: if another writer is about to store it
    """
    others = list[Any]()
    for number, kind, *details in problems:
        if kind == b'reserved':
            raise ValueReserved(entries[number - 1].schema)
        if kind != b'unique':
            others.append((number, kind, *details))
        else:
            key, *pks = details
            (claim,) = [each for each in claims_of([entries[number - 1]]) if each.key == key]
            schema = entries[number - 1].schema
            found = yield from holders(schema, claim.unique, key, [*map(int, pks)])
            if found:
                raise taken_error(claim, min(found), state)
    return others


def reserve_values(
    owner: LockOwner,
    claims: Sequence[Claim],
    extend: Command,
    leaving: Container[tuple[Unique, int]] = (),
) -> Flow[None]:
    """Reserve the unique values of a long list that its owner is going to commit.

    :param extend: the command that extends the locks
    :param leaving: the unique fields that the list writes, with the pk of each row
    :raises UniqueError: if another object has a value
    :raises ResetLostError: if the lock is lost
    """
    keys = owner.schema.keys
    names = [keys.lock, keys.all, keys.work(owner.token, VALUES)]

    def reserve(some: list[Claim]) -> Flow[None]:
        sets, pks = [each.key for each in some], [each.pk for each in some]
        found, _ = yield Batch([RESERVE_VALUES([*names, *sets], owner.token, *pks), extend])
        if found is None:
            raise lock_lost_error([owner])
        for number, *listed in found:
            claim = some[number - 1]
            others = [pk for pk in map(int, listed) if (claim.unique, pk) not in leaving]
            if others:
                taken = yield from holders(owner.schema, claim.unique, claim.key, others)
                if taken:
                    raise taken_error(claim, min(taken))

    yield from side_by_side(map(reserve, chunks(claims, VALUES_AT_ONCE)))
