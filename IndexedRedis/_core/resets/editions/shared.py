"""A reset that several processes share: one begins and commits it, each stages a part."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ...bulk.recovery import begin as begin_owners
from ...flows import Batch, Flow, with_cleanup
from ...links.fetching import ServerOf
from ...locking.locks import (
    LockOwner,
    extend_command,
    lock_lost_error,
    release_all,
    take_locks,
)
from ...mapping.schema import Schema
from ..observer import ResetObserver
from ..promises import Promises
from ..swap import Group
from .flip import flip
from .record import Flip
from .reset import clean_up, enter, settle_editions, stage_all
from .staging import EditionStaging

__all__ = ('begin_shared', 'commit_shared', 'drop_shared', 'keep_shared', 'stage_shared')


def owners_of(flips: Sequence[Flip], token: bytes) -> list[LockOwner]:
    """Return who holds the locks of the models."""
    return [LockOwner(each.schema, token) for each in flips]


def begin_shared(schemas: Sequence[Schema], token: bytes) -> Flow[list[Flip]]:
    """Take the locks of models, and enter a new edition of each.

    :raises ResetInProgressError: if another owner holds a lock for too long
    """
    owners = [LockOwner(schema, token) for schema in schemas]
    flips: list[Flip] = []

    def begin() -> Flow[list[Flip]]:
        yield from take_locks(owners)
        yield from begin_owners(owners)
        for owner in owners:
            yield from enter(owner, (yield from settle_editions(owner)), flips)
        return flips

    def clean_up_failure(worked: bool) -> Flow[None]:
        if not worked:
            yield from drop_shared(flips, token, owners)

    return (yield from with_cleanup(begin(), clean_up_failure))


def stage_shared(
    flips: Sequence[Flip],
    groups: Sequence[Group],
    token: bytes,
    server_of: ServerOf,
    observer: ResetObserver | None,
) -> Flow[dict[Schema, int]]:
    """Stage a part of the data sets; return how many objects of each model.

    :param groups: objects, or rows, of some of the models
    :raises ResetLostError: if a lock is lost
    """
    promises, observer = Promises(), observer or ResetObserver()
    after = {each.schema: each.after for each in flips}
    stagings = []
    for schema, objs in groups:
        staging = EditionStaging(schema, objs, token, promises, observer)
        staging.edition = after[schema]
        stagings.append(staging)
    yield from stage_all(stagings, owners_of(flips, token), server_of)
    return {staging.schema: staging.count for staging in stagings}


def keep_shared(flips: Sequence[Flip], token: bytes) -> Flow[None]:
    """Extend the locks of the models.

    :raises ResetLostError: if a lock is lost
    """
    owners = owners_of(flips, token)
    (held,) = yield Batch([extend_command(owners, retake=1)])
    if not held:
        raise lock_lost_error(owners)


def commit_shared(
    flips: Sequence[Flip], token: bytes, observer: ResetObserver | None, stamp: str
) -> Flow[None]:
    """Make what was staged true, and release the locks.

    :raises ResetLostError: if a lock, or the fence, is lost
    """
    owners, observer = owners_of(flips, token), observer or ResetObserver()

    def end(worked: bool) -> Flow[None]:
        yield from clean_up(flips, owners, worked)
        yield from release_all(owners)

    observer.swapping()
    yield from with_cleanup(flip(flips, owners, stamp, observer.fence), end)


def drop_shared(
    flips: Sequence[Flip], token: bytes, owners: Sequence[LockOwner] = ()
) -> Flow[None]:
    """Drop what was staged, and release the locks."""
    with suppress(Exception):  # the next reset drops it
        yield from clean_up(flips, owners or owners_of(flips, token), worked=False)
        yield from release_all(owners or owners_of(flips, token))
