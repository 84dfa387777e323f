"""Many small queries at a time: the load, in threads or in asyncio tasks of one process.

The rule: nothing of any subject is imported here, and both kinds are timed in the same way: all
clients are ready before the clock starts, each asks one query after the other until the numbers
run out, and the time of each query includes its wait for a connection.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time
from typing import Any, NamedTuple

__all__ = ('Load', 'in_tasks', 'in_threads', 'run_tasks', 'run_threads')


class Load(NamedTuple):
    """What came of a run."""

    throughput: float  # queries a second
    p99: float  # milliseconds within which 99 of 100 queries were answered
    cpu: float  # microseconds of this process a query: what other processes do hardly matters


def _now() -> tuple[float, float]:
    return perf_counter(), process_time()


def _load(began: tuple[float, float], times: list[float]) -> Load:
    elapsed, cpu = (now - then for now, then in zip(_now(), began, strict=True))
    count = len(times)
    return Load(count / elapsed, sorted(times)[int(0.99 * count)] * 1000, cpu / count * 1e6)


def run_threads(ask: Callable[[int], Any], clients: int, numbers: list[int]) -> Load:
    """Ask for all numbers in so many threads."""
    return _load(*in_threads(ask, clients, numbers))


def in_threads(
    ask: Callable[[int], Any], clients: int, numbers: list[int]
) -> tuple[tuple[float, float], list[float]]:
    """The same; gives the clocks as they stood before, and the seconds of each query."""
    waiting = iter(numbers)  # next() of a list's iterator is atomic under the GIL
    times: list[float] = []
    errors: list[BaseException] = []
    ready = threading.Barrier(clients + 1)

    def client() -> None:
        ready.wait()
        try:
            for number in waiting:
                began = perf_counter()
                ask(number)
                times.append(perf_counter() - began)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    gc.collect()
    began = _now()
    ready.wait()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return began, times


async def run_tasks(ask: Callable[[int], Awaitable[Any]], clients: int, numbers: list[int]) -> Load:
    """Ask for all numbers in so many tasks."""
    return _load(*await in_tasks(ask, clients, numbers))


async def in_tasks(
    ask: Callable[[int], Awaitable[Any]], clients: int, numbers: list[int]
) -> tuple[tuple[float, float], list[float]]:
    """The same; gives what :func:`in_threads` gives."""
    waiting = iter(numbers)
    times: list[float] = []

    async def client() -> None:
        for number in waiting:
            began = perf_counter()
            await ask(number)
            times.append(perf_counter() - began)

    gc.collect()
    began = _now()
    await asyncio.gather(*(client() for _ in range(clients)))
    return began, times
