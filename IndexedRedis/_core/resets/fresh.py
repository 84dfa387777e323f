"""Many changes in one moment: changed objects are stored under fresh pks, where no query sees them.

One script for all of them would block the server for some ten microseconds each. To list the fresh
pks and no longer the old ones takes one. The old rows stay readable for a grace time, as after a
reset. This is for models that no link leads to, since a changed object gets another pk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..bulk.insert import set_steps
from ..bulk.recovery import sweep
from ..flows import Batch, Command, Flow, Stream, chunks
from ..keys import REPLACED, STAGED
from ..locking.locks import lock_lost_error
from ..locking.transactions import CHUNK, guarded_store, objection
from ..mapping.encoder import StoredRow
from ..writes.entry import Mode
from .comparing.merge import Merge
from .staging import reserve_range, row_commands

__all__ = ('FRESH_AT_ONCE', 'move_to_fresh', 'sweep_replaced')

# Objects that one script lists and unlists.
FRESH_AT_ONCE = 50_000
# Pks that one command adds to a work set.
NOTED = 1000


def move_to_fresh(merges: Sequence[Merge], most: int, extend: Command) -> Flow[None]:
    """Store changes under fresh pks, of as many models as needed to leave ``most`` for the script.

    :param extend: the command that extends the locks
    """
    left = sum(len(merge.entries) for merge in merges)
    for merge in sorted(merges, key=lambda each: -len(each.entries)):
        if left > most and merge.may_move:
            left -= len(merge.entries)
            yield from _move(merge, extend)


def _move(merge: Merge, extend: Command) -> Flow[None]:
    staging, entries = merge.staging, merge.entries
    merge.is_moving = True
    new = [entry for entry in entries if entry.mode != Mode.REMOVE]
    old = [entry.pk for entry in entries if entry.mode not in (Mode.INSERT, Mode.PUT)]
    pks = yield from reserve_range(staging, len(new))
    for entry, pk in zip(new, pks, strict=True):
        if entry.obj is not None:
            staging.promises.pks[id(entry.obj)] = pk

    def stored(replies: Sequence[object]) -> None:
        held, *others = replies
        if objection(others) is not None or not held:
            raise lock_lost_error([staging])

    batches = _batches(merge, pks, [tuple(entry.written.values()) for entry in new], old)
    yield Stream((Batch([extend, *commands]) for commands in batches), stored)
    merge.moved, merge.entries = [*entries], []
    merge.listed, merge.unlisted = len(new), len(old)


def _batches(
    merge: Merge, pks: range, rows: Sequence[StoredRow], old: Sequence[int]
) -> Iterator[list[Command]]:
    """Yield what stores the rows, then their index entries, then the lists for the script.

    As a replica gets commands in order, whoever has the whole lists has all of it.
    """
    staging, schema, keys = merge.staging, merge.schema, merge.schema.keys
    for some, each in zip(chunks(pks, CHUNK), chunks(rows, CHUNK), strict=True):
        yield row_commands(staging, some, each)
    yield from set_steps(schema, staging.token, pks, rows)
    listed = staging.staged(keys.all)
    for name, numbers in ((listed, pks), (keys.work(staging.token, REPLACED), old)):
        for some in chunks(numbers, NOTED):
            noting: list[Command] = [('SADD', name, *some)]
            if name is listed:
                noting.append(('SADD', keys.work(staging.token, STAGED), listed))
            yield guarded_store(keys, staging.token, noting)


def sweep_replaced(merges: Sequence[Merge], worked: bool) -> Flow[None]:
    """Remove what was stored under fresh pks and not used, or let expire what it replaced."""
    for merge in merges:
        if merge.is_moving:
            yield from sweep(merge.schema, merge.staging.token, () if worked else None)
