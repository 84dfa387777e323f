"""A Redis or Valkey Cluster for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..group import WAIT_SECONDS, Group, flush, follow, lines_of, until
from ..nodes import Node
from ..servers import program as find_program
from . import forming, migration
from .migration import Step, nothing
from .replicas import REPLICATION
from .topology import SLOTS, Entry, entries, moving, slot_of

__all__ = ('Cluster', 'start_cluster')

CONFIG = (
    'cluster-enabled yes',
    'cluster-announce-ip 127.0.0.1',
    # A replica stays with its primary, and stands for election however old its data is.
    'cluster-migration-barrier 1000',
    'cluster-replica-validity-factor 0',
    *REPLICATION,
)


def start_cluster(
    program: str | None = None,
    primaries: int = 3,
    replicas: int = 1,
    node_timeout: float = 1.0,
    config: Mapping[str, str] | None = None,
) -> Cluster:
    """Start a cluster, and return when it serves all slots and its replicas are online.

    That takes 2 to 3 s. An election needs a majority of primaries, so at least three of them.

    :param program: the path of ``redis-server`` or ``valkey-server``; ``None``: the one on
        ``PATH``, or else that of the embedded server
    :param primaries: the number of primaries, which share the slots evenly
    :param replicas: the number of replicas of each primary
    :param node_timeout: after how many seconds of silence a node counts as failed
    :param config: further configuration of all nodes, such as ``{'maxmemory': '50mb'}``
    :returns: the running cluster; as a context manager it stops at the end of the block
    :raises NoServerError: if there is no program to start
    :raises EmbeddedServerError: if a node did not start
    :raises TimeoutError: if the nodes did not become a cluster within 30 s
    """
    lines = [*CONFIG, f'cluster-node-timeout {int(node_timeout * 1000)}', *lines_of(config)]
    cluster = Cluster(program or find_program())
    try:
        nodes = [cluster.add(lines, 'cluster') for _ in range(primaries * (1 + replicas))]
        cluster.start(*nodes)
        forming.form(nodes[:primaries], nodes[primaries:])
        cluster.wait_ok()
    except BaseException:
        cluster.stop()
        raise
    return cluster


class Cluster(Group):
    """A running cluster; :func:`start_cluster` makes it. It belongs to the tests alone."""

    @property
    def nodes(self) -> list[Node]:
        """All nodes, at first the primaries in the order of their slots, then the replicas."""
        return list(self._members)

    @property
    def params(self) -> dict[str, Any]:
        """The connection parameters for models, by way of a live node; a new dict each time."""
        node = self._first_live()
        return {'cluster': True, 'host': node.host, 'port': node.port}

    @property
    def url(self) -> str:
        """The URL for models, by way of a live node: ``redis+cluster://127.0.0.1:40123``."""
        node = self._first_live()
        return f'redis+cluster://{node.host}:{node.port}'

    @property
    def primaries(self) -> list[Node]:
        """The nodes that own slots, as the first live node knows them, by their first slot."""
        owners = [entry for entry in self._seen().values() if entry.slots]
        return [self._node(entry) for entry in sorted(owners, key=lambda entry: entry.slots)]

    def primary_of(self, key: str | bytes | int) -> Node:
        """Return the node that owns the slot of a key, dead or alive, as a live node knows it.

        :param key: the key; a number is a slot
        :raises LookupError: if nobody owns the slot
        """
        slot = key if isinstance(key, int) else slot_of(key)
        for entry in self._seen().values():
            if entry.has(slot):
                return self._node(entry)
        raise LookupError(f'no node owns slot {slot}')

    def replicas_of(self, primary: Node) -> list[Node]:
        """Return the replicas of a primary, dead or alive, as a live node knows them."""
        seen = self._seen()
        names = [name for name, entry in seen.items() if entry.port == primary.port]
        return [self._node(entry) for entry in seen.values() if entry.primary in names]

    def takeover(self, replica: Node) -> None:
        """Make a replica the primary at once, whether or not the old one agrees, lives or answers.

        Writes that the replica has not got are lost. Return when all live nodes agree.
        """
        self._promote(replica, 'TAKEOVER')

    def failover(self, replica: Node) -> None:
        """Make a replica the primary in agreement with the old one: no write is lost.

        Return when all live nodes agree.
        """
        self._promote(replica)

    def migrate(self, slot: int, to: Node, step: Step = nothing, batch: int = 10) -> None:
        """Move a slot to another primary the classic way: key by key, with MIGRATE.

        Meanwhile the source answers ASK for keys that it lacks, and TRYAGAIN to a command with
        several keys of which some are missing. The test can act in the middle, in ``step``.

        :param slot: the number of the slot
        :param to: the primary that gets it
        :param step: a function that is called with ``'marked'`` when both ends know of the move,
            with ``'moved'`` after each lot of keys, and with ``'emptied'`` when all keys are moved,
            before the nodes learn that the slot has a new owner. If it raises, the slot is left
            moving
        :param batch: the number of keys in a lot
        """
        source = self.primary_of(slot)
        migration.classic(slot, source, to, self._live_primaries(), step, batch)
        self.wait_ok()

    def migrate_atomic(self, slot: int, to: Node) -> None:
        """Move a slot to another primary as a whole, with CLUSTER MIGRATESLOTS of Valkey 9.

        :param slot: the number of the slot
        :param to: the primary that gets it
        :raises EmbeddedServerError: if the server does not know the command
        :raises TimeoutError: if it is not done within 30 s
        """
        migration.atomic(slot, self.primary_of(slot), to, self.node_id(to))
        self.wait_ok()

    def node_id(self, node: Node) -> str:
        """Return the id by which the cluster knows a node."""
        return next(name for name, entry in self._seen().items() if entry.port == node.port)

    def clear(self) -> None:
        """Delete all data, replicas included."""
        for node in self.primaries:
            flush(node, [each for each in self.replicas_of(node) if each.live])

    def heal(self) -> None:
        """Resume paused nodes, restart dead ones, and wait until all is well.

        A slot that was left moving stays with its owner. :meth:`clear` deletes what was moved.
        """
        super().heal()
        for node in self.primaries:
            for slot in moving(node.call('CLUSTER', 'NODES').decode()):
                node.call('CLUSTER', 'SETSLOT', slot, 'STABLE')

    def _promote(self, replica: Node, *how: str) -> None:
        replica.call('CLUSTER', 'FAILOVER', *how)
        what = f'{replica!r} becomes a primary'
        until(what, WAIT_SECONDS, lambda: bool(replica.call('ROLE')[0] == b'master'))
        self.wait_ok()

    def _is_ok(self) -> bool:
        live = {node.port: node for node in self._members if node.live}
        views = [self._view(node, live) for node in live.values()]
        view = self._view(self._first_live(), live)
        return (
            all(view == other for other in views)
            and not any(entry.doubtful for entry in view.values())
            and len(view) == len(live)
            and sum(entry.size for entry in view.values()) == SLOTS
            and all(b'cluster_state:ok' in node.call('CLUSTER', 'INFO') for node in live.values())
            and all(
                follow(live[entry.port], [live[e.port] for e in view.values() if e.primary == name])
                for name, entry in view.items()
                if not entry.primary
            )
        )

    def _live_primaries(self) -> list[Node]:
        return [node for node in self.primaries if node.live]

    def _first_live(self) -> Node:
        for node in self._members:
            if node.live:
                return node
        raise LookupError('all nodes of the cluster are dead or paused; heal() brings them back')

    def _seen(self) -> dict[str, Entry]:
        return entries(self._first_live().call('CLUSTER', 'NODES').decode())

    def _view(self, node: Node, live: Mapping[int, Node]) -> dict[str, Entry]:
        """Return what a node knows about the live ones."""
        known = entries(node.call('CLUSTER', 'NODES').decode())
        return {name: entry for name, entry in known.items() if entry.port in live}

    def _node(self, entry: Entry) -> Node:
        return next(node for node in self._members if node.port == entry.port)
