"""The locks of models: one reset, or one write of a long list, at a time.

A lock is a key with a token and a short time to live. Each step of its owner extends it. A killed
process's lock expires before the next reset stops waiting for it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol, TypeVar

from ...errors import ResetInProgressError, ResetLostError
from ..flows import Batch, Command, Flow, Pause, ask, with_cleanup
from ..keys import LEFT, VALUES, WORK
from ..mapping.schema import Schema
from .scripts import BEGIN, FORGET, HOLD, RELEASE

__all__ = (
    'LockOwner',
    'extend_command',
    'fence_lost_error',
    'lock_lost_error',
    'locked',
    'new_token',
    'register_reset',
    'release_all',
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
        yield from _lock_each(sorted(owners, key=lambda each: each.schema.keys.all))
        return (yield from flow)

    return (yield from with_cleanup(lock_and_run(), lambda worked: release_all(owners)))


def _lock_each(owners: Sequence[Owner]) -> Flow[None]:
    waited = 0.0
    for i, owner in enumerate(owners):
        while not (yield from _take(owner, owners[:i])):
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


def _take(owner: Owner, held: Sequence[Owner]) -> Flow[bool]:
    lock, token = owner.schema.keys.lock, owner.token
    prolong = [extend_command(held)] if held else []
    taken, holder, *_ = yield Batch(
        [('SET', lock, token, 'NX', 'PX', LOCK_MS), ('GET', lock), *prolong]
    )
    # If SET was sent twice, the lock may come from the first time.
    return taken is not None or holder == token


def extend_command(owners: Sequence[Owner], retake: int = 0) -> Command:
    """Return the command that extends the locks.

    :param retake: 1 to take an expired lock again, if nobody has held it since
    """
    keys = [owner.schema.keys for owner in owners]
    names = [name for each in keys for name in (each.lock, each.record)]
    return HOLD(names, owners[0].token, LOCK_MS, retake)


def register_reset(owner: Owner) -> Flow[None]:
    """List the owner of a lock in the record of resets.

    :raises ResetLostError: if the lock is lost
    """
    keys = owner.schema.keys
    if not (yield from ask(*BEGIN([keys.lock, keys.touched, keys.record], owner.token))):
        raise lock_lost_error([owner])


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


def release_all(owners: Sequence[Owner]) -> Flow[None]:
    """Release the locks that are still held; remove owners without work keys from the record.

    Errors are ignored: locks expire by themselves.
    """
    with suppress(Exception):
        for owner in owners:
            keys, token = owner.schema.keys, owner.token
            names = (*WORK, LEFT, *((VALUES,) if owner.schema.uniques else ()))
            work = [keys.work(token, name) for name in names]
            forget = FORGET([keys.record, *work], token)
            yield Batch([forget, RELEASE([keys.lock, keys.touched, keys.record], token)])
