"""Nodes, and what they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from ..._core.flows import Batch
from .turn import Turn

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
    #: to ask how far the node has got, with a short time-out
    GAUGE = 'gauge'


class TopologyMap:
    """What is known about the nodes. The base is a service of one primary, which names itself."""

    #: what a node is asked, for :meth:`learn`
    question = Batch([('PING',)])
    #: what a node is asked, for :meth:`seconds_to_notice`
    patience_question = question

    def __init__(self) -> None:
        self.turn = Turn()

    def is_due(self, within: float) -> bool:
        """Whether to ask again before a conversation, though no node has failed.

        :param within: or in so many seconds
        """
        return False

    def put_off(self) -> None:
        """Note that no node has answered the question: what is known has to do for a while."""

    def candidates(self) -> list[Node]:
        """Return the nodes to ask, in the order to try."""
        return self.primaries()

    def learn(self, replies: Sequence[Any], asked: Node) -> None:
        """Take over what a node told.

        :param replies: to :attr:`question`
        :raises redis.exceptions.ConnectionError: if it does not count
        """

    def learn_moved(self, slot: int | None, host: str, port: int, asked: Node) -> None:
        """Note where a slot has moved to, as a node said that the newest map may not know yet."""

    def slot_of(self, key: bytes) -> int | None:
        """Return the slot of a key; None if one primary serves all keys."""
        return None

    def primary(self, slot: int | None) -> Node | None:
        """Return the node that serves a slot; None if that is not known."""
        raise NotImplementedError

    def replicas(self, slot: int | None) -> tuple[Node, ...]:
        """Return the replicas of the node that serves a slot."""
        raise NotImplementedError

    def primaries(self) -> list[Node]:
        """Return all primaries that are known."""
        primary = self.primary(None)
        return [] if primary is None else [primary]

    def shards(self) -> list[int | None]:
        """Return a slot of each primary.

        :raises redis.exceptions.ConnectionError: if some slots are served by no node
        """
        return [None]

    @staticmethod
    def seconds_to_notice(replies: Sequence[Any]) -> float:
        """Return after how many seconds others notice that a primary is gone.

        :param replies: to :attr:`patience_question`
        """
        return 0.0


def text(value: Any) -> str:
    """Return a text that a server sent."""
    return value.decode('utf-8', 'replace') if isinstance(value, bytes) else str(value or '')
