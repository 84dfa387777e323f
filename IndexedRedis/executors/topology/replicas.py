"""How far the replicas of primaries have got, and which of them is fresh enough for a query.

The *moment* of a replica is the latest time for which it is proven that the replica has everything
that its primary had then. The proof: at that time, or later, the primary told an offset, and the
replica has told this offset, or a higher one, under the same replication id. A replica only moves
forward, so the moment stays true while the replica runs. What is unknown counts as too old.

Rule: replicas are used whose moment is not before

- the time that the query allows, and
- the time at which this process last ended a conversation with another node about these models: so
  no caller sees something and later, from another node, what was there before it.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from random import random
from typing import NamedTuple

from redis.exceptions import ConnectionError

from ..._core.replication import Freshness, Position
from ..clock import Clock
from ..pools.locks import ForkSafeLock
from .nodes import Node

__all__ = ('ANYWHERE', 'Copies', 'Replicas')

#: stands for all nodes that this process may have talked to
ANYWHERE = Node('', 0)
# How often one process asks how far the replicas of one primary are.
_ASK_SECONDS = 0.1
# How often it asks for the list of replicas if none is fresh enough.
_LIST_SECONDS = 1.0
# For how long a replica that did not answer is left alone.
_SILENT_SECONDS = 5.0
# Offsets of the primary that are remembered: those of the last 100 s.
_OFFSETS = 1000


class _Copy(NamedTuple):
    """A replica.

    :param moment: see above; 0: unknown
    """

    told: Position
    moment: float


class Copies:
    """What is known about the replicas of one primary."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._id = ''
        # the offsets that the primary told, and when it was asked for each
        self._offsets: list[int] = []
        self._times: list[float] = []
        self._copies: dict[Node, _Copy] = {}
        self._silent: dict[Node, float] = {}
        self._asking, self._listing = Clock(_ASK_SECONDS), Clock(_LIST_SECONDS)
        #: the one that was used last
        self._last = ANYWHERE

    def is_due(self) -> bool:
        """Whether it is time to ask how far all are. If so, the caller has to ask."""
        with self._lock:
            return self._asking.is_due()

    def is_list_due(self) -> bool:
        """Whether it is time to ask which replicas there are. If so, the caller has to ask."""
        with self._lock:
            return self._listing.is_due()

    def to_ask(self, nodes: Iterable[Node]) -> list[Node]:
        """Return the replicas to ask, in the order to use them: the one that was used last first.

        Replicas that did not answer lately are left out.
        """
        now = time.monotonic()
        answering = [node for node in nodes if self._silent.get(node, 0.0) <= now]
        return sorted(answering, key=lambda node: (node != self._last, random()))

    def note_primary(self, asked_at: float, told: Position) -> None:
        """Note how far the primary is.

        :param asked_at: the time before it was asked
        """
        with self._lock:
            if told.id != self._id:
                # Offsets of another primary's stream cannot be compared.
                self._id, self._offsets, self._times, self._copies = told.id, [], [], {}
            if self._times and (asked_at <= self._times[-1] or told.offset < self._offsets[-1]):
                return
            self._offsets.append(told.offset)
            self._times.append(asked_at)
            del self._offsets[:-_OFFSETS], self._times[:-_OFFSETS]

    def expect(self, node: Node) -> None:
        """Note that a replica is asked: others leave it alone, until it answers or for a time."""
        self._silent[node] = time.monotonic() + _SILENT_SECONDS

    def note_replica(self, node: Node, told: Position) -> None:
        """Note how far a replica is."""
        with self._lock:
            self._silent.pop(node, None)
            if told.is_primary or not told.is_linked or told.id != self._id:
                self._copies.pop(node, None)
                return
            at = bisect_right(self._offsets, told.offset) - 1
            self._copies[node] = _Copy(told, self._times[at] if at >= 0 else 0.0)

    def forget(self, node: Node) -> None:
        """Note that a replica failed: ask it before it is used again."""
        self._copies.pop(node, None)
        self._silent.pop(node, None)

    def choose(
        self, nodes: Sequence[Node], fresh: Freshness, seen: Mapping[Node, float]
    ) -> Node | None:
        """Return a replica that is fresh enough; None if none is known to be.

        :param nodes: the replicas
        :param seen: when this process last ended a conversation with each node
        """
        least = time.monotonic() - fresh.max_lag
        last = self._last
        if last in nodes and self._is_fresh(last, fresh, least, seen):
            return last
        for node in nodes:
            if self._is_fresh(node, fresh, least, seen):
                self._last = node
                return node
        return None

    def _is_fresh(
        self, node: Node, fresh: Freshness, least: float, seen: Mapping[Node, float]
    ) -> bool:
        copy = self._copies.get(node)
        if copy is None or copy.moment < least:
            return False
        for each, when in [*seen.items()]:
            if when > copy.moment and each != node:
                return False
        return fresh.after is None or copy.told.has(fresh.after)

    def knows(self, node: Node, told: Position) -> bool:
        """Whether a replica has at least what it had when its progress was noted."""
        known = self._copies.get(node)
        return (
            known is not None
            and told.is_linked
            and told.id == known.told.id
            and told.offset >= known.told.offset
        )


class Replicas:
    """What is known about the replicas of all primaries."""

    def __init__(self) -> None:
        self._by_primary: dict[Node, Copies] = {}

    def of(self, primary: Node) -> Copies:
        """Return what is known about the replicas of a primary."""
        copies = self._by_primary.get(primary)
        return copies or self._by_primary.setdefault(primary, Copies())

    def check(self, node: Node, told: Position) -> None:
        """Check a replica over a new connection: since it was asked, it may have started anew.

        :raises ConnectionError: if it may have older data than it had then
        """
        known = [*self._by_primary.values()]
        if not any(copies.knows(node, told) for copies in known):
            for copies in known:
                copies.forget(node)
            raise ConnectionError(f'The replica {node.host}:{node.port} started anew.')
