"""Nodes, and what they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from ..._core.flows import Batch

__all__ = ('Node', 'Role', 'TopologyMap', 'text')


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


class TopologyMap(Protocol):
    """What is known about the nodes."""

    question: Batch
    patience_question: Batch

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
