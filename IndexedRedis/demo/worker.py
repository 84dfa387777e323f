"""A worker process of the web server: its threads are the clients.

The rule: all systems are timed by the same lines. A client asks for one page after the other, and
the time of a page includes its wait for a connection.
"""

from __future__ import annotations

import gc
import pickle
import random
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from time import perf_counter, sleep
from typing import Any

from .crew import THREADS
from .questions import QUESTIONS, Page
from .reader import MIXTURE, Got
from .systems import Pages, System

NAMES = [question.name for question in QUESTIONS]
Editions = Mapping[tuple[str, Any], Mapping[int, Page]]


class Worker:
    """What a process can do; the first argument is its number among all."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._opened: dict[str, Pages] = {}
        self._pages: Pages
        self._threads: list[threading.Thread] = []

    def use(self, number: int, system: System) -> None:
        """Ask this system from here on; connections to others stay open."""
        if system.name not in self._opened:
            self._opened[system.name] = system.open(self._stack, THREADS)
        self._pages = self._opened[system.name]

    def know(self, number: int, values: Mapping[str, list[Any]]) -> None:
        """Remember what :meth:`load` asks for, by the name of the question."""
        self._values = values

    def load(self, number: int, begin: float, seconds: float) -> list[Got]:
        """Have the clients make pages, all questions in turn; return what each took.

        :param begin: when to begin, on the clock that all processes share
        :param seconds: how long to go on; the last page of each client ends later
        """

        def ask(chance: random.Random, turn: int) -> Any:
            name = NAMES[turn % len(NAMES)]
            getattr(self._pages, name)(chance.choice(self._values[name]))
            return name

        self._start(number, ask, begin, begin + seconds)
        return self._finish()

    def read(self, number: int, editions: Editions, pause: float) -> None:
        """Have the clients read pages until :meth:`stop`, and compare each with the editions.

        :param editions: for each page, its name and value, the lines by number of the edition
        :param pause: seconds between two pages of a client
        """
        pages = list(editions)

        def ask(chance: random.Random, turn: int) -> Any:
            page = chance.choice(pages)
            return edition_of(getattr(self._pages, page[0])(page[1]), editions[page])

        self._start(number, ask, perf_counter(), float('inf'), pause)

    def stop(self, number: int) -> list[Got]:
        """Return what the clients got, after the last page of each."""
        self._over.set()
        return self._finish()

    def _finish(self) -> list[Got]:
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return self._got

    def _start(
        self,
        number: int,
        ask: Callable[[random.Random, int], Any],
        begin: float,
        end: float,
        pause: float = 0,
    ) -> None:
        self._got: list[Got] = []
        self._errors: list[BaseException] = []
        self._over = threading.Event()

        def client(seed: int) -> None:
            chance = random.Random(seed)
            turn = seed  # so that clients do not ask the same question at a time
            sleep(max(0.0, begin - perf_counter()))
            try:
                while True:  # one page at least, however late the client is
                    start = perf_counter()
                    what, now = ask(chance, turn), perf_counter()
                    self._got.append((now, now - start, what))
                    turn += 1
                    if now >= end or (self._over.wait(pause) if pause else self._over.is_set()):
                        break
            except BaseException as error:
                self._errors.append(error)

        gc.collect()
        seeds = range(number * THREADS, number * THREADS + THREADS)
        self._threads = [threading.Thread(target=client, args=(s,), daemon=True) for s in seeds]
        for thread in self._threads:
            thread.start()


def edition_of(page: Page, editions: Mapping[int, Page]) -> int:
    """Return the number of the edition that a page is of; ``MIXTURE`` if of none."""
    return next((number for number, lines in editions.items() if lines == page), MIXTURE)


def serve() -> None:
    """Do what comes on standard input, until it ends."""
    worker = Worker()
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    while True:
        try:
            method, number, args = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            result = getattr(worker, method)(number, *args)
        except Exception as error:
            result = error
        pickle.dump(result, answers)
        answers.flush()
