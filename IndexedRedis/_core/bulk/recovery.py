"""Settle what dead writers left: finish committed writes, sweep everything else.

Exact names lead to all of it: the record of resets lists the tokens, and the work keys of a token
list the rest. Each step may be repeated, by any process. A writer that was only suspended stages
nothing more when it wakes up: it has lost its lock, and the record says that it is given up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import count

from ...errors import ResetLostError
from ..flows import Batch, Command, Flow, ask, chunks
from ..keys import LEFT, STAGED, VALUES, WORK, Keys
from ..locking.locks import (
    LockOwner,
    Owner,
    extend_command,
    lock_lost_error,
    locked,
    register_resets,
)
from ..locking.scripts import FORGET, GIVE_UP, PRUNE, RETIRE, UNSORT
from ..mapping.index_keys import index_keys_of_rows
from ..mapping.resp import get_rows
from ..mapping.schema import Schema
from ..overlap import PAGE_MEMBERS, walk
from .redo import COMMITTED, each_range, finish

__all__ = ('begin', 'recover', 'recover_now', 'settle', 'sweep')

# How long replaced rows stay readable, for readers that got their pks before the swap.
GRACE_MS = 10_000
# How much longer the rows of each further page stay, so that at most 10,000 rows a second expire. A
# server expires many keys that are due together in bursts of up to 25 ms.
SPREAD_MS = 20
# How long the swap marker stays. It tells readers that rows were replaced in place.
NOTE_MS = 60_000


def begin(owners: Sequence[Owner]) -> Flow[None]:
    """Record a writer that holds the locks, and settle what dead writers left.

    :raises ResetLostError: if a lock is lost
    """
    listed = yield from register_resets(owners)
    extend = extend_command(owners)
    for owner, tokens in zip(owners, listed, strict=True):
        yield from _settle_each(owner.schema, tokens, owner.token, extend)


def recover_now(schema: Schema, token: bytes) -> Flow[None]:
    """Take the lock of a model, and settle what dead writers left, or a part of it.

    :param token: text that no writer has
    :raises ResetInProgressError: if another writer holds the lock of the model for too long
    """
    owner = LockOwner(schema, token)
    with suppress(ResetLostError):  # whoever has the lock settles the rest
        yield from locked([owner], recover(schema, token, extend_command([owner])))


def recover(schema: Schema, but: bytes, extend: Command) -> Flow[None]:
    """Settle what other writers left. The caller holds the lock, so they are dead.

    :param but: the caller's token
    :param extend: the command that extends the lock, sent with each step
    :raises ResetLostError: if the lock is lost
    """
    tokens = yield from ask('HKEYS', schema.keys.record)
    yield from _settle_each(schema, tokens, but, extend)


def _settle_each(
    schema: Schema, tokens: Iterable[bytes], but: bytes, extend: Command
) -> Flow[None]:
    for token in tokens:
        if token != but:
            from ..logs import logger

            logger.warning('%s: settles what a killed write, or a lost one, left', schema.name)
            yield from settle(schema, token, but, (extend,))


def settle(
    schema: Schema, token: bytes, caller: bytes, extend: tuple[Command, ...] = ()
) -> Flow[None]:
    """Finish the write of a token if it is committed; else sweep what the token staged.

    :param caller: the token of the lock owner that calls; or the same token, for a writer that has
        failed
    :param extend: commands to send along with each step
    :raises ResetLostError: if the caller has lost the lock
    """
    keys = schema.keys
    state = yield from ask(*GIVE_UP([keys.lock, keys.record], token, caller))
    if state == b'lost':
        raise lock_lost_error([LockOwner(schema, caller)])
    if state == COMMITTED:
        yield from finish(schema, token, extend)
    elif state is not None:
        yield from sweep(schema, token, extend=extend)


def sweep(
    schema: Schema,
    token: bytes,
    replaced: Collection[bytes] | None = None,
    extend: tuple[Command, ...] = (),
) -> Flow[None]:
    """Remove what ``token`` staged and did not use, and let expire what it replaced.

    :param replaced: index sets and sorted sets that its swap replaced; None if there was no swap
    :param extend: commands to send along with each step
    """
    keys = schema.keys
    sets, ranges, brought, old = work = [keys.work(token, name) for name in WORK]

    def sweep_range(text: bytes, reserved: range) -> Flow[None]:
        for some in chunks((b'%d' % pk for pk in reserved), PAGE_MEMBERS):
            yield from _retire(schema, token, some, 0, (), extend)
        yield from ask('SREM', ranges, text)

    if replaced is None:
        yield from walk(sets, lambda page: _unlink(keys, token, page), extend)
        yield from each_range(schema, token, sweep_range)
        yield from _retire_all(schema, token, brought, 0, (), extend)
    yield from _retire_all(schema, token, old, GRACE_MS, replaced or (), extend)
    done = [brought, old, keys.work(token, LEFT)] if replaced is None else work
    if schema.uniques:
        done = [*done, keys.work(token, VALUES)]
    yield Batch([('UNLINK', *done), FORGET([keys.record, sets, ranges], token)])


def _unlink(keys: Keys, token: bytes, names: list[bytes]) -> Flow[None]:
    """Remove staged keys and their names. Other names in the list are removed from it only."""
    own = [name for name in names if name.startswith(keys.work(token, b''))]
    unlinking = [('UNLINK', *own)] if own else []
    yield Batch([*unlinking, ('SREM', keys.work(token, STAGED), *names)])


def _retire_all(
    schema: Schema,
    token: bytes,
    pks: bytes,
    grace: int,
    replaced: Collection[bytes],
    extend: tuple[Command, ...],
) -> Flow[None]:
    graces = count(grace, SPREAD_MS if grace else 0)

    def retire(some: list[bytes]) -> Flow[None]:
        return _retire(schema, token, some, next(graces), replaced, extend)

    yield from walk(pks, retire, extend)


def _retire(
    schema: Schema,
    token: bytes,
    pks: Sequence[bytes],
    grace: int,
    replaced: Collection[bytes],
    extend: tuple[Command, ...],
) -> Flow[None]:
    """Remove pks that are not listed from index sets and sorted sets, then remove their rows.

    The rows go last, since they tell which index sets list the pks. No writer changes these rows.

    :param grace: milliseconds that the rows stay readable; 0: none
    :param replaced: index sets and sorted sets that do not list the pks
    """
    keys, fields = schema.keys, schema.keys_of(schema.indexed)
    listed: dict[bytes, list[bytes]] = {}
    if fields:
        rows = yield Batch(get_rows(keys.data_prefix, pks, fields))
        listed = index_keys_of_rows(schema, pks, rows, replaced)
    prunes = [_prune(keys, token, pks, some) for some in chunks(listed.items(), PAGE_MEMBERS)]
    if ordered := [key for key in schema.sorted_keys if key not in replaced]:
        prunes.append(UNSORT([keys.all, keys.record, *ordered], token, *pks))
    retire = RETIRE([keys.all, keys.record], token, grace, keys.data_prefix, *pks)
    yield Batch([*prunes, retire, *extend])


def _prune(
    keys: Keys, token: bytes, pks: Sequence[bytes], listed: Sequence[tuple[bytes, list[bytes]]]
) -> Command:
    members = (each for _, some in listed for each in (len(some), *some))
    names = [keys.all, keys.record, *(key for key, _ in listed)]
    return PRUNE(names, token, len(pks), *pks, *members)
