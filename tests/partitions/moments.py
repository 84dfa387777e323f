"""Moments of a reset, and what becomes of a cluster then."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from redis.crc import key_slot

from IndexedRedis import ConflictError, NotAcknowledgedError
from IndexedRedis._core.partitions.layout import tags
from IndexedRedis.errors import ResetInProgressError, ResetLostError
from partitions.leftovers import Store, assert_clean
from partitions.played import Played
from partitions.rows import Row

HOME = '{proof}'
TRIES = 20
# What a reset may say that was cut short.
HONEST = (NotAcknowledgedError, ResetLostError, ConflictError, ResetInProgressError)


def insist(act: Callable[[], Any]) -> Any:
    """Do it again while a replica that has just come back confirms nothing."""
    for _ in range(TRIES):
        with contextlib.suppress(NotAcknowledgedError):
            return act()
    return act()


def at(text: str, more: int = 0) -> Callable[[Played], None]:
    """Go on to the step that begins with a text, and some steps further."""

    def go(reset: Played) -> None:
        reset.until(lambda told: told.startswith(text))
        reset.advance(more)

    return go


MOMENTS = {
    'before the edition is entered': at('begin_edition'),
    'before rows are staged': at('WATCH'),
    'while rows are staged': at('WATCH', 2),
    'before a fence is closed': at('prepare_flip'),
    'while fences are closed': at('prepare_flip', 2),
    'while partitions are marked': at('mark_edition', 2),
    'before the commit': at('commit_edition'),
    'behind the commit': at('commit_edition', 1),
    'while fences are opened': at('advance', 2),
    'while the old edition is retired': at('PEXPIRE', 3),
    'before the rows of the old edition expire': at('PACKED', 4),
}


def another(cluster: Any) -> Any:
    """A primary that has partitions, and not the home slot."""
    return next(node for node in cluster.primaries if node is not cluster.primary_of(HOME))


def kill(cluster: Any, node: Any) -> None:
    """As a crash; its replica takes over at once."""
    (replica,) = cluster.replicas_of(node)
    cluster.kill(node)
    cluster.takeover(replica)


def kill_home(cluster: Any) -> None:
    kill(cluster, cluster.primary_of(HOME))


def kill_another(cluster: Any) -> None:
    kill(cluster, another(cluster))


def kill_replicas(cluster: Any) -> None:
    for node in (cluster.primary_of(HOME), another(cluster)):
        cluster.kill(cluster.replicas_of(node)[0])


def take_over_home(cluster: Any) -> None:
    cluster.takeover(cluster.replicas_of(cluster.primary_of(HOME))[0])


def take_over_another(cluster: Any) -> None:
    cluster.takeover(cluster.replicas_of(another(cluster))[0])


def migrate(cluster: Any, slot: int) -> None:
    owner = cluster.primary_of(slot)
    cluster.migrate(slot, next(node for node in cluster.primaries if node is not owner))


def migrate_home(cluster: Any) -> None:
    migrate(cluster, key_slot(b'proof'))


def migrate_a_partition(cluster: Any) -> None:
    migrate(cluster, key_slot(tags(Row.PARTITIONS)[1]))


EVENTS = [kill_home, kill_another, kill_replicas, take_over_home, take_over_another]
EVENTS += [migrate_home, migrate_a_partition]


def judge(cluster: Any) -> Store:
    """Judge the raw keys of all primaries."""
    with contextlib.ExitStack() as stack:
        return assert_clean(*(stack.enter_context(node.client()) for node in cluster.primaries))
