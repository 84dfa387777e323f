"""Drop an edition: at once if it was never true, else after a time in which readers may end.

Its set of all pks leads to its rows, and these to its index sets. The set goes last, so another
process can go on where one died. Nobody writes there any more: fences and locks refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from ...bulk.recovery import GRACE_MS, SPREAD_MS, sweep
from ...flows import Batch, Command, Flow, ask, scan
from ...locking.scripts import GIVE_UP
from ...mapping.index_keys import index_keys_of_rows
from ...mapping.resp import get_rows
from ...mapping.schema import Schema
from ...partitions.editions.fence import Edition
from ...partitions.editions.known import shards
from ...partitions.layout import Shard
from ...partitions.spread import confirmed, spread

__all__ = ('KEPT_MS', 'retire')

# How long readers may go on with an edition that is not true any more.
KEPT_MS = GRACE_MS
# How much longer its keys stay: the mark that it is kept goes first.
LONGER_MS = 5_000
# Pks of one page.
PAGE = 200


def retire(schema: Schema, edition: Edition, at_once: bool) -> Flow[int]:
    """Drop an edition; return how many keys were removed, or are going to expire.

    Replicas confirm each step before the next: the set of all pks leads to the rows, and these lead
    to the index sets. A failover that lost only the first steps would leave keys that nothing leads
    to.

    :param at_once: remove its keys; else they expire
    :raises NotAcknowledgedError: if too few replicas confirm a step
    """
    flows = {
        shard.number: (shard.keys.fence, confirmed(_retire(shard, at_once), shard))
        for shard in shards(schema, edition)
    }
    outcomes = yield from spread(flows)
    return sum(outcome.result for outcome in outcomes.values())


def _retire(shard: Shard, at_once: bool) -> Flow[int]:
    keys, removed = shard.keys, 0
    # Without the lock, a process that stages this edition stages no more.
    for token in (yield from ask('HKEYS', keys.record)):
        yield from ask(*GIVE_UP([keys.lock, keys.record], token, token))
        yield from sweep(shard, token)
    if not at_once:  # also if a failover has lost that it was to expire
        yield from ask('PEXPIRE', keys.edition, KEPT_MS)
    longer = count(KEPT_MS + LONGER_MS, SPREAD_MS)

    def act(page: list[bytes]) -> Flow[None]:
        nonlocal removed
        for start in range(0, len(page), PAGE):
            pks = page[start : start + PAGE]
            # The rows last: they lead to the index sets, should this process die in between.
            names = [*(yield from _index_sets(shard, pks)), *map(keys.data_prefix.__add__, pks)]
            removed += yield from _drop(names, 0 if at_once else next(longer))

    yield from scan(act, keys.all, count=PAGE)
    rest = [*shard.sorted_keys, keys.record, keys.touched, keys.all]
    return removed + (yield from _drop(rest, 0 if at_once else next(longer)))


def _index_sets(shard: Shard, pks: list[bytes]) -> Flow[Iterable[bytes]]:
    fields = shard.keys_of(shard.indexed)
    if not fields:
        return ()
    rows = yield Batch(get_rows(shard.keys.data_prefix, pks, fields))
    return index_keys_of_rows(shard, pks, rows)


def _drop(names: list[bytes], longer: int) -> Flow[int]:
    """Remove keys, or let them expire in so many milliseconds; return how many there were."""
    commands: list[Command] = [('UNLINK', *names)]
    if longer:
        commands = [('PEXPIRE', name, longer) for name in names]
    replies = yield Batch(commands)
    return sum(replies)
