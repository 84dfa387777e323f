"""Cancelling at an exact place. The rule: when a coroutine suspends for the n-th time, whatever
for, its task is cancelled, so that a test can go through all these places.

    reached, outcome = await cut(song.asave(), 3)
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


class Cut:
    """Awaits a coroutine; cancels its task at the `first` suspension and at `times - 1` more."""

    def __init__(self, work: Coroutine[Any, Any, Any], first: int, times: int = 1) -> None:
        self._work = work
        self._due = range(first, first + times)
        #: how often it was suspended
        self.suspended = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        resume, value = self._work.send, None
        while True:
            try:
                waits_for = resume(value)
            except StopIteration as stop:
                return stop.value
            self.suspended += 1
            if self.suspended in self._due:
                asyncio.current_task().cancel()
            try:
                resume, value = self._work.send, (yield waits_for)
            except BaseException as exc:
                resume, value = self._work.throw, exc


async def cut(work: Coroutine[Any, Any, Any], first: int, times: int = 1) -> tuple[bool, Any]:
    """Whether there were so many suspensions, and the result or the exception."""
    cutting = Cut(work, first, times)

    async def main() -> Any:
        return await cutting

    (outcome,) = await asyncio.gather(asyncio.create_task(main()), return_exceptions=True)
    return cutting.suspended >= first, outcome
