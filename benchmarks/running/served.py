"""What is timed, and what the process of a subject serves; all are timed by the same lines."""

import cProfile
import gc
import io
import pstats
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import redis

from .. import floor
from ..machine import cpu_seconds, main_thread_seconds, own_seconds
from ..sizes import Sizes

MEASURING = {'info', 'config|resetstat', 'config|set', 'flushdb', 'ping'}  # commands of ours
FUNCTIONS = 25  # in a profile
SETTLE_SECONDS = 30  # a reset keeps what it replaced for 10 s
RECORDS = 10  # keys that stay for a year: a record of incarnations of each model, at most


@dataclass(frozen=True, eq=False)
class Work:
    """Some work. The process of a subject does it; the parent process knows the rest.

    :param run: is timed; gets what ``prepare`` returned, unless that is None
    :param answer: turns what ``run`` returned into what subjects are compared by
    :param more: turns what ``run`` returned into further figures, by heading
    :param way: what the subject is called for it, after its name: it can do the work in two ways
    :param how: ``sample`` times it, ``beside`` times the waits of a reader beside it, ``load``
        counts what many clients do in a second, ``value`` takes the sample that it returns
    :param turns: neighbouring works with the same word take turns; their answers stay uncompared
    """

    name: str  # as tables show it
    run: Callable[..., Any] | None = None
    prepare: Callable[[], Any] | None = None
    answer: Callable[[Any], Any] | None = None
    more: Callable[[Any], dict[str, Any]] | None = None
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
    """What the process of a subject serves. Each group has a class of its own.

    :param subject: its name
    :param connection: of a database of its own
    :param nodes: connection parameters of the primaries of a cluster that is asked instead
    :param urls: of SQL databases that are asked instead, by subject
    """

    engine_options: dict[str, Any] = {}
    engine: Any = None  # of the subject's SQL database
    database: int | None = None  # the process of it
    cannot: frozenset[str] = frozenset()  # operations that the subject lacks
    keeps_nulls = True  # whether answers keep null apart from '' and 0

    def __init__(
        self,
        subject: str,
        connection: dict[str, Any],
        sizes: Sizes,
        nodes: Sequence[dict[str, Any]] = (),
        urls: Mapping[str, str] | None = None,
    ) -> None:
        self.subject, self.connection, self.sizes = subject, connection, sizes
        self.url = 'redis://{host}:{port}/{db}'.format(**connection)  # for commands
        self.nodes = [redis.Redis(**each) for each in nodes or [connection]]
        self.client = self.nodes[0]
        self._works: dict[tuple[str, str], Work] = {}
        if urls and subject in urls:
            from .databases import connected

            self.engine, self.database = connected(urls[subject], **self.engine_options)
        for node in self.nodes:
            with suppress(redis.ResponseError):  # before Redis 7
                node.config_set('latency-tracking-info-percentiles', '100')

    def timed(self, name: str, ask: Callable[[], Any], times: int, **how: Any) -> Work:
        """Return a work of so many calls.

        Tables show the time of one call; the answer is that of the last.
        """

        def run() -> Any:
            for _ in range(times):
                returned = ask()
            return returned

        return Work(name, run, **{'per': times, 'rounds': self.sizes.rounds, **how})

    def server_seconds(self) -> float:
        """Return the CPU seconds of the servers so far."""
        return cpu_seconds(self.database) if self.database else sum(self.node_seconds())

    def node_seconds(self) -> list[float]:
        """Return the CPU seconds of each Redis server so far."""
        return [main_thread_seconds(node) for node in self.nodes]

    # Commands

    def fill(self) -> None:
        """Store what the works read."""

    def works(self, group: str) -> list[Work]:
        """Return the works that the method of this name yields, without those that it cannot do."""
        works = [work for work in getattr(self, group)() if work.needs not in self.cannot]
        self._works |= {(work.name, work.way): work for work in works}
        return [replace(work, run=None, prepare=None, answer=None, more=None) for work in works]

    def prepare(self, work: str, way: str) -> None:
        """Prepare a work, for one of the next five commands."""
        self._work = self._works[work, way]
        given = self._work.prepare() if self._work.prepare else None
        self._given = [] if given is None else [given]

    def value(self) -> Any:
        """Carry out the work; return what it returns."""
        assert self._work.run
        return self._work.run(*self._given)

    def sample(self) -> dict[str, Any]:
        """Return the seconds of the work, those of CPU, and the longest command."""
        self.client.config_resetstat()
        gc.collect()
        server, cpu = self.server_seconds(), own_seconds()
        began = time.perf_counter()
        returned = self.value()
        seconds, used = time.perf_counter() - began, own_seconds() - cpu
        return {
            'main': seconds,
            'cpu': {'client CPU': used, 'server CPU': self.server_seconds() - server},
            'longest': self._longest_command(),
            'more': self._work.more(returned) if self._work.more else {},
        }

    def floor(self) -> float | None:
        """Return the seconds of the same bytes over a bare socket; None if they differ."""
        return floor.measure(self.value, self.connection)

    def answer(self) -> Any:
        """Return what comes of the work, to be compared; and whether it tells nulls apart."""
        returned, shown = self.value(), self._work.answer
        return plain(shown(returned) if shown else returned), self.keeps_nulls

    def profile(self) -> str:
        """Return the commands that the work sends, and the functions that the client spends in."""
        self.client.config_resetstat()
        text = io.StringIO()
        with cProfile.Profile() as profiler:
            self.value()
        sent = {
            name.removeprefix('cmdstat_'): f'{each["calls"]} of {each["usec_per_call"]:,.1f} us'
            for name, each in self.client.info('commandstats').items()
        }
        print('Commands:', {name: sent[name] for name in sent.keys() - MEASURING}, file=text)
        stats = pstats.Stats(profiler, stream=text).strip_dirs().sort_stats('tottime')
        stats.print_stats(FUNCTIONS)
        return text.getvalue()

    def settle(self) -> None:
        """Wait until the server has removed what the last work left to expire."""
        latest = time.monotonic() + SETTLE_SECONDS
        while self.sizes.settle and time.monotonic() < latest:
            databases = self.client.info('keyspace').values()
            if all(each['expires'] <= RECORDS for each in databases):
                break
            time.sleep(0.2)

    def _longest_command(self) -> tuple[float, str]:
        """Return the longest command since CONFIG RESETSTAT: seconds on the server, and its name.

        A script is one command, and so is an EXEC with all that it carries out.
        """
        longest = {
            name.removeprefix('latency_percentiles_usec_'): each['p100'] / 1e6
            for name, each in self.client.info('latencystats').items()
        }
        commands = [(longest[name], name) for name in longest.keys() - MEASURING]
        return max(commands, default=(0.0, 'none'))


def plain(answer: Any) -> Any:
    """Return an answer as it is compared: nulls of any kind are None, and rows are sorted.

    Lines of text keep their order.
    """
    if isinstance(answer, tuple):
        return [None if type(value).__name__ == 'IRNullType' else value for value in answer]
    if not isinstance(answer, Iterable) or isinstance(answer, str):
        return answer
    parts = [plain(each) for each in answer]
    return parts if isinstance(next(iter(parts), ''), str) else sorted(parts, key=repr)
