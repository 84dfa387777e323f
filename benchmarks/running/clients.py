"""Ask questions with many clients at a time, threads or tasks of asyncio.

Each client asks one question after the other. The time of a question includes its wait for a
connection.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import cache
from time import perf_counter
from typing import Any

from .serving import plain
from .work import Job

Ask = Callable[[int], Any]  # a function, or a coroutine function


def load(ask: Ask, clients: int, numbers: list[int], seconds: float) -> Job:
    """Return a job in which so many clients ask for all numbers.

    :param seconds: after which they do not begin with the numbers again
    """
    on_tasks = asyncio.iscoroutinefunction(ask)

    def run() -> list[float]:
        times: list[float] = []
        waiting = _again_and_again(numbers, seconds)
        if on_tasks:
            _loop().run_until_complete(_tasks(ask, clients, waiting, times))
        else:
            _threads(ask, clients, waiting, times)
        return times

    def answer(times: list[float]) -> list[str]:
        answers = [_loop().run_until_complete(ask(n)) if on_tasks else ask(n) for n in numbers]
        assert all(answers)  # else nothing would be timed
        return [f'{n}: {plain(each)}' for n, each in zip(numbers, answers, strict=True)]

    return Job(run, answer, lambda times, _: {'times': times})


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _again_and_again(numbers: list[int], seconds: float) -> Iterator[int]:
    """Return an iterator that threads can share."""

    def rounds() -> Iterator[int]:
        latest = perf_counter() + seconds
        yield from numbers
        while perf_counter() < latest:
            yield from numbers

    iterator, lock = rounds(), threading.Lock()

    def take() -> int | None:
        with lock:
            return next(iterator, None)

    return iter(take, None)


def _threads(ask: Ask, clients: int, waiting: Iterator[int], times: list[float]) -> None:
    errors: list[BaseException] = []

    def client() -> None:
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
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


async def _tasks(ask: Ask, clients: int, waiting: Iterator[int], times: list[float]) -> None:
    async def client() -> None:
        for number in waiting:
            began = perf_counter()
            await ask(number)
            times.append(perf_counter() - began)

    await asyncio.gather(*(client() for _ in range(clients)))
