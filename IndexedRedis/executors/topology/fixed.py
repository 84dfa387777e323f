"""A primary and its replicas as connection parameters name them. They never change their roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._core.flows import Batch
from .nodes import Node

__all__ = ('FixedMap',)


class FixedMap:
    """A primary and its replicas.

    :param primary: the primary
    :param replicas: the replicas
    """

    question = Batch([('PING',)])
    patience_question = question

    def __init__(self, primary: Node, replicas: Sequence[Node]) -> None:
        self._primary, self._replicas = primary, tuple(replicas)

    def candidates(self) -> list[Node]:
        """Return the primary, in a list."""
        return [self._primary]

    def learn(self, replies: Sequence[Any], asked: Node) -> None:
        """Do nothing: the parameters say all."""

    def learn_moved(self, slot: int | None, host: str, port: int, asked: Node) -> None:
        """Do nothing: only nodes of clusters tell where something has moved."""

    def primary(self, slot: int | None) -> Node | None:
        """Return the primary."""
        return self._primary

    def replicas(self, slot: int | None) -> tuple[Node, ...]:
        """Return the replicas."""
        return self._replicas

    def primaries(self) -> list[Node]:
        """Return the primary, in a list."""
        return [self._primary]

    @staticmethod
    def seconds_to_notice(replies: Sequence[Any]) -> float:
        """Return 0: nobody replaces the primary."""
        return 0.0
