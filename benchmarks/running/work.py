"""Describe what is timed, and what the process of a subject serves."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import redis

from ..sizes import SIZES

SETTLE_SECONDS = 30  # a reset keeps what it replaced for 10 s


class Job(NamedTuple):
    """A prepared work: ``run`` is timed.

    :param answer: turns what ``run`` returned into what subjects are compared by
    :param more: turns what ``run`` returned and its seconds into further figures, by heading
    """

    run: Callable[[], Any]
    answer: Callable[[Any], Any] = lambda returned: returned
    more: Callable[[Any, float], dict[str, float]] = lambda returned, seconds: {}


@dataclass(frozen=True, eq=False)
class Work:
    """Some work. The process of a subject prepares it; the parent process knows the rest.

    :param how: ``sample`` times it, ``beside`` times the waits of a reader beside it, ``value``
        takes what it returns
    :param turns: neighbouring works with the same word take turns; their answers stay uncompared
    """

    name: str  # as tables show it
    prepare: Callable[[], Job] | None = None
    how: str = 'sample'
    per: int = 1  # operations, or objects, of one run; tables show the time of one
    unit: str = 'ms'
    rounds: int = 1  # that count
    slow_rounds: int = 1_000  # the same for subjects that may be slow: other mappers and 6.0.3
    warm_up: int = 1  # rounds that do not count
    turns: str = ''
    needs: str = ''  # the operation that a subject must have
    reads: bool = False  # sends the same bytes each time: it has a floor


class Served:
    """What the process of a subject serves. Each module of works serves a class of its own.

    :param subject: its name
    :param connection: of a database of its own
    :param sizes: the name of the sizes
    """

    def __init__(self, subject: str, connection: dict[str, Any], sizes: str) -> None:
        self.subject, self.connection, self.sizes = subject, connection, SIZES[sizes]
        self.reads_from = connection
        self.client = redis.Redis(**connection)
        self.questions: dict[str, Callable[[int], Any]] = {}

    def fill(self) -> None:
        """Store what the works read."""

    def works(self, group: str) -> Iterable[Work]:
        """Return the works of a group that the subject can do."""
        return ()

    def server_seconds(self) -> float:
        """Return the CPU seconds of the server's main thread so far."""
        cpu = self.client.info('cpu')
        names = ('used_cpu_user_main_thread', 'used_cpu_sys_main_thread')
        return sum(cpu.get(name, cpu[name.removesuffix('_main_thread')]) for name in names)

    def settle(self) -> None:
        """Wait until the server has removed what the last work left to expire."""
        latest = time.monotonic() + SETTLE_SECONDS
        while self.sizes.settle and time.monotonic() < latest:
            if not any(each['expires'] for each in self.client.info('keyspace').values()):
                break
            time.sleep(0.2)
