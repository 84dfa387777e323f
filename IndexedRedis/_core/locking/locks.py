"""The locks of models: one reset, or one write of a long list, at a time.

A lock is a key with a token and a short time to live. Each step of its owner extends it. A killed
process's lock expires before the next reset stops waiting for it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TypeVar

from ...errors import ResetInProgressError, ResetLostError
from ..flows import Batch, Command, Flow, Pause, with_cleanup
from ..keys import LEFT, VALUES, WORK
from ..mapping.schema import Schema
from .scripts import BEGIN, FORGET, HOLD, RELEASE

__all__ = (
    'LockOwner',
    'data_replaced_error',
    'extend_command',
    'fence_lost_error',
    'lock_lost_error',
    'locked',
    'new_token',
    'register_resets',
    'release_all',
    'take_locks',
)


T = TypeVar('T')


class Owner(Protocol):
    """Anything that can hold the lock of a model."""

    @property
    def schema(self) -> Schema: ...

    @property
    def token(self) -> bytes: ...


class LockOwner(NamedTuple):
    """The minimal lock owner: a schema and a token."""

    schema: Schema
    token: bytes


# How long a lock lives after its owner's last step.
LOCK_MS = 10_000
# How long others wait for a lock, and how long between two tries.
WAIT_SECONDS = 15.0
PAUSE_SECONDS = 0.05


def new_token() -> bytes:
    """Return a text that no other owner of a lock has."""
    return os.urandom(16).hex().encode('ascii')


def locked(owners: Sequence[Owner], flow: Flow[T]) -> Flow[T]:
    """Run a flow while its owners hold the locks of their models; return its result.

    All owners take locks in the same order, so they cannot deadlock.

    :raises ResetInProgressError: if another owner holds a lock for too long
    """

    def lock_and_run() -> Flow[T]:
        yield from take_locks(owners)
        return (yield from flow)

    return (yield from with_cleanup(lock_and_run(), lambda worked: release_all(owners)))


def take_locks(owners: Sequence[Owner]) -> Flow[None]:
    """Take the locks of models, in one order; see :func:`locked`, which releases them too.

    :raises ResetInProgressError: if another owner holds a lock for too long
    """
    owners = sorted(owners, key=lambda each: each.schema.keys.all)
    waited, held = 0.0, (yield from _take_free(owners))
    for i, owner in enumerate(owners[held:], held):
        taken = i > held and (yield from _take(owner, owners[:i]))
        while not taken:
            if waited >= WAIT_SECONDS:
                raise ResetInProgressError(
                    f'{owner.schema.name}: a reset, or another write of many objects, is under way '
                    f'and did not end within {WAIT_SECONDS:.0f} s. Nothing was changed; try again '
                    'later.'
                )
            if not waited:
                from ..logs import logger

                logger.info('%s: waits for a reset, or another long write', owner.schema.name)
            yield Pause(PAUSE_SECONDS)
            waited += PAUSE_SECONDS
            taken = yield from _take(owner, owners[:i])


def _take_free(owners: Sequence[Owner]) -> Flow[int]:
    """Take the locks up to the first that another one holds, in one trip; return how many.

    A lock that was taken after that one is given back: its order keeps owners from deadlock.
    """
    replies = yield Batch([command for owner in owners for command in _take_commands(owner)])
    took = [*map(_is_taken, owners, replies[::2], replies[1::2])]
    held = took.index(False) if False in took else len(took)
    surplus = [owner for owner, ours in zip(owners[held:], took[held:], strict=True) if ours]
    if surplus:
        yield from release_all(surplus)
    return held


def _take_commands(owner: Owner) -> list[Command]:
    lock = owner.schema.keys.lock
    return [('SET', lock, owner.token, 'NX', 'PX', LOCK_MS), ('GET', lock)]


def _is_taken(owner: Owner, taken: Any, holder: Any) -> bool:
    # If SET was sent twice, the lock may come from the first time.
    return taken is not None or holder == owner.token


def _take(owner: Owner, held: Sequence[Owner]) -> Flow[bool]:
    prolong = [extend_command(held)] if held else []
    taken, holder, *_ = yield Batch([*_take_commands(owner), *prolong])
    return _is_taken(owner, taken, holder)


def extend_command(owners: Sequence[Owner], retake: int = 0) -> Command:
    """Return the command that extends the locks.

    :param retake: 1 to take an expired lock again, if nobody has held it since
    """
    keys = [owner.schema.keys for owner in owners]
    names = [name for each in keys for name in (each.lock, each.record)]
    return HOLD(names, owners[0].token, LOCK_MS, retake)


def register_resets(owners: Sequence[Owner]) -> Flow[list[list[bytes]]]:
    """List the owners of locks in the records of resets; return the tokens in each record.

    :raises ResetLostError: if a lock is lost
    """
    commands: list[Command] = []
    for owner in owners:
        keys = owner.schema.keys
        commands.append(BEGIN([keys.lock, keys.touched, keys.record], owner.token))
        commands.append(('HKEYS', keys.record))
    replies: list[Any] = yield Batch(commands)
    for owner, listed in zip(owners, replies[::2], strict=True):
        if not listed:
            raise lock_lost_error([owner])
    return replies[1::2]


def lock_lost_error(
    owners: Sequence[Owner], state: str = 'Nothing was changed by this one; try again.'
) -> ResetLostError:
    """Return the error for a lost lock, or lost work keys, whatever the cause.

    :param state: the sentences of the message about the data, and what to do
    """
    from ..logs import logger

    names = ', '.join(owner.schema.name for owner in owners)
    logger.warning('%s: a write lost its lock, or what it had staged', names)
    return ResetLostError(
        f'{names}: this write lost its lock, or what it had staged. The lock expires if a process '
        f'pauses for more than {LOCK_MS // 1000} s, and another one may take over then; keys also '
        f'vanish if somebody deletes them, or if the server restarts or evicts keys. {state}'
    )


def fence_lost_error(owners: Sequence[Owner]) -> ResetLostError:
    """Return the error of a reset whose fence is lost: see ``ResetObserver.fence``."""
    names = ', '.join(owner.schema.name for owner in owners)
    return ResetLostError(
        f'{names}: this run lost the mirror lock, so another run could begin. Nothing was changed; '
        'run it again.'
    )


def data_replaced_error(owners: Sequence[Owner]) -> ResetLostError:
    """Return the error of changes to other data: see ``ResetObserver.continues``."""
    names = ', '.join(owner.schema.name for owner in owners)
    return ResetLostError(
        f'{names}: the stored data is not the one that these changes continue: it was replaced or '
        'deleted, or another server with older data took over. Nothing was changed.'
    )


def release_all(owners: Sequence[Owner]) -> Flow[None]:
    """Release the locks that are still held; remove owners without work keys from the record.

    Errors are ignored: locks expire by themselves.
    """
    commands: list[Command] = []
    for owner in owners:
        keys, token = owner.schema.keys, owner.token
        names = (*WORK, LEFT, *((VALUES,) if owner.schema.uniques else ()))
        work = [keys.work(token, name) for name in names]
        commands.append(FORGET([keys.record, *work], token))
        commands.append(RELEASE([keys.lock, keys.touched, keys.record], token))
    with suppress(Exception):
        yield Batch(commands)
