"""Run flows side by side: for the pages of a large set, or the chunks of a result.

Each page has a flow of its own. While one waits for a reply, the others send their commands, and
the scan asks for the next page. A walk takes half the time of one that waits at every step. A
filtered delete takes a fifth less than one that fetches all rows first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from .flows import Batch, Command, Flow, Parts, Step, Stream, chunks, scan

__all__ = (
    'PAGE_MEMBERS',
    'counted',
    'side_by_side',
    'together',
    'walk',
)

# Members of one page of a walk: most scripts over a page block the server for a millisecond or two.
PAGE_MEMBERS = 200
# The COUNT of its SSCAN. The server gives some members more, which shall fit into one page.
WALK_COUNT = 180

T = TypeVar('T')


def side_by_side(flows: Iterable[Flow[T]]) -> Flow[list[T]]:
    """Run flows with a few batches on the wire at a time; return their results as they come.

    :param flows: they yield no steps but batches
    """
    lane = _Lane()
    lane.new.extend(flows)
    if len(lane.new) == 1:
        return [(yield from lane.new[0])]
    yield Stream(lane.batches(), lane.consume)
    return lane.results


def walk(
    key: bytes, act: Callable[[list[bytes]], Flow[None]], hold: tuple[Command, ...] = ()
) -> Flow[None]:
    """Act on all members of a set. As with ``SSCAN``, the set may change, and members may repeat.

    :param act: gives the flow for up to ``PAGE_MEMBERS`` members; see :func:`side_by_side`
    :param hold: commands to send along with each request for a page
    """
    lane = _Lane()

    def begin(page: list[bytes]) -> tuple[()]:
        lane.new.extend(map(act, chunks(page, PAGE_MEMBERS)))
        return ()

    lane.scan_with(scan(begin, key, count=WALK_COUNT, extend=hold))
    yield Stream(lane.batches(), lane.consume)


class _Lane:
    """The flows under way, and the order in which their replies come."""

    def __init__(self) -> None:
        #: flows to begin; flows with a batch to send; flows that wait for a reply
        self.new: deque[Flow[Any]] = deque()
        self._ready: deque[tuple[Flow[Any], Step]] = deque()
        self._sent: deque[Flow[Any]] = deque()
        self.results: list[Any] = []
        #: the scan that adds flows, and its next step
        self._scan: Flow[None] | None = None
        self._scan_step: tuple[Flow[None], Step] | None = None

    def scan_with(self, scan: Flow[None]) -> None:
        """Let a scan add flows; it waits while others have something to send."""
        self._scan, self._scan_step = scan, (scan, next(scan))

    def batches(self) -> Iterator[Batch | None]:
        """Yield batches: of flows under way, then of new flows, then of the scan."""
        while True:
            if self._ready:
                flow, step = self._ready.popleft()
            elif self.new:
                self._go_on(self.new.popleft(), None)
                continue
            elif self._scan_step is not None:
                (flow, step), self._scan_step = self._scan_step, None
            elif self._sent:
                yield None
                continue
            else:
                return
            assert isinstance(step, Batch)
            self._sent.append(flow)
            yield step

    def consume(self, replies: list[Any]) -> None:
        """Give the replies to the flow that waits longest."""
        self._go_on(self._sent.popleft(), replies)

    def _go_on(self, flow: Flow[Any], outcome: Any) -> None:
        try:
            step = flow.send(outcome)
        except StopIteration as stop:
            self.results.append(stop.value)
            return
        if flow is self._scan:
            self._scan_step = (flow, step)
        else:
            self._ready.append((flow, step))


def together(flows: Sequence[Flow[T]]) -> Flow[list[T]]:
    """Run flows that only read side by side; return their results.

    Their batches are merged, and so are their ``Parts``. All together take as many round trips as
    the longest of them, if it yields nothing else.
    """
    if len(flows) == 1:
        return [(yield from flows[0])]
    results: dict[int, T] = {}
    waiting: dict[int, Step] = {}

    def go_on(number: int, outcome: Any) -> None:
        waiting.pop(number, None)
        try:
            waiting[number] = flows[number].send(outcome)
        except StopIteration as stop:
            results[number] = stop.value

    for number in range(len(flows)):
        go_on(number, None)
    while waiting:
        batches = {n: step.commands for n, step in waiting.items() if isinstance(step, Batch)}
        parts = {n: step.batches for n, step in waiting.items() if isinstance(step, Parts)}
        if parts and not batches:
            outcomes = iter((yield Parts([each for some in parts.values() for each in some])))
            for number, some in parts.items():
                go_on(number, list(islice(outcomes, len(some))))
            continue
        if not batches:
            number, step = next(iter(waiting.items()))
            go_on(number, (yield step))
            continue
        shared = all(step.shared for step in waiting.values() if isinstance(step, Batch))
        merged = [each for commands in batches.values() for each in commands]
        replies = iter((yield Batch(merged, shared=shared)))
        for number, commands in batches.items():
            go_on(number, list(islice(replies, len(commands))))
    return [results[number] for number in range(len(flows))]


def counted(flow: Flow[T], trips: list[None]) -> Flow[T]:
    """Run a flow, and add an item to a list for each of its steps."""
    try:
        step = next(flow)
        while True:
            trips.append(None)
            step = flow.send((yield step))
    except StopIteration as stop:
        result: T = stop.value
        return result
