"""Describe what is timed, and what the process of a subject serves."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import redis

from ..machine import cpu_seconds, main_thread_seconds
from ..sizes import SIZES

SETTLE_SECONDS = 30  # a reset keeps what it replaced for 10 s


class Job(NamedTuple):
    """A prepared work: ``run`` is timed.

    :param answer: turns what ``run`` returned into what subjects are compared by
    :param more: turns what ``run`` returned and its seconds into further figures, by heading
    """

    run: Callable[[], Any]
    answer: Callable[[Any], Any] = lambda returned: returned
    more: Callable[[Any, float], dict[str, Any]] = lambda returned, seconds: {}


@dataclass(frozen=True, eq=False)
class Work:
    """Some work. The process of a subject prepares it; the parent process knows the rest.

    :param way: what the subject is called for it, after its name: it can do the work in two ways
    :param how: ``sample`` times it, ``beside`` times the waits of a reader beside it, ``load``
        counts what many clients do in a second, ``value`` takes the sample that it returns
    :param turns: neighbouring works with the same word take turns; their answers stay uncompared
    """

    name: str  # as tables show it
    prepare: Callable[[], Job] | None = None
    way: str = ''
    how: str = 'sample'
    per: int = 1  # operations, or objects, of one run; tables show the time of one
    unit: str = 'ms'
    rounds: int = 1  # that count
    slow_rounds: int = 1_000  # the same for subjects that may be slow: other mappers and 6.0.3
    warm_up: int = 1  # rounds that do not count
    processes: int = 1  # that do it at the same time
    turns: str = ''
    needs: str = ''  # the operation that a subject must have
    reads: bool = False  # sends the same bytes each time: it has a floor


class Served:
    """What the process of a subject serves. Each module of works serves a class of its own.

    :param subject: its name
    :param connection: of a database of its own
    :param sizes: the name of the sizes
    :param nodes: connection parameters of the primaries of a cluster that is asked instead
    """

    database: int | None = None  # the process of a SQL database that is asked instead
    keeps_nulls = True  # whether answers keep null apart from '' and 0

    def __init__(
        self,
        subject: str,
        connection: dict[str, Any],
        sizes: str,
        nodes: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.subject, self.connection, self.sizes = subject, connection, SIZES[sizes]
        self.nodes = [redis.Redis(**each) for each in nodes or [connection]]
        self.client = self.nodes[0]
        for node in self.nodes:
            with suppress(redis.ResponseError):  # before Redis 7
                node.config_set('latency-tracking-info-percentiles', '100')

    def fill(self) -> None:
        """Store what the works read."""

    def works(self, group: str) -> Iterable[Work]:
        """Return the works of a group, which the method of its name lists."""
        works: Iterable[Work] = getattr(self, group)()
        return works

    def timed(
        self,
        name: str,
        ask: Callable[[], Any],
        times: int,
        answer: Callable[[Any], Any] = lambda returned: returned,
        **how: Any,
    ) -> Work:
        """Return a work of so many calls; tables show the time of one.

        :param answer: turns what the last call returned into what subjects are compared by
        """

        def run() -> Any:
            for _ in range(times):
                returned = ask()
            return returned

        how = {'per': times, 'rounds': self.sizes.rounds, **how}
        return Work(name, lambda: Job(run, answer), **how)

    def server_seconds(self) -> float:
        """Return the CPU seconds of the servers so far."""
        return cpu_seconds(self.database) if self.database else sum(self.node_seconds())

    def node_seconds(self) -> list[float]:
        """Return the CPU seconds of each Redis server so far."""
        return [main_thread_seconds(node) for node in self.nodes]

    def settle(self) -> None:
        """Wait until the server has removed what the last work left to expire."""
        latest = time.monotonic() + SETTLE_SECONDS
        while self.sizes.settle and time.monotonic() < latest:
            if not any(each['expires'] for each in self.client.info('keyspace').values()):
                break
            time.sleep(0.2)
