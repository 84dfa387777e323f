"""Prepare the swap of a reset: fill the small index sets, list the large ones to move.

Queries intersect index sets with the set of all pks, and so does ``count()`` during a reset. So a
pk in an index set shows in no result unless the set of all pks holds it too. That is why small
index sets can get the new pks before the swap and lose the old ones after it, in small steps. The
swap moves only the sorted sets and the large index sets, however many values an index has. Where
objects keep their pks this does not hold, and the swap moves all index sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..flows import Batch, Command, Flow, ask, chunks
from ..keys import STAGED
from ..locking.key_types import check_types
from ..locking.locks import lock_lost_error
from ..mapping.index_keys import index_keys_of_rows
from ..mapping.resp import get_rows
from ..mapping.schema import Schema
from ..overlap import PAGE_MEMBERS, walk
from ..queries import set_algebra
from .scripts import FILL, LARGE
from .staging import Staging
from .unique import refuse_staged_repeats

__all__ = ('Switch', 'prepare', 'settle_touched')

# Members of the largest index set that is filled before the swap. 300,000 objects have at most 300
# larger sets in each index, and the swap takes a few microseconds for each.
MOST = 1000
# The budget of one FILL or CLEAR_SETS, in members; each set costs ten more. The script blocks the
# server for a millisecond or two.
AT_ONCE = 2000
# Sampled objects for each UNSETTLED_MEMBERS stored ones. A set of that size escapes the sample with
# a probability of e ** -40, about 10 ** -17.
SAMPLE = 40
# Index sets whose names the client remembers, so that it measures each of them once.
NAMES = 10_000


class Switch(NamedTuple):
    """The work of the swap for one model.

    :param drop: index sets and sorted sets of the replaced objects
    :param live: live keys that staged keys replace, the set of all pks last
    :param most: largest number of members of the other index sets; 0: there are no others
    """

    staging: Staging
    drop: Sequence[bytes]
    live: Sequence[bytes] = ()
    most: int = 0


def prepare(staging: Staging, extend: Command) -> Flow[Switch]:
    """Fill the small index sets; return the work that is left to the swap.

    :param extend: the command that extends the lock, sent with each step
    :raises WrongKeyTypeError: if a key to write to holds another type
    """
    schema, keys = staging.schema, staging.schema.keys
    yield from check_types(schema, [keys.all])
    yield from check_types(schema, [keys.next], b'string')
    yield from check_types(schema, schema.sorted_keys, b'zset')
    most = 0 if staging.occupied else MOST
    drop = yield from _large_ones(schema, most, extend)
    drop.update(schema.sorted_keys)  # the swap moves sorted sets, whatever their size
    if not staging.count:
        return Switch(staging, sorted(drop), (), most)
    live = yield from _fill(staging, most, drop, extend)
    if keys.all not in live:
        raise lock_lost_error([staging])  # another writer removed the staged keys
    return Switch(staging, sorted(drop), [*sorted(live - {keys.all}), keys.all], most)


def settle_touched(switch: Switch, extend: Command) -> Flow[Switch]:
    """Shorten the list of touched index sets, so that one script can clear the rest of them.

    Small sets need no clearing in the swap: after it they lose their old pks in steps. Where the
    swap drops all index sets, it drops the touched ones too.
    """
    staging, drop, _, most = switch
    schema, touched = staging.schema, staging.schema.keys.touched
    added = {*drop}

    def settle(page: list[bytes]) -> Flow[None]:
        left: list[bytes] = []
        if most:
            left, _ = yield Batch([LARGE(page, most), extend])
        else:
            added.update(filter(schema.keys.is_index, page))
        settled = [key for key in page if key not in left]
        if settled:
            yield from ask('SREM', touched, *settled)

    yield from walk(touched, settle, (extend,))
    return switch._replace(drop=sorted(added))


def _large_ones(schema: Schema, most: int, extend: Command) -> Flow[set[bytes]]:
    """Return the index sets of the stored objects with more members than ``most``."""
    found, measured = set[bytes](), set[bytes]()
    fields = schema.keys_of(schema.indexed)
    if not fields:
        return found

    def measure(pks: list[bytes]) -> Flow[None]:
        rows = yield Batch(get_rows(schema.keys.data_prefix, pks, fields))
        names = index_keys_of_rows(schema, pks, rows, measured)
        if names:
            measured.update(names if len(measured) < NAMES else ())
            (large,) = yield Batch([LARGE(sorted(names), most)])
            yield from check_types(schema, large)
            found.update(large)

    if not most:
        yield from walk(schema.keys.all, measure, (extend,))
        return found
    # Counting trusts the size of sets above UNSETTLED_MEMBERS only. Smaller sets may lose their old
    # pks after the swap, so a sample that meets the larger ones is enough.
    stored = yield from ask('SCARD', schema.keys.all)
    if stored > set_algebra.UNSETTLED_MEMBERS:
        for _ in range(0, SAMPLE * stored // set_algebra.UNSETTLED_MEMBERS, PAGE_MEMBERS):
            some, _ = yield Batch([('SRANDMEMBER', schema.keys.all, PAGE_MEMBERS), extend])
            yield from measure(some)
    return found


def _fill(staging: Staging, most: int, large: set[bytes], extend: Command) -> Flow[set[bytes]]:
    """Fill index sets from staged sets; return the keys that are left to the swap."""
    keys, token = staging.schema.keys, staging.token
    base, prefix = keys.base, keys.staged(token, keys.base)
    schema, live = staging.schema, set[bytes]()

    def fill(page: list[bytes]) -> Flow[None]:
        named = {base + name[len(prefix) :] for name in page}
        yield from refuse_staged_repeats(staging, named)
        small = {key for key in named - large if most and keys.is_index(key)}
        moved = named - small
        for some in chunks(sorted(small), PAGE_MEMBERS):
            rests = [key[len(base) :] for key in some]
            moved.update((yield from _fill_some(staging, most, rests, extend)))
        rows = {key for key in moved if keys.is_row(key)}
        yield from check_types(schema, sorted(moved - rows - {*schema.sorted_keys}))
        yield from check_types(schema, sorted(rows), b'hash')
        live.update(moved)

    yield from walk(keys.work(token, STAGED), fill, (extend,))
    return live


def _fill_some(
    staging: Staging, most: int, rests: list[bytes], extend: Command
) -> Flow[list[bytes]]:
    keys, token = staging.schema.keys, staging.token
    names = [keys.lock, keys.work(token, STAGED), keys.all]
    prefixes = (keys.staged(token, keys.base), keys.base)
    large: list[bytes] = []
    while rests:
        outcome, _ = yield Batch([FILL(names, token, most, AT_ONCE, *prefixes, *rests), extend])
        if not outcome:
            raise lock_lost_error([staging])
        done, found = outcome
        large += found
        rests = rests[done:]
    return large
