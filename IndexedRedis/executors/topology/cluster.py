"""Which node of a cluster serves which slots, as its nodes told last."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from random import shuffle
from typing import Any, NamedTuple

from redis.exceptions import ConnectionError

from ..._core.flows import Batch
from .nodes import Node, TopologyMap, text
from .slots import slot_of_key

__all__ = ('ClusterMap',)

SLOTS = 16384

Remap = Callable[[tuple[str, int]], tuple[str, int]]


class _Range(NamedTuple):
    """Consecutive slots, and the nodes that serve them: the primary first."""

    first: int
    last: int
    nodes: tuple[Node, ...]


class ClusterMap(TopologyMap):
    """The slots of a cluster and their nodes.

    :param seeds: nodes to ask first
    :param remap: turns host and port that nodes tell into those that can be reached from here; of
        redis-py's ``address_remap``
    """

    question = Batch([('CLUSTER', 'SLOTS')])
    # Its reply says how long a lost primary stays unnoticed; a user may lack the right to ask.
    patience_question = Batch([('CONFIG', 'GET', 'cluster-node-timeout')])

    def __init__(self, seeds: Sequence[Node], remap: Remap | None = None) -> None:
        super().__init__()
        self._seeds = tuple(seeds)
        self._remap = remap or (lambda address: address)
        self._ranges: list[_Range] = []
        #: the first slots of ranges, and these ranges: one value, since threads read it
        self._sorted: tuple[list[int], list[_Range]] = [], []
        self._moved: dict[int, Node] = {}

    def candidates(self) -> list[Node]:
        """Return the nodes to ask for the map: those that are known, then the seeds."""
        known = [node for each in self._ranges for node in each.nodes]
        # In any order: no node is asked each time that is cut off from the others.
        shuffle(known)
        return list(dict.fromkeys([*self._moved.values(), *known, *self._seeds]))

    def learn(self, replies: Sequence[Any], asked: Node) -> None:
        """Take over the map that a node told.

        :param replies: to :attr:`question`
        """
        self._ranges = sorted(
            _Range(int(first), int(last), tuple(self._nodes(nodes, asked)))
            for first, last, *nodes in replies[0]
        )
        self._sorted = [each.first for each in self._ranges], self._ranges
        self._moved = {}

    def learn_moved(self, slot: int | None, host: str, port: int, asked: Node) -> None:
        """Note where a slot has moved to, as a node said that the newest map may not know yet."""
        if slot is not None:
            self._moved[slot] = self._node(host, port, asked)

    def slot_of(self, key: bytes) -> int:
        """Return the slot of a key."""
        return slot_of_key(key)

    def primary(self, slot: int | None) -> Node | None:
        """Return the node that serves a slot; None if that is not known.

        :param slot: the slot; None: any
        """
        nodes = self._serving(slot)
        return nodes[0] if nodes else None

    def replicas(self, slot: int | None) -> tuple[Node, ...]:
        """Return the replicas of the node that serves a slot."""
        return self._serving(slot)[1:]

    def primaries(self) -> list[Node]:
        """Return all nodes that serve slots."""
        first = (each.nodes[0] for each in self._ranges if each.nodes)
        return list(dict.fromkeys([*first, *self._moved.values()]))

    def shards(self) -> list[int | None]:
        """Return a slot of each primary.

        :raises redis.exceptions.ConnectionError: if some slots are served by no node
        """
        served = [each for each in self._ranges if each.nodes]
        if sum(each.last - each.first + 1 for each in served) < SLOTS:
            raise ConnectionError('Some slots of the cluster are served by no node.')
        return [*{each.nodes[0]: each.first for each in served}.values()]

    @staticmethod
    def seconds_to_notice(replies: Sequence[Any]) -> float:
        """Return after how many seconds the nodes notice that a primary is gone.

        :param replies: to :attr:`patience_question`
        """
        (reply,) = replies
        values = list(reply.values()) if isinstance(reply, dict) else reply[1::2]
        return int(values[0]) / 1000 if values else 0.0

    def _serving(self, slot: int | None) -> tuple[Node, ...]:
        if slot is None:  # any node will do
            slot = self._ranges[0].first if self._ranges else 0
        if slot in self._moved:
            return (self._moved[slot],)
        firsts, ranges = self._sorted
        at = bisect_right(firsts, slot) - 1
        if at < 0 or ranges[at].last < slot:
            return ()
        return ranges[at].nodes

    def _nodes(self, told: Iterable[Any], asked: Node) -> Iterable[Node]:
        for host, port, *_ in told:
            yield self._node(text(host), int(port), asked)

    def _node(self, host: str, port: int, asked: Node) -> Node:
        return Node(*self._remap((host if host not in ('', '?') else asked.host, port)))
