"""A replica takes over that lacks the last steps, while a process is between two steps that belong
together. The rule: what the old primary alone knew counts for nothing, and what replicas have
confirmed stays."""

from __future__ import annotations

import pytest

from IndexedRedis import NotAcknowledgedError
from IndexedRedis.errors import ResetLostError
from partitions.conftest import LOCK
from partitions.moments import HOME, another, insist, judge
from partitions.played import Played
from partitions.rows import ask, extra, extras, process, resetting

pytestmark = pytest.mark.clusters


def committed(cluster):
    """A reset whose commit only the old primary has, and the replica that is to take over."""
    reset = resetting(1, 4, 2)
    reset.until(lambda told: told.startswith('commit_edition'))
    (replica,) = cluster.replicas_of(cluster.primary_of(HOME))
    cluster.hold(replica)
    reset.step()
    return reset, replica


def take_over(cluster, replica):
    cluster.takeover(replica)
    cluster.heal()


def test_a_writer_that_met_an_edition_that_does_not_last(cluster, place):
    one = place()
    reset, replica = committed(cluster)
    obj = extra(one)
    write = Played(obj.save)
    write.until(lambda told: told.startswith('GET') and 'WAIT' in told)
    take_over(cluster, replica)
    write.advance(5)
    with pytest.raises(NotAcknowledgedError):
        reset.finish()
    write.finish()
    assert ask(process(2)) == ask(one) == 1
    assert extras(process(3)) == {obj.name}


def test_a_reset_that_met_a_commit_that_does_not_last(cluster, place):
    """It opens no fence for it: a writer may have found that the flip was given up."""
    one = place()
    reset, replica = committed(cluster)
    reset.until(lambda told: told.startswith('GET'))
    reset.step()
    take_over(cluster, replica)
    cluster.primary_of(HOME).call('DEL', LOCK)  # it expires, since nobody extends it
    obj = extra(one)
    insist(obj.save)
    with pytest.raises(NotAcknowledgedError):
        reset.finish()
    assert ask(process(2)) == ask(one) == 1
    assert extras(process(3)) == {obj.name}
    insist(lambda: resetting(3, 4, 3).finish())
    assert ask(one) == 3
    judge(cluster)


@pytest.mark.parametrize('which', ['home', 'another'])
def test_a_reset_whose_draws_were_lost(cluster, place, which):
    """Others draw the same pks. An object that a data set replaced would be a row of it."""
    one = place()
    reset = resetting(1, 4, 2)
    reset.until(lambda told: told.startswith('reserve'))
    primary = cluster.primary_of(HOME) if which == 'home' else another(cluster)
    (replica,) = cluster.replicas_of(primary)
    cluster.hold(replica)
    reset.advance(4)
    take_over(cluster, replica)
    others = [extra(one) for _ in range(20)]
    for obj in others:
        insist(obj.save)
    with pytest.raises(ResetLostError):
        reset.finish()
    assert extras(one) == {obj.name for obj in others}
    insist(lambda: resetting(2, 4, 3).finish())
    assert ask(one) == 3
    assert not {obj._id for obj in others} & {*judge(cluster).rows()}
