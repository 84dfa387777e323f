"""A primary with replicas that lag as much as a test wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..group import Group, flush, follow, lines_of
from ..nodes import Node
from ..servers import program as find_program
from .relay import Relay

__all__ = ('REPLICATION', 'Replicas', 'start_replicas')

REPLICATION = (
    'repl-diskless-sync yes',
    'repl-diskless-sync-delay 0',
    'repl-ping-replica-period 1',
)


def start_replicas(
    program: str | None = None, replicas: int = 1, config: Mapping[str, str] | None = None
) -> Replicas:
    """Start a primary and replicas; return when these are online.

    :param program: the path of ``redis-server`` or ``valkey-server``; ``None``: the one on
        ``PATH``, or else that of the embedded server
    :param replicas: the number of replicas
    :param config: further configuration of all, such as ``{'min-replicas-to-write': '1'}``
    :returns: the running group; as a context manager it stops at the end of the block
    :raises NoServerError: if there is no program to start
    :raises EmbeddedServerError: if a process did not start
    :raises TimeoutError: if the replicas are not online within 30 s
    """
    group = Replicas(program or find_program())
    try:
        group.begin([*REPLICATION, *lines_of(config)], replicas)
        group.wait_ok()
    except BaseException:
        group.stop()
        raise
    return group


class Replicas(Group):
    """A running primary with replicas; :func:`start_replicas` makes it.

    There are no sentinels: a replica never becomes the primary.
    """

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self._relays: dict[Node, Relay] = {}

    @property
    def nodes(self) -> list[Node]:
        """The primary and the replicas."""
        return list(self._members)

    @property
    def primary(self) -> Node:
        """The primary."""
        return self._members[0]

    @property
    def replicas(self) -> list[Node]:
        """The replicas, dead or alive."""
        return self._members[1:]

    @property
    def params(self) -> dict[str, Any]:
        """The connection parameters of the primary, a new dict each time."""
        return self.primary.params

    def delay(self, replica: Node, seconds: float) -> None:
        """Have a replica get writes late, also those that are on their way. 0 ends it.

        Its connection to the primary stays up. A relay in this process holds the writes back.

        :param seconds: from the primary to the replica; ``math.inf``: until the next call
        """
        self._relays[replica].delay = seconds

    def clear(self) -> None:
        """Delete all data, replicas included."""
        flush(self.primary, [node for node in self.replicas if node.live])

    def heal(self) -> None:
        """End all delays, resume what is paused, release what is held, and restart the dead."""
        for replica in self.replicas:
            self.delay(replica, 0)
        super().heal()

    def stop(self) -> None:
        """End all processes and remove their files. Stopping twice is no error."""
        super().stop()
        for relay in self._relays.values():
            relay.close()

    def begin(self, lines: list[str], replicas: int) -> None:
        """Start the primary, and replicas that follow it through relays.

        :param lines: the configuration of all
        :param replicas: how many
        """
        primary = self.add(lines)
        self.start(primary)
        for _ in range(replicas):
            relay = Relay(primary)
            node = self.add([*lines, f'replicaof {primary.host} {relay.port}'])
            self._relays[node] = relay
        self.start(*self.replicas)

    def _is_ok(self) -> bool:
        return follow(self.primary, [node for node in self.replicas if node.live])
