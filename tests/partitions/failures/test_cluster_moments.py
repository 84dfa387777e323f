"""A node of a cluster is lost, with its last writes or without, or a slot moves, at each moment of
a reset. The rule: replicas have confirmed what goes on. What they have not may be lost, and nothing
else; and nothing is read by half."""

from __future__ import annotations

import contextlib

import pytest

from partitions.conftest import LOCK
from partitions.moments import EVENTS, HOME, HONEST, MOMENTS, another, insist, judge
from partitions.played import Played
from partitions.rows import ask, extra, extras, process, resetting

pytestmark = pytest.mark.clusters


@pytest.mark.parametrize('event', EVENTS, ids=lambda event: event.__name__)
@pytest.mark.parametrize('moment', MOMENTS)
def test_an_event_at_a_moment_of_a_reset(cluster, place, event, moment):
    one = place()
    kept = extra(one)
    kept.save()
    reset = resetting(1, 4, 2)
    MOMENTS[moment](reset)
    event(cluster)
    first = ask(process(2))
    assert first in (1, 2)
    with contextlib.suppress(*HONEST):
        reset.finish()
    second = ask(one)
    assert second >= first
    cluster.heal()
    assert ask(process(3)) == ask(one) == second
    saved = [extra(one) for _ in range(5)]
    for obj in saved:
        insist(obj.save)
    names = {obj.name for obj in saved} | ({kept.name} if second == 1 else set())
    assert extras(process(2)) == names
    insist(lambda: resetting(3, 4, 3).finish())
    assert ask(one) == 3
    assert extras(one) == set()
    judge(cluster)


@pytest.mark.parametrize('which', ['home', 'another'])
@pytest.mark.parametrize('killed', [False, True], ids=['it lives on', 'it is killed'])
@pytest.mark.parametrize('steps', [1, 4])
@pytest.mark.parametrize('moment', MOMENTS)
def test_the_last_steps_are_lost(cluster, place, moment, steps, killed, which):
    one = place()
    kept = extra(one)
    kept.save()
    reset = resetting(1, 4, 2)
    MOMENTS[moment](reset)
    primary = cluster.primary_of(HOME) if which == 'home' else another(cluster)
    (replica,) = cluster.replicas_of(primary)
    cluster.hold(replica)
    reset.advance(steps)
    assert ask(process(2)) in (1, 2)
    others = [extra(one) for _ in range(4)]
    writes = [Played(obj.save) for obj in others]
    for write in writes:
        write.advance(6)
    if killed:
        cluster.kill(primary)
    cluster.takeover(replica)
    if steps > 1:  # so that a reader settles what it finds, or not
        assert ask(one) in (1, 2)
    with contextlib.suppress(*HONEST):
        reset.finish()
    for write in writes:
        with contextlib.suppress(*HONEST):
            write.finish()
    cluster.heal()
    cluster.primary_of(HOME).call('DEL', LOCK)  # that it was released may be lost, too
    last = ask(one)
    # A primary that was replaced may have told what nobody has confirmed.
    assert last in (1, 2)
    assert last == ask(process(3))
    saved = [extra(one) for _ in range(5)]
    for obj in saved:
        insist(obj.save)
    names = {obj.name for obj in saved} | ({kept.name} if last == 1 else set())
    found = extras(process(2))
    assert names <= found <= names | {obj.name for obj in others}
    insist(lambda: resetting(3, 4, 3).finish())
    assert ask(one) == 3
    assert extras(one) == set()
    judge(cluster)
