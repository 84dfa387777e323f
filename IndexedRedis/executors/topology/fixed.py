"""A primary and its replicas as connection parameters name them. They never change their roles."""

from __future__ import annotations

from collections.abc import Sequence

from .nodes import Node, TopologyMap

__all__ = ('FixedMap',)


class FixedMap(TopologyMap):
    """A primary and its replicas.

    :param primary: the primary
    :param replicas: the replicas
    """

    def __init__(self, primary: Node, replicas: Sequence[Node]) -> None:
        super().__init__()
        self._primary, self._replicas = primary, tuple(replicas)

    def primary(self, slot: int | None) -> Node | None:
        """Return the primary."""
        return self._primary

    def replicas(self, slot: int | None) -> tuple[Node, ...]:
        """Return the replicas."""
        return self._replicas
