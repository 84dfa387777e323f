"""Work that goes on while pages show its progress. Its outcomes stay in memory of this process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Thread
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

__all__ = ('Job', 'Outcome', 'in_daemon')

Progress = Callable[[str, int, 'int | None'], None]
T = TypeVar('T')


class Outcome(NamedTuple):
    """How a run ended.

    :param what: what was run
    :param begun: when it began
    :param seconds: how long it took
    :param result: what it returned; None if it failed
    :param error: the text of the error; empty if it did not fail
    """

    what: str
    begun: datetime
    seconds: float
    result: Any = None
    error: str = ''


class Job:
    """Work of which one run at a time is under way.

    :param keep: how many outcomes to keep
    """

    def __init__(self, keep: int = 1) -> None:
        #: what is running; empty if nothing is
        self.what = ''
        #: how much of each step is done, and of how much
        self.steps: dict[str, tuple[int, int | None]] = {}
        #: the outcomes, the last one first
        self.outcomes: deque[Outcome] = deque(maxlen=keep)
        self._task: asyncio.Task[None] | None = None

    @property
    def last(self) -> Outcome | None:
        """The last outcome."""
        return self.outcomes[0] if self.outcomes else None

    @property
    def percent(self) -> dict[str, int | None]:
        """How much of each step is done; None if nobody knows of how much."""
        return {
            step: min(100, round(100 * done / total)) if total else None
            for step, (done, total) in self.steps.copy().items()  # a thread adds steps
        }

    def start(self, what: str, work: Callable[[Progress], Awaitable[Any]]) -> None:
        """Run some work in the event loop; nothing if a run is under way.

        :param what: what it does
        :param work: called with a function to report progress to, from whatever thread
        """
        if not self.what:
            self.what, self.steps = what, {}
            self._task = asyncio.create_task(self._run(what, work))

    def _tell(self, step: str, done: int, total: int | None = None) -> None:
        self.steps[step] = (done, total)

    async def _run(self, what: str, work: Callable[[Progress], Awaitable[Any]]) -> None:
        begun, start = datetime.now(UTC), perf_counter()
        result, error = None, ''
        try:
            result = await work(self._tell)
        except Exception as raised:  # whatever it is, the page shows it
            error = str(raised) or type(raised).__name__
        finally:
            self.what = ''
        self.outcomes.appendleft(Outcome(what, begun, perf_counter() - start, result, error))


async def in_daemon(work: Callable[[], T]) -> T:
    """Return what a function returns in a thread that ends with the process.

    A process waits for the threads of ``asyncio.to_thread`` before it ends. It does not wait for
    this thread: a mirror may run for minutes.
    """
    done = Future[T]()
    done.set_running_or_notify_cancel()  # so that a cancelled task does not cancel it

    def call() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    Thread(target=call, daemon=True).start()
    return await asyncio.wrap_future(done)
