"""Measure a flow: pass its steps on, and count and time them.

The numbers of bytes are those of RESP2, for commands and replies, with any client.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from .._core.flows import Batch, Elsewhere, Flow, Parts, Step, Stream
from .._core.inspection.explanation import Measured
from .wire import pack

__all__ = ('measured', 'reply_size')


def measured(flow: Flow[list[Any]]) -> Flow[Measured]:
    """Run a flow that fetches objects; return its measurements instead of the objects."""
    counts = _Counts()
    begin = time.perf_counter()
    found = yield from counts.counted(flow)
    return counts.result(len(found), time.perf_counter() - begin)


class _Counts:
    """The numbers of trips, commands and bytes of one flow."""

    def __init__(self) -> None:
        self._trips = self._chunks = self._commands = self._sent = self._got = 0
        self._waited = 0.0

    def counted(self, flow: Flow[Any]) -> Flow[Any]:
        """Run a flow, and count its steps."""
        try:
            step = next(flow)
            while True:
                asked = time.perf_counter()
                try:
                    outcome = yield self._on_its_way(step)
                except Exception as exc:
                    step = flow.throw(exc)
                    continue
                # The steps of a flow on another connection are counted one by one.
                if not isinstance(step, Elsewhere):
                    self._waited += time.perf_counter() - asked
                if isinstance(step, Batch):
                    self._received(outcome)
                if isinstance(step, Parts):
                    for replies in outcome:
                        self._received([] if isinstance(replies, Exception) else replies)
                step = flow.send(outcome)
        except StopIteration as stop:
            return stop.value

    def _on_its_way(self, step: Step) -> Step:
        """Count a step, and return it. A stream is counted while the executor sends it."""
        if isinstance(step, Elsewhere):
            return step._replace(flow=self.counted(step.flow))
        if isinstance(step, Batch):
            self._trips += 1
            self._send(step)
        if isinstance(step, Parts):
            self._trips += 1
            for _, batch in step.batches:
                self._send(batch)
        if not isinstance(step, Stream):
            return step
        consume = step.consume

        def counted(replies: list[Any]) -> None:
            self._received(replies)
            consume(replies)

        return Stream(self._stream(step.batches), counted)

    def _stream(self, batches: Iterable[Batch | None]) -> Iterator[Batch | None]:
        for number, batch in enumerate(batches):
            self._trips += not number
            if batch is not None:
                self._chunks += 1
                self._send(batch)
            yield batch

    def _send(self, batch: Batch) -> None:
        self._commands += len(batch.commands)
        self._sent += len(pack(batch))

    def _received(self, replies: list[Any]) -> None:
        """Count the replies of a batch."""
        self._got += sum(map(reply_size, replies))

    def result(self, rows: int, seconds: float) -> Measured:
        """Return the measurements."""
        return Measured(
            *(rows, self._trips, self._chunks, self._commands),
            *(self._sent, self._got, seconds, self._waited),
        )


def reply_size(reply: Any) -> int:
    """Return the number of bytes of a reply on the wire."""
    if isinstance(reply, (bytes, str)):
        size = len(reply)
        return size + len(str(size)) + 5
    if isinstance(reply, (list, tuple)):
        return len(str(len(reply))) + 3 + sum(map(reply_size, reply))
    return 5 if reply is None else len(str(reply)) + 3
