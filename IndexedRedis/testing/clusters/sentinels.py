"""A primary with replicas, and sentinels that watch over them, for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import redis

from ..group import WAIT_SECONDS, Group, flush, follow, lines_of, until
from ..nodes import Node
from ..servers import program as find_program
from .replicas import REPLICATION

__all__ = ('Sentinels', 'start_sentinels')

SERVICE = 'mymaster'
# How often sentinels ask and tell, in ms: seconds by default. Redis 6.2 keeps its defaults. During
# a failover they ask replicas once a second, and believe what is at most five PING periods old.
PERIODS = {
    'INFO-PERIOD': 400,
    'PING-PERIOD': 400,
    'ASK-PERIOD': 100,
    'PUBLISH-PERIOD': 200,
    'TILT-PERIOD': 1000,
}


def start_sentinels(
    program: str | None = None,
    replicas: int = 2,
    sentinels: int = 3,
    down_after: float = 0.5,
    config: Mapping[str, str] | None = None,
) -> Sentinels:
    """Start a primary, replicas and sentinels; return when all know each other.

    :param program: the path of ``redis-server`` or ``valkey-server``; ``None``: the one on
        ``PATH``, or else that of the embedded server
    :param replicas: the number of replicas
    :param sentinels: the number of sentinels; a majority of them decides on a failover
    :param down_after: after how many seconds of silence the primary counts as down
    :param config: further configuration of the primary and the replicas, such as
        ``{'min-replicas-to-write': '1'}``
    :returns: the running group; as a context manager it stops at the end of the block
    :raises NoServerError: if there is no program to start
    :raises EmbeddedServerError: if a process did not start
    :raises TimeoutError: if the sentinels did not find the others within 30 s
    """
    group = Sentinels(program or find_program())
    lines = [*REPLICATION, *lines_of(config)]
    try:
        primary = group.add(lines)
        group.start(primary)
        lines.append(f'replicaof {primary.host} {primary.port}')
        nodes = [group.add(lines) for _ in range(replicas)]
        watch = [
            f'sentinel monitor {SERVICE} {primary.host} {primary.port} {sentinels // 2 + 1}',
            f'sentinel down-after-milliseconds {SERVICE} {int(down_after * 1000)}',
            f'sentinel failover-timeout {SERVICE} 2000',
            f'sentinel parallel-syncs {SERVICE} {max(replicas, 1)}',
        ]
        watchers = [group.add(watch, 'sentinel') for _ in range(sentinels)]
        group.start(*nodes, *watchers)
        group.wait_ok()
    except BaseException:
        group.stop()
        raise
    return group


class Sentinels(Group):
    """A running primary with replicas and sentinels; :func:`start_sentinels` makes it."""

    #: the name by which the sentinels know the primary
    service_name = SERVICE

    @property
    def nodes(self) -> list[Node]:
        """The first primary, then the first replicas."""
        return [node for node in self._members if node.kind != 'sentinel']

    @property
    def sentinel_nodes(self) -> list[Node]:
        """The processes of the sentinels."""
        return [node for node in self._members if node.kind == 'sentinel']

    @property
    def sentinels(self) -> list[tuple[str, int]]:
        """Host and port of each sentinel."""
        return [node.address for node in self.sentinel_nodes]

    @property
    def params(self) -> dict[str, Any]:
        """The connection parameters for models, a new dict each time."""
        return {'sentinels': self.sentinels, 'service_name': self.service_name}

    @property
    def primary(self) -> Node:
        """The primary, dead or alive, as the first live sentinel knows it."""
        return self._primary_at(self._sentinel())

    @property
    def replicas(self) -> list[Node]:
        """The other nodes, dead or alive."""
        primary = self.primary
        return [node for node in self.nodes if node is not primary]

    def failover(self) -> None:
        """Have the sentinels make a replica of their choice the primary.

        The old primary becomes a replica: its connections are closed, and writes that it alone has
        are lost. Return when all live processes agree.
        """
        self.wait_ok()
        old = self.primary
        until('another node becomes the primary', WAIT_SECONDS, lambda: self._left(old))
        self.wait_ok()

    def clear(self) -> None:
        """Delete all data, replicas included."""
        flush(self.primary, [node for node in self.replicas if node.live])

    def start(self, *nodes: Node) -> None:
        """Start these members, and have sentinels among them ask and tell more often."""
        super().start(*nodes)
        for node in nodes:
            if node.kind == 'sentinel':
                with contextlib.suppress(redis.ResponseError):
                    node.call('SENTINEL', 'DEBUG', *(w for pair in PERIODS.items() for w in pair))

    def _left(self, old: Node) -> bool:
        """Return whether there is another primary, else ask for it: a sentinel may have given up.

        :raises redis.ResponseError: while a failover is under way
        """
        sentinel = self._sentinel()
        return self._primary_at(sentinel) is not old or not sentinel.call(
            'SENTINEL', 'FAILOVER', self.service_name
        )

    def _is_ok(self) -> bool:
        live = [node for node in self.sentinel_nodes if node.live]
        primary = self.primary
        others = [node for node in self.nodes if node.live and node is not primary]
        return (
            primary.live
            and all(self._primary_at(node) is primary for node in live)
            and all(self._is_calm(node, len(others)) for node in live)
            and primary.call('ROLE')[0] == b'master'
            and follow(primary, others)
        )

    def _is_calm(self, sentinel: Node, replicas: int) -> bool:
        """Return whether no failover is under way, and a sentinel would find others for one."""
        primary = _state(sentinel.call('SENTINEL', 'MASTER', self.service_name))
        known = map(_state, sentinel.call('SENTINEL', 'REPLICAS', self.service_name))
        good = [each for each in known if each[b'flags'] == b'slave']
        return (
            primary[b'flags'] == b'master'
            and int(primary[b'num-other-sentinels']) >= len(self.sentinel_nodes) - 1
            and sum(each[b'master-link-status'] == b'ok' for each in good) >= replicas
        )

    def _sentinel(self) -> Node:
        for node in self.sentinel_nodes:
            if node.live:
                return node
        raise LookupError('all sentinels are dead or paused; heal() brings them back')

    def _primary_at(self, sentinel: Node) -> Node:
        _, port = sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', self.service_name)
        return next(node for node in self.nodes if node.port == int(port))


def _state(words: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(words[::2], words[1::2], strict=True))
