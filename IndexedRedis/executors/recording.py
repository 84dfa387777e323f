"""Plays the server: notes what a flow would send, and answers from a list. For golden tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from .._core.plan import Batch, Elsewhere, Flow, Pause, Step, Stream
from .._core.scripts import BY_SHA

__all__ = ('RecordingExecutor', 'readable')

T = TypeVar('T')


def readable(command: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a command with scripts by name: ``('EVALSHA', 'write', 4, ...)``."""
    if command[0] == 'EVALSHA':
        return ('EVALSHA', BY_SHA[command[1]].name, *command[2:])
    return command


class RecordingExecutor:
    """Runs flows without a server.

    :param replies: the replies to give, a list for each batch, in order; an exception in place of
        a list is thrown into the flow
    """

    def __init__(self, replies: Iterable[list[Any] | Exception] = ()) -> None:
        self._replies = iter(replies)
        #: one list of commands for each batch that was "sent"
        self.trips: list[list[tuple[Any, ...]]] = []
        #: whether each of them was to run inside MULTI and EXEC
        self.atomic: list[bool] = []

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return its result."""
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._perform(step)
                except Exception as exc:
                    step = flow.throw(exc)
                else:
                    step = flow.send(outcome)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _perform(self, step: Step) -> Any:
        if isinstance(step, Batch):
            return self._answer(step)
        if isinstance(step, Elsewhere):
            return self.run(step.flow)
        if isinstance(step, Stream):
            for batch in step.batches:
                step.consume(self._answer(batch))
        assert isinstance(step, (Stream, Pause))
        return None

    def _answer(self, batch: Batch) -> list[Any]:
        self.trips.append([readable(command) for command in batch.commands])
        self.atomic.append(batch.atomic)
        try:
            replies = next(self._replies)
        except StopIteration:
            raise AssertionError(f'no reply left for {self.trips[-1]!r}') from None
        if isinstance(replies, Exception):
            raise replies
        return replies
