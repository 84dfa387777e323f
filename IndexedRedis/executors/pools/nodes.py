"""The pools of the nodes of a cluster, or of a Sentinel service.

Rule: it only holds them. Which node is asked is up to the route of a conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ..topology.nodes import Node, Role, TopologyMap
from ..topology.replicas import Replicas
from ..topology.route import Place
from .locks import ForkSafeLock

__all__ = ('NodePools',)


class NodePools:
    """A pool for each node and role, made at its first use.

    :param known: what is known about the nodes
    :param make: returns a pool for a node and a role
    :param seconds: the failover budget
    :param slot_of: returns the slot of a model
    :param replicas: what is known about the replicas
    """

    def __init__(
        self,
        known: TopologyMap,
        make: Callable[[Node, Role], Any],
        seconds: float,
        slot_of: Callable[[Any], int | None],
        replicas: Replicas,
    ) -> None:
        self.known, self.replicas = known, replicas
        self._make = make
        self._seconds = seconds
        self._slot_of = slot_of
        self._pools: dict[tuple[Node, Role], Any] = {}
        self._places: dict[int | None, Place] = {}
        self._lock = ForkSafeLock()

    def __repr__(self) -> str:
        nodes = ', '.join(f'{node.host}:{node.port}' for node in self.known.candidates())
        return f'<{type(self).__name__} of {nodes}>'

    def pool(self, node: Node, role: Role) -> Any:
        """Return the pool of a node."""
        pool = self._pools.get((node, role))
        if pool is None:
            with self._lock:
                pool = self._pools.get((node, role)) or self._make(node, role)
                self._pools[node, role] = pool
        return pool

    def place(self, model: Any) -> Place:
        """Return the place of a model: the same object for models of one slot.

        :param model: the model; None: of no model, so any node will do
        :raises ConnectionSetupError: if its keys are in many slots
        """
        slot = None if model is None else self._slot_of(model)
        place = self._places.get(slot)
        if place is None:
            place = Place(self.known, slot, self._seconds, self.replicas)
            place = self._places.setdefault(slot, place)
        return place

    def drop_others(self, nodes: Collection[Node]) -> list[Any]:
        """Forget the pools to nodes that have another role; return them.

        The caller closes their idle connections. Those in use are closed with the pool, when the
        last borrower has given one back.

        :param nodes: the primaries
        """
        wrong = {Role.PRIMARY: False, Role.REPLICA: True}
        with self._lock:
            gone = [key for key in self._pools if wrong.get(key[1]) is (key[0] in nodes)]
            return [self._pools.pop(key) for key in gone]

    def pools(self) -> list[Any]:
        """Return all pools, and forget them."""
        with self._lock:
            pools = [*self._pools.values()]
            self._pools.clear()
        return pools

    def stats(self) -> list[dict[str, Any]]:
        """Return the figures of the pool of each node and role."""
        with self._lock:
            pools = [*self._pools.items()]
        return [
            {**figures, 'role': str(role)} for (_, role), pool in pools for figures in pool.stats()
        ]

    def end(self) -> None:
        """Close the idle connections now, and each of the others when it comes back."""
        for pool in self.pools():
            pool.end()

    def disconnect(self) -> None:
        """Close all connections, those in use too, as pools of redis-py do."""
        for pool in self.pools():
            pool.disconnect()


class AsyncNodePools(NodePools):
    """As :class:`NodePools`, of asyncio."""

    async def disconnect(self) -> None:  # type: ignore[override]
        """Close all connections."""
        for pool in self.pools():
            await pool.disconnect()
