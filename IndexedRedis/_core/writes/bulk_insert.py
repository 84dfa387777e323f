"""Very many new objects: stored in steps that nobody sees, then published in one moment.

A script for all of them would hold up the server for 11 us each. But a pk in an index set means
nothing as long as it is not in the set of all pks (see filling.py), so only that has to happen at
once, which takes 0.3 us each. It is done like a reset: under the lock of the model, and listed, so
that the next holder of the lock sweeps what a killed save has left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain

from ..flows import Batch, Command, Flow, Stream, chunks
from ..keys import RANGES, REFUSED
from ..locking.locks import (
    LockOwner,
    extend_command,
    lock_if_free,
    new_token,
    register_reset,
    release_all,
)
from ..locking.recovery import sweep, sweep_abandoned
from ..locking.scripts import MAY_PUBLISH
from ..locking.transactions import (
    CHUNK,
    LISTED,
    SETS,
    guarded_store,
    guarded_transaction,
    objection,
)
from ..mapping.index_keys import grouped_by_index
from .insert import Draft

__all__ = ('insert_many',)

# Pks of one command.
MOST = 10_000
# How long the note of index sets stays if this process dies.
NOTE_MS = 600_000


class _Refused(Exception):
    """Something is not as it should be; whoever compares row by row can say what."""


def insert_many(drafts: Sequence[Draft]) -> Flow[bool]:
    """Store all objects, whose pks are drawn, or none.

    :returns: whether that could be done; not while a reset, or another save of many, is under way
    """
    token = new_token()
    owners = [LockOwner(draft.schema, token) for draft in drafts]
    if not (yield from lock_if_free(owners)):
        return False
    try:
        yield from _store(drafts, owners)
    except GeneratorExit:
        raise
    except BaseException as error:
        yield from _undo(owners)
        if isinstance(error, _Refused):
            return False
        raise
    yield from release_all(owners)
    return True


def _store(drafts: Sequence[Draft], owners: Sequence[LockOwner]) -> Flow[None]:
    extend = extend_command(owners)
    for owner in owners:
        yield from register_reset(owner)
        yield from sweep_abandoned(owner.schema, owner.token, extend)
    # Index entries only when all rows are known to be ours.
    for steps in (_row_steps, _set_steps):
        each = chain.from_iterable(map(steps, drafts, owners))
        yield Stream((Batch([extend, *commands]) for commands in each), _check)
    if objection((yield Batch(_publish(drafts, owners)))) not in (None, b'done'):
        raise _Refused


def _check(replies: Sequence[object]) -> None:
    held, *others = replies
    if objection(others) is not None or not held:
        raise _Refused


def _row_steps(draft: Draft, owner: LockOwner) -> Iterator[list[Command]]:
    schema, keys, token = draft.schema, draft.schema.keys, owner.token
    reserved = b'%d %d' % (draft.pks[0], len(draft.pks))
    for pks, rows in zip(chunks(draft.pks, CHUNK), chunks(draft.rows, CHUNK), strict=True):
        names = [keys.data(pk) for pk in pks]
        commands = [
            ('SADD', keys.work(token, RANGES), reserved),
            *schema.set_rows(names, rows),
        ]
        yield guarded_store(keys, token, commands, pks, names)


def _set_steps(draft: Draft, owner: LockOwner) -> Iterator[list[Command]]:
    keys, token = draft.schema.keys, owner.token
    for pks, rows in zip(chunks(draft.pks, LISTED), chunks(draft.rows, LISTED), strict=True):
        sets = grouped_by_index(draft.schema, [b'%d' % pk for pk in pks], rows)
        for some in chunks(sets.items(), SETS):
            names = [key for key, _ in some]
            commands = [
                # Counting does not trust the sizes of these.
                ('SADD', keys.touched, *names),
                ('PEXPIRE', keys.touched, NOTE_MS),
                *(('SADD', key, *members) for key, members in some),
            ]
            yield guarded_store(keys, token, commands, sets=names)


def _publish(drafts: Sequence[Draft], owners: Sequence[LockOwner]) -> list[Command]:
    token, own = owners[0].token, [draft.schema.keys for draft in drafts]
    flag = own[0].work(token, REFUSED)
    names = [name for keys in own for name in (keys.lock, keys.record, keys.all)]
    commands: list[Command] = []
    for draft, keys in zip(drafts, own, strict=True):
        commands += (('SADD', keys.all, *pks) for pks in chunks(draft.pks, MOST))
        commands += (
            ('HSET', keys.record, token, 'stored'),
            ('UNLINK', keys.work(token, RANGES)),
        )
    locks = [keys.lock for keys in own]
    return guarded_transaction(MAY_PUBLISH, (flag, *names), (token,), locks, commands)


def _undo(owners: Sequence[LockOwner]) -> Flow[None]:
    """Take away what was stored; nothing of it if it was published after all.

    The locks go first: without them nothing that is still on its way is carried out.
    """
    yield from release_all(owners)
    with suppress(Exception):  # there may be no connection; the next holder of the lock does it
        for owner in owners:
            yield from sweep(owner.schema, owner.token)
