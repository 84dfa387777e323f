"""Ask questions with many clients at a time, threads or tasks of asyncio.

Both are timed alike: all clients are ready before the clock starts, each asks one question after
the other, and the time of a question includes its wait for a connection.
"""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from time import perf_counter, process_time
from typing import Any

Ask = Callable[[int], Any]
Clocks = tuple[float, float]


def load(loop: Any, ask: Ask, clients: int, numbers: list[int]) -> dict[str, Any]:
    """Ask for all numbers; return the seconds, those of this process's CPU, and each question's.

    :param loop: the event loop, for a question that is a coroutine function
    """
    times: list[float] = []
    waiting = iter(numbers)  # its next() is atomic under the GIL
    if asyncio.iscoroutinefunction(ask):
        began = loop.run_until_complete(_tasks(ask, clients, waiting, times))
    else:
        began = _threads(ask, clients, waiting, times)
    seconds, cpu = perf_counter() - began[0], process_time() - began[1]
    return {'seconds': seconds, 'cpu': cpu, 'times': times}


def _threads(ask: Ask, clients: int, waiting: Iterator[int], times: list[float]) -> Clocks:
    """Return the clocks as they stood at the start."""
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
    clocks = perf_counter(), process_time()
    ready.wait()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return clocks


async def _tasks(ask: Ask, clients: int, waiting: Iterator[int], times: list[float]) -> Clocks:
    async def client() -> None:
        for number in waiting:
            began = perf_counter()
            await ask(number)
            times.append(perf_counter() - began)

    gc.collect()
    clocks = perf_counter(), process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    return clocks
