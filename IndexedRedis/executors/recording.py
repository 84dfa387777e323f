"""Record the commands of flows: as they go to a server, or without one, for golden tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from .._core.flows import Batch, Elsewhere, Flow, Parts, Pause, Step, Stream
from .._core.mapping.resp import unpacked
from .._core.script import readable

__all__ = (
    'RecordingExecutor',
    'noted',
    'readable',
    'recordTrips',
)


Trip = list[tuple[Any, ...]]

#: The lists of all callers that record. The executors add to each of them.
recorders: list[list[Trip]] = []

T = TypeVar('T')


def noted(step: Step, recorders: list[list[Trip]]) -> Step:
    """Return a step that does the same, and adds its trip to each recorder when it is sent."""
    if isinstance(step, Batch):
        for trips in recorders:
            trips.append(_commands(step))
    if isinstance(step, Parts):
        for trips in recorders:
            trips.append(_all_commands(step))
    if isinstance(step, Stream):
        return step._replace(batches=_noting(step.batches, recorders))
    return step


def _noting(batches: Iterable[Batch | None], recorders: list[list[Trip]]) -> Iterator[Batch | None]:
    trip: Trip = []
    for number, batch in enumerate(batches):
        if number == 0:
            for trips in recorders:
                trips.append(trip)
        trip += _commands(batch) if batch else []
        yield batch


def _commands(batch: Batch) -> Trip:
    return [readable(unpacked(command)) for command in batch.commands]


def _all_commands(parts: Parts) -> Trip:
    return [command for _, batch in parts.batches for command in _commands(batch)]


class RecordingExecutor:
    """Runs flows without a server, on prepared replies.

    :param replies: a list of replies for each batch, in order, and for each batch of ``Parts``. An
        exception instead of a list is thrown into the flow, or is the outcome of its part.
    """

    def __init__(self, replies: Iterable[list[Any] | Exception] = ()) -> None:
        self._replies = iter(replies)
        #: a list of commands for each batch of the flows, and for the batches of ``Parts`` together
        self.trips: list[list[tuple[Any, ...]]] = []

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
        if isinstance(step, Parts):
            self.trips.append(_all_commands(step))
            return [self._next() for _ in step.batches]
        if isinstance(step, Elsewhere):
            return self.run(step.flow)
        if isinstance(step, Stream):
            for batch in filter(None, step.batches):
                step.consume(self._answer(batch))
        assert isinstance(step, (Stream, Pause))
        return None

    def _answer(self, batch: Batch) -> list[Any]:
        self.trips.append(_commands(batch))
        replies = self._next()
        if isinstance(replies, Exception):
            raise replies
        return replies

    def _next(self) -> list[Any] | Exception:
        try:
            return next(self._replies)
        except StopIteration:
            raise AssertionError(f'no reply left for {self.trips[-1]!r}') from None


@contextlib.contextmanager
def recordTrips() -> Iterator[list[Trip]]:
    """Return, as context manager, a list that receives the round trips of this process.

    It covers all threads and tasks. A trip is a list of commands, as tuples with scripts by name.
    The chunks of one overlapped transfer are one trip. Retries and the loading of scripts do not
    count, so the list is the same at every run.
    """
    trips: list[Trip] = []
    recorders.append(trips)
    try:
        yield trips
    finally:
        # Compare by identity: two callers may have recorded equal trips.
        recorders[:] = [each for each in recorders if each is not trips]
