"""Readers, writers and resetters, of threads and of tasks, while Sentinels replace the primary. The
rule: as in ``test_events.py``, and old primaries that wake up take no writes from us."""

from __future__ import annotations

import pytest

from clusters.losses import crash, freeze_and_wake, resting, wake_among_idle


def fail_over(group, crowd, primary):
    """As an administrator asks for; the old primary takes writes until it is told."""
    with resting(group, crowd, primary):
        group.failover()


def lose_a_sentinel_and_the_primary(group, crowd, primary):
    """The Sentinel that has answered so far goes with the primary."""
    with resting(group, crowd, primary):
        group.kill(group.sentinel_nodes[0])
        group.kill(primary)
    group.wait_ok()


EVENTS = [fail_over, crash, freeze_and_wake, wake_among_idle, lose_a_sentinel_and_the_primary]


@pytest.mark.parametrize('event', EVENTS, ids=lambda event: event.__name__)
def test_nobody_notices(sentinels, event, crowd_on, judge):
    crowd = crowd_on({**sentinels.params, 'socket_timeout': 2.0})
    event(sentinels, crowd, sentinels.primary)
    judge(event.__name__, crowd, lambda: sentinels.primary)
