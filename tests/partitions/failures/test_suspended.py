"""Processes that sleep for longer than their lock lives, and go on at the worst moment. The rule:
what was acknowledged after a flip is there, and no data set that is true loses a row."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from IndexedRedis import ConflictError
from IndexedRedis.errors import ObjectGoneError, ResetInProgressError, ResetLostError
from IndexedRedis.managers.editions import (
    Edition,
    beginEdition,
    commitEdition,
    keepEdition,
    stageEdition,
)
from partitions.leftovers import assert_clean
from partitions.played import Played
from partitions.rows import ask, data_set, extra, extras, process, resetting

pytestmark = pytest.mark.faults
GIVEN_UP = (ResetLostError, ConflictError, ResetInProgressError)


def steps(count_of):
    count_of.finish()
    return count_of.count


def test_a_reset_that_lost_its_lock_spares_what_another_stages(begun, raw, expire, full):
    """Whatever step the other one has reached, and wherever the first one slept."""
    begun()
    total = steps(resetting(1, 4, 2))
    strides = (3, 4) if full else (9, 10)
    for slept in range(3, total, strides[0]):
        for count in range(2, total, strides[1]):
            begun()
            first, second = resetting(1, 4, 2), resetting(2, 4, 3)
            assert first.advance(slept)
            expire()
            second.advance(count)
            for reset in (first, second):
                with contextlib.suppress(*GIVEN_UP):
                    reset.finish()
            ask(process(3))
            resetting(3, 4, 4).finish()
            assert ask(process(4)) == 4
            assert_clean(raw)


def blocked(begun, expire, committed):
    """A writer that finds the flip of a dead process, and the object that it saves."""
    model = begun()
    dead = resetting(1, 4, 2)
    dead.until(lambda text: text.startswith('commit_edition'))
    dead.advance(committed)
    dead.die()
    expire()
    obj = extra(model)
    return Played(obj.save), obj


@pytest.mark.parametrize('committed', [0, 1], ids=['it gave up', 'it committed'])
def test_a_writer_that_settles_reopens_no_other_flip(begun, raw, expire, committed):
    """It sleeps at each of its steps while another process prepares a flip, goes on by some steps,
    and sleeps again while that flip is committed."""
    total = steps(blocked(begun, expire, committed)[0])
    for slept, further in itertools.combinations(range(total + 4), 2):
        writer, obj = blocked(begun, expire, committed)
        writer.advance(slept)
        second = resetting(2, 4, 3)
        second.until(lambda text: text.startswith('commit_edition'))
        lives = writer.advance(further - slept)
        second.step()
        assert ask(process(3)) == 3
        writer.advance(5)  # while the fences are still closed, or should be
        second.finish()
        writer.finish()
        assert ask(process(3)) == 3
        if lives:
            assert obj.name in extras(process(4)), (slept, further)
        assert_clean(raw)


def test_a_lock_that_expires_while_fences_are_closed_is_not_taken_again(begun, expire):
    """By another process that stages for the same reset."""
    model, worker, loader = begun(), process(1), process(2)
    edition = beginEdition([loader])
    counts = stageEdition(edition, {loader: data_set(loader, 2)})
    commit = Played(lambda: commitEdition(edition, counts))
    commit.until(lambda text: text.startswith('commit_edition'))
    expire()
    obj = extra(model)
    obj.save()
    with pytest.raises(ResetLostError):
        keepEdition(Edition(edition.token, (worker,), edition.numbers))
    with pytest.raises(ResetLostError):
        commit.finish()
    assert ask(model) == 1
    assert extras(process(3)) == {obj.name}


def test_nobody_draws_a_pk_that_an_object_of_a_reset_brings(begun):
    """Else a saved object of the old data set would be a row of the new one."""
    model, other = begun(), process(1)
    rows = data_set(other, 2)
    for pk, row in enumerate(rows, 40):
        row._id = pk
    reset = Played(lambda: other.reset(rows))
    reset.until(lambda text: text.startswith('WATCH'))
    objs = [extra(model) for _ in range(60)]
    for obj in objs:
        obj.save()
    reset.finish()
    for obj in objs:
        obj.n = 99
        with pytest.raises(ObjectGoneError):
            obj.save()
    assert ask(model) == 2
