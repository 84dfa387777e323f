"""What a reset leaves behind: rows that were replaced, and what was staged and never used, with
their entries in index sets.

All of it is found by exact names: the record of resets lists the tokens, the work keys of a token
list the rest. Everything here may be done twice, and by another process than the one that began,
which may even wake up meanwhile and stage more: what it lists then stays listed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count

from ..flows import Batch, Command, Flow, ask, chunks
from ..keys import WORK
from ..mapping.index_keys import index_keys_of_rows
from ..mapping.resp import get_rows
from ..mapping.schema import Schema
from ..overlap import PAGE_MEMBERS, walk
from .scripts import FORGET, PRUNE, RETIRE

__all__ = ('sweep', 'sweep_abandoned')

# How long replaced rows stay readable, for readers that took their pks before the swap.
GRACE_MS = 10_000
# How much longer those of each further page do: where many keys are due at a time, a server expires
# them in bursts of up to 25 ms; these are fewer than 10,000 a second.
SPREAD_MS = 20
# How long the note stays that tells readers of rows that were replaced in place.
NOTE_MS = 60_000


def sweep_abandoned(schema: Schema, but: bytes, extend: Command) -> Flow[None]:
    """Sweep what other resets left; the caller holds the lock, so they are dead.

    :param extend: the command that prolongs the lock, sent with each step
    """
    record = schema.keys.record
    for token in (yield from ask('HKEYS', record)):
        if token != but:
            if (yield from ask('HGET', record, token)) == b'staging':
                # So that a reset that wakes up in the middle of this does not go on staging.
                yield Batch([('HSET', record, token, 'swept'), extend])
            yield from sweep(schema, token, extend=(extend,))


def sweep(
    schema: Schema,
    token: bytes,
    known: Collection[bytes] | None = None,
    extend: tuple[Command, ...] = (),
) -> Flow[None]:
    """Take away what the reset ``token`` staged and did not use, and let expire what it replaced.

    :param known: index sets that its swap replaced; None if it never came to that
    :param extend: commands to send along with each step
    """
    keys = schema.keys
    sets, ranges, brought, old = work = [keys.work(token, name) for name in WORK]
    if known is None:
        yield from walk(sets, lambda page: _unlink(page, sets), extend)
        for text in (yield from ask('SMEMBERS', ranges)):
            first, size = map(int, text.split())
            pks = (b'%d' % pk for pk in range(first, first + size))
            for some in chunks(pks, PAGE_MEMBERS):
                yield from _retire(schema, some, 0, (), extend)
            yield from ask('SREM', ranges, text)
        yield from _retire_all(schema, brought, 0, (), extend)
    yield from _retire_all(schema, old, GRACE_MS, known or (), extend)
    done = [brought, old] if known is None else work
    yield Batch([('UNLINK', *done), FORGET([keys.record, sets, ranges], token)])


def _unlink(names: list[bytes], listed: bytes) -> Flow[None]:
    yield Batch([('UNLINK', *names), ('SREM', listed, *names)])


def _retire_all(
    schema: Schema, pks: bytes, grace: int, known: Collection[bytes], extend: tuple[Command, ...]
) -> Flow[None]:
    graces = count(grace, SPREAD_MS if grace else 0)
    yield from walk(pks, lambda some: _retire(schema, some, next(graces), known, extend), extend)


def _retire(
    schema: Schema,
    pks: Sequence[bytes],
    grace: int,
    known: Collection[bytes],
    extend: tuple[Command, ...],
) -> Flow[None]:
    """Take the pks that are not in use out of the index sets, then let their rows go.

    In this order, as the rows tell which sets list them; nobody can change those any more.

    :param grace: milliseconds that the rows stay readable; 0: none
    :param known: index sets that do not list them
    """
    fields = schema.keys_of(schema.indexed)
    listed: dict[bytes, list[bytes]] = {}
    if fields:
        rows = yield Batch(get_rows(schema.keys.data_prefix, pks, fields))
        listed = index_keys_of_rows(schema, pks, rows, known)
    prunes = [_prune(schema, pks, some) for some in chunks(listed.items(), PAGE_MEMBERS)]
    yield Batch([*prunes, RETIRE([schema.keys.all], grace, schema.keys.data_prefix, *pks), *extend])


def _prune(
    schema: Schema, pks: Sequence[bytes], listed: Sequence[tuple[bytes, list[bytes]]]
) -> Command:
    members = (each for _, some in listed for each in (len(some), *some))
    return PRUNE([schema.keys.all, *(key for key, _ in listed)], len(pks), *pks, *members)
