"""Prepare the swap of a reset: fill the small index sets, list the large ones to move.

Queries intersect index sets with the set of all pks, and so does ``count()`` during a reset. So a
pk in an index set shows in no result unless the set of all pks holds it too. That is why small
index sets can get the new pks before the swap and lose the old ones after it, in small steps. The
swap moves only the large index sets, however many values an index has. Where objects keep their
pks this does not hold, and the swap moves all index sets.
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

__all__ = ('Switch', 'prepare')

# Members of an index set that is not moved in the swap; 300,000 objects have at most 300 larger
# ones in each index, and the swap takes some microseconds for each.
MOST = 1000
# Members that one script looks at, a set counting as ten more: it holds up the server for a
# millisecond or two.
AT_ONCE = 2000
# Objects that are looked at for each set that counting would trust in: that none of them is in a
# set of that size has a chance of 1 to 10 to the 17th (e to the 40th).
SAMPLE = 40
# Names of index sets that are not asked for twice.
KNOWN = 10_000


class Switch(NamedTuple):
    """The work of the swap for one model.

    :param drop: index sets of the replaced objects
    :param places: whose place a staged key takes, the set of all pks last
    :param most: how many members an index set may have that is neither; 0 if there is none
    """

    staging: Staging
    drop: Sequence[bytes]
    places: Sequence[bytes] = ()
    most: int = 0


def prepare(staging: Staging, extend: Command) -> Flow[Switch]:
    """Return what the swap has to move, after filling the other index sets.

    :param extend: the command that prolongs the lock, sent with each step
    :raises WrongKeyTypeError: if a key to write to holds another type
    """
    schema, keys = staging.schema, staging.schema.keys
    yield from check_types(schema, [keys.all])
    yield from check_types(schema, [keys.next], b'string')
    most = 0 if staging.occupied else MOST
    drop = yield from _large_ones(schema, most, extend)
    if not staging.count:
        return Switch(staging, sorted(drop), (), most)
    places = yield from _fill(staging, most, drop, extend)
    if keys.all not in places:
        raise lock_lost_error([staging])  # somebody has removed what was staged
    return Switch(staging, sorted(drop), [*sorted(places - {keys.all}), keys.all], most)


def _large_ones(schema: Schema, most: int, extend: Command) -> Flow[set[bytes]]:
    """Return the index sets of the stored objects with more members than ``most``."""
    found, known = set[bytes](), set[bytes]()
    fields = schema.keys_of(schema.indexed)
    if not fields:
        return found

    def measure(pks: list[bytes]) -> Flow[None]:
        rows = yield Batch(get_rows(schema.keys.data_prefix, pks, fields))
        names = index_keys_of_rows(schema, pks, rows, known)
        if names:
            known.update(names if len(known) < KNOWN else ())
            (large,) = yield Batch([LARGE(sorted(names), most)])
            yield from check_types(schema, large)
            found.update(large)

    if not most:
        yield from walk(schema.keys.all, measure, (extend,))
        return found
    # Where nobody trusts in the size of a set, its old pks may wait to be taken out after the swap.
    stored = yield from ask('SCARD', schema.keys.all)
    if stored > set_algebra.UNSETTLED_MEMBERS:
        for _ in range(0, SAMPLE * stored // set_algebra.UNSETTLED_MEMBERS, PAGE_MEMBERS):
            some, _ = yield Batch([('SRANDMEMBER', schema.keys.all, PAGE_MEMBERS), extend])
            yield from measure(some)
    return found


def _fill(staging: Staging, most: int, large: set[bytes], extend: Command) -> Flow[set[bytes]]:
    """Fill index sets from staged sets; return the places that the swap has to move."""
    keys, token = staging.schema.keys, staging.token
    base, prefix = keys.base, keys.staged(token, keys.base)
    schema, places = staging.schema, set[bytes]()

    def fill(page: list[bytes]) -> Flow[None]:
        named = {base + name[len(prefix) :] for name in page}
        small = {key for key in named - large if most and keys.is_index(key)}
        moved = named - small
        for some in chunks(sorted(small), PAGE_MEMBERS):
            rests = [key[len(base) :] for key in some]
            moved.update((yield from _fill_some(staging, most, rests, extend)))
        rows = {key for key in moved if keys.is_row(key)}
        yield from check_types(schema, sorted(moved - rows))
        yield from check_types(schema, sorted(rows), b'hash')
        places.update(moved)

    yield from walk(keys.work(token, STAGED), fill, (extend,))
    return places


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
