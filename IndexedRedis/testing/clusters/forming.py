"""How running nodes become a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from ..group import until
from ..nodes import Node
from .topology import SLOTS, entries

__all__ = ('form',)

FORM_SECONDS = 30.0


def form(primaries: Sequence[Node], replicas: Sequence[Node]) -> None:
    """Share the slots evenly, introduce all nodes to each other, and spread the replicas.

    Sends CLUSTER ADDSLOTS, SET-CONFIG-EPOCH, MEET, NODES and REPLICATE.

    :raises TimeoutError: if the nodes do not get to know each other within 30 s
    """
    nodes = [*primaries, *replicas]
    count = len(primaries)
    for number, node in enumerate(primaries):
        slots = range(SLOTS * number // count, SLOTS * (number + 1) // count)
        node.call('CLUSTER', 'ADDSLOTS', *slots)
    for number, node in enumerate(nodes):  # equal epochs would be sorted out slowly
        node.call('CLUSTER', 'SET-CONFIG-EPOCH', number + 1)
    for one, other in combinations(nodes, 2):
        one.call('CLUSTER', 'MEET', other.host, other.port)
    until('all nodes know each other', FORM_SECONDS, lambda: all(_knows(n, nodes) for n in nodes))
    for number, node in enumerate(replicas):
        primary = primaries[number % count].call('CLUSTER', 'MYID')
        node.call('CLUSTER', 'REPLICATE', primary)


def _knows(node: Node, nodes: Sequence[Node]) -> bool:
    known = entries(node.call('CLUSTER', 'NODES').decode()).values()
    return {entry.port for entry in known if not entry.doubtful} == {each.port for each in nodes}
