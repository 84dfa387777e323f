"""Groups of servers for tests: a cluster, a primary with replicas, and such with sentinels.

They start in a few seconds, on free ports of 127.0.0.1, and end with the block, or with the
process that started them, even if it is killed::

    with start_cluster() as cluster:
        cluster.takeover(cluster.replicas_of(cluster.primary_of('{Songs}'))[0])

Events such as a failover return when they are over and all servers agree.
"""

from __future__ import annotations

from ..group import Group
from ..nodes import Node
from .cluster import Cluster, start_cluster
from .replicas import Replicas, start_replicas
from .sentinels import Sentinels, start_sentinels

__all__ = (
    'Cluster',
    'Group',
    'Node',
    'Replicas',
    'Sentinels',
    'start_cluster',
    'start_replicas',
    'start_sentinels',
)
