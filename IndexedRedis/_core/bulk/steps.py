"""Write a long list in steps: prepare it where no query sees it, commit it, then write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from operator import attrgetter
from typing import TypeVar

from ...errors import ConflictError
from ..flows import Batch, Command, Flow, with_cleanup
from ..keys import LEFT, VALUES
from ..locking.locks import (
    LockOwner,
    extend_command,
    lock_lost_error,
    locked,
    new_token,
    release_all,
)
from ..overlap import side_by_side
from ..writes.acknowledging import acknowledge
from ..writes.compare_and_move import Step, by_model, check_rows, write_step
from ..writes.entry import Entry, Mode
from ..writes.sizes import in_steps
from ..writes.unique import claims_of, reserve_values, written_uniques
from .recovery import begin, settle
from .redo import commit, packed, store_left

__all__ = ('in_committed_steps', 'step_of', 'write_in_steps')

T = TypeVar('T')

us_of = attrgetter('us')


def in_committed_steps(
    owners: Sequence[LockOwner],
    prepare: Flow[None],
    carry_out: Callable[[], Flow[T]],
    at_once: Sequence[Command] = (),
) -> Flow[T]:
    """Prepare a write under the locks of its models, commit it, carry it out; return the result.

    A failure before the commit changes nothing. After a failure behind the commit, such as a
    cancelled task, this flow finishes the write at once if it reaches the server; if not, the next
    writer does.

    :param at_once: commands to carry out in the moment of the commit
    :raises ResetInProgressError: if another owner holds a lock for too long
    :raises ResetLostError: if a lock is lost before the commit
    :raises NotAcknowledgedError: if too few replicas confirm the write
    """

    def run() -> Flow[T]:
        yield from begin(owners)
        yield from prepare
        if not (yield from commit(owners, at_once)):
            raise lock_lost_error(owners)
        done = yield from carry_out()
        for owner in owners:
            if owner.schema.uniques:
                yield Batch([('UNLINK', owner.schema.keys.work(owner.token, VALUES))])
        return done

    def clean_up(worked: bool) -> Flow[None]:
        if worked:
            return
        # Release the locks first: then the server refuses commands that are still on the wire.
        yield from release_all(owners)
        with suppress(Exception):  # there may be no connection
            for owner in owners:
                yield from settle(owner.schema, owner.token, owner.token)

    result = yield from locked(owners, with_cleanup(run(), clean_up))
    yield from acknowledge([owner.schema for owner in owners])
    return result


def step_of(owner: LockOwner, owners: Sequence[LockOwner]) -> Step:
    """Return the step of a committed write, for rows of one owner."""
    left = owner.schema.keys.work(owner.token, LEFT)
    return Step(left, owner.token, (extend_command(owners),))


def write_in_steps(entries: list[Entry]) -> Flow[None]:
    """Write all of ``entries`` or none, of any models on one server; readers see them step by step.

    :raises ObjectGoneError: for an update of a deleted object; then nothing is written
    :raises ConflictError: if another client stored an object under a pk that was reserved here
    """
    token, groups = new_token(), by_model(entries)
    owners = [LockOwner(mine[0].schema, token) for mine in groups]

    def prepare() -> Flow[None]:
        extend = extend_command(owners)

        def prepare_some(owner: LockOwner, some: list[Entry]) -> Flow[None]:
            yield from check_rows(some, token)
            yield from store_left(owner, {entry.pk: packed(entry) for entry in some}, extend)
            if owner.schema.composites:
                yield from check_rows(some, token)  # from now on others leave these rows alone

        yield from side_by_side(
            prepare_some(owner, some)
            for owner, mine in zip(owners, groups, strict=True)
            for some in in_steps(mine, us_of)
        )
        for owner, mine in zip(owners, groups, strict=True):
            if owner.schema.uniques:
                claims, written = claims_of(mine), written_uniques(mine)
                yield from reserve_values(owner, claims, extend, written)

    def carry_out() -> Flow[None]:
        left_out: list[Entry] = []
        for owner, mine in zip(owners, groups, strict=True):
            step = step_of(owner, owners)
            steps = (write_step(some, step) for some in in_steps(mine, us_of))
            left_out += chain.from_iterable((yield from side_by_side(steps)))
        if left_out:
            yield Batch([('UNLINK', owner.schema.keys.work(token, LEFT)) for owner in owners])
        taken = [entry for entry in left_out if entry.mode != Mode.UPDATE]
        if taken:
            raise ConflictError(
                f'{taken[0].schema.name}: another client stored an object under pk {taken[0].pk} '
                'while a list was being saved; all other objects of the list are stored. Save the '
                'list again.'
            )

    yield from in_committed_steps(owners, prepare(), carry_out)
