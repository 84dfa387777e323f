"""Nodes, and what they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from time import monotonic
from typing import Any, NamedTuple, Protocol

from ..._core.flows import Batch

__all__ = ('Node', 'Role', 'TopologyMap', 'Turn', 'text')

# A node that is asked has one second to be connected to, and one to answer.
_TURN_SECONDS = 3.0


class Node(NamedTuple):
    """The address of a server."""

    host: str
    port: int


class Role(StrEnum):
    """What the connections of a pool to a node are for."""

    #: to read and write as on a server that stands alone
    PRIMARY = 'primary'
    #: to read copies, which the node may not have got all of
    REPLICA = 'replica'
    #: to ask where the nodes are, with a short time-out
    GUIDE = 'guide'


class Turn:
    """Lets one conversation ask where the nodes are, while the others wait for its answer.

    A thousand tasks would ask a thousand times when a primary is lost. A turn ends by itself: who
    took it may be gone, as the other threads of a process that forks.
    """

    def __init__(self) -> None:
        self._ends = 0.0

    def is_taken(self) -> bool:
        """Whether a conversation is asking."""
        return monotonic() < self._ends

    def take(self) -> None:
        """Have the others wait."""
        self._ends = monotonic() + _TURN_SECONDS

    def give_back(self) -> None:
        """Have the others go on."""
        self._ends = 0.0


class TopologyMap(Protocol):
    """What is known about the nodes."""

    turn: Turn
    question: Batch
    patience_question: Batch

    def is_due(self, within: float) -> bool: ...

    def put_off(self) -> None: ...

    def candidates(self) -> list[Node]: ...

    def learn(self, replies: Sequence[Any], asked: Node) -> None: ...

    def learn_moved(self, slot: int | None, host: str, port: int, asked: Node) -> None: ...

    def primary(self, slot: int | None) -> Node | None: ...

    def replicas(self, slot: int | None) -> tuple[Node, ...]: ...

    def primaries(self) -> list[Node]: ...

    def shards(self) -> list[int | None]: ...

    @staticmethod
    def seconds_to_notice(replies: Sequence[Any]) -> float: ...


def text(value: Any) -> str:
    """Return a text that a server sent."""
    return value.decode('utf-8', 'replace') if isinstance(value, bytes) else str(value or '')
