"""How a primary is lost, in a cluster or behind Sentinels. Its replicas have confirmed all writes
before, since nothing else can be promised."""

from __future__ import annotations

import contextlib


@contextlib.contextmanager
def resting(group, crowd, primary):
    """Nobody writes, and all replicas of the primary have all, when the block begins."""
    if hasattr(group, 'replicas_of'):
        replicas = group.replicas_of(primary)
    else:
        replicas = group.replicas
    with crowd.resting(primary, len(replicas)):
        yield


def crash(group, crowd, primary):
    """The others elect a replica."""
    with resting(group, crowd, primary):
        group.kill(primary)
    group.wait_ok()


def freeze_and_wake(group, crowd, primary):
    """The old primary still has to answer what it was sent before."""
    with resting(group, crowd, primary):
        group.pause(primary)
    group.wait_ok()
    group.resume(primary)


def wake_among_idle(group, crowd, primary):
    """Idle connections lead to the old primary, which takes writes until it learns of the new."""
    with resting(group, crowd, primary):
        group.pause(primary)
        group.wait_ok()
        group.resume(primary)
