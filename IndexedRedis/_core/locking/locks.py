"""The locks of models: one reset, or save of many, at a time.

A lock is a key with a token and a short time to live, prolonged with every step: that of a killed
process blocks the next reset no longer, which waits longer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from ...errors import ResetInProgressError, ResetLostError
from ..flows import Batch, Command, Flow, Pause, ask
from ..keys import WORK
from ..mapping.schema import Schema
from .scripts import BEGIN, FORGET, HOLD, RELEASE

__all__ = (
    'LockOwner',
    'extend_command',
    'fence_lost_error',
    'lock_all',
    'lock_if_free',
    'lock_lost_error',
    'new_token',
    'register_reset',
    'release_all',
)


class Owner(Protocol):
    """Whoever needs the lock of a model."""

    @property
    def schema(self) -> Schema: ...

    @property
    def token(self) -> bytes: ...


class LockOwner(NamedTuple):
    """An owner that is nothing else."""

    schema: Schema
    token: bytes


LOCK_MS = 10_000
WAIT_SECONDS = 15.0
PAUSE_SECONDS = 0.05


def new_token() -> bytes:
    """Text that no other owner of a lock has."""
    return os.urandom(16).hex().encode('ascii')


def lock_all(owners: Sequence[Owner]) -> Flow[None]:
    """Take the lock of each model; all resets do so in the same order, so none waits in a circle.

    :raises ResetInProgressError: if another reset holds one for too long
    """
    try:
        yield from _lock_each(sorted(owners, key=lambda each: each.schema.keys.all))
    except GeneratorExit:
        raise
    except BaseException:
        yield from release_all(owners)
        raise


def _lock_each(owners: Sequence[Owner]) -> Flow[None]:
    waited = 0.0
    for i, owner in enumerate(owners):
        while not (yield from _take(owner, owners[:i])):
            if waited >= WAIT_SECONDS:
                raise ResetInProgressError(
                    f'{owner.schema.name}: another reset is under way and did not end within '
                    f'{WAIT_SECONDS:.0f} s. Nothing was changed; try again later.'
                )
            yield Pause(PAUSE_SECONDS)
            waited += PAUSE_SECONDS


def lock_if_free(owners: Sequence[Owner]) -> Flow[bool]:
    """Take the lock of each model, or none where another owner has one; returns whether."""
    try:
        for i, owner in enumerate(owners):
            if not (yield from _take(owner, owners[:i])):
                yield from release_all(owners[:i])
                return False
    except GeneratorExit:
        raise
    except BaseException:
        yield from release_all(owners)
        raise
    return True


def _take(owner: Owner, held: Sequence[Owner]) -> Flow[bool]:
    lock, token = owner.schema.keys.lock, owner.token
    prolong = [extend_command(held)] if held else []
    taken, holder, *_ = yield Batch(
        [('SET', lock, token, 'NX', 'PX', LOCK_MS), ('GET', lock), *prolong]
    )
    # A repeated SET finds the lock of its own first sending.
    return taken is not None or holder == token


def extend_command(owners: Sequence[Owner], retake: int = 0) -> Command:
    """The command that prolongs the locks.

    :param retake: 1 to take those that ran out, if nobody else had them since
    """
    keys = [owner.schema.keys for owner in owners]
    names = [name for each in keys for name in (each.lock, each.touched, each.record)]
    return HOLD(names, owners[0].token, LOCK_MS, retake)


def register_reset(owner: Owner, exclusive: int = 0) -> Flow[None]:
    """List a reset that has the lock as one that is alive.

    :param exclusive: 1 to take all others off the record
    :raises ResetLostError: if it has the lock no more
    """
    keys = owner.schema.keys
    if not (yield from ask(*BEGIN([keys.lock, keys.touched, keys.record], owner.token, exclusive))):
        raise lock_lost_error([owner])


def lock_lost_error(
    owners: Sequence[Owner], state: str = 'Nothing was changed by this one; try again.'
) -> ResetLostError:
    """The error of one whose lock ran out; ``state``: what has become of the data."""
    names = ', '.join(owner.schema.name for owner in owners)
    return ResetLostError(
        f'{names}: this reset paused for more than {LOCK_MS // 1000} s, so that another one '
        f'could take over. {state}'
    )


def fence_lost_error(owners: Sequence[Owner]) -> ResetLostError:
    """Return the error of a reset whose fence does not hold: see ``ResetObserver.fence``."""
    names = ', '.join(owner.schema.name for owner in owners)
    return ResetLostError(
        f'{names}: this run lost the mirror lock, so another run could begin. Nothing was changed; '
        'run it again.'
    )


def release_all(owners: Sequence[Owner]) -> Flow[None]:
    """Give back the locks that are still ours, and take off the record what needs no sweeping.

    They run out by themselves, so no more is tried once that has failed.
    """
    with suppress(Exception):
        for owner in owners:
            keys, token = owner.schema.keys, owner.token
            work = [keys.work(token, name) for name in WORK]
            forget = FORGET([keys.record, *work], token)
            yield Batch([forget, RELEASE([keys.lock, keys.touched], token)])
