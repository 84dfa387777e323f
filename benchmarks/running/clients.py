"""Ask questions with many clients at a time, threads or tasks of asyncio.

Each client asks one question after the other. The time of a question includes its wait for a
connection.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from time import perf_counter
from typing import Any

from .served import Work, plain

Ask = Callable[[int], Any]  # a function, or a coroutine function


def load(name: str, ask: Ask, clients: int, numbers: list[int], seconds: float, **how: Any) -> Work:
    """Return a work in which so many clients ask for all numbers.

    :param seconds: after which they do not begin with the numbers again
    """
    on_tasks = asyncio.iscoroutinefunction(ask)

    def run() -> list[float]:
        waiting = _again_and_again(numbers, seconds)
        if on_tasks:
            return _loop().run_until_complete(_tasks(ask, clients, waiting))
        return _threads(ask, clients, waiting)

    def answer(times: list[float]) -> list[str]:
        answers = [_loop().run_until_complete(ask(n)) if on_tasks else ask(n) for n in numbers]
        assert all(answers)  # else nothing would be timed
        return [f'{n}: {plain(each)}' for n, each in zip(numbers, answers, strict=True)]

    how |= {'how': 'load', 'warm_up': 2}  # after the first round, what can be cached is
    return Work(name, run, answer=answer, more=lambda times: {'times': times}, **how)


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


def _threads(ask: Ask, clients: int, waiting: Iterator[int]) -> list[float]:
    times = []

    def client(_: int) -> None:
        for number in waiting:
            began = perf_counter()
            ask(number)
            times.append(perf_counter() - began)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))  # raises their errors
    return times


async def _tasks(ask: Ask, clients: int, waiting: Iterator[int]) -> list[float]:
    times = []

    async def client() -> None:
        for number in waiting:
            began = perf_counter()
            await ask(number)
            times.append(perf_counter() - began)

    await asyncio.gather(*(client() for _ in range(clients)))
    return times
