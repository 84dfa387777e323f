"""Flows side by side: pages of a large set, chunks of a result.

What is done about a page is a flow of its own; while it waits for an answer, the commands of others
are sent, and of a walk the look for the next page. A walk takes half the time of one that waits at
every step, a filtered delete a fifth less than one that fetches all rows first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from .flows import Batch, Command, Flow, Step, Stream, chunks, scan

__all__ = (
    'PAGE_MEMBERS',
    'side_by_side',
    'together',
    'walk',
)


# Members of a page: most scripts that work on one hold up the server for a millisecond or two.
PAGE_MEMBERS = 200
# Members that a look asks for: the server gives some more, which still are to make one page.
WALK_COUNT = 180

T = TypeVar('T')
Act = Callable[[list[bytes]], Flow[None]]


def side_by_side(flows: Iterable[Flow[T]]) -> Flow[list[T]]:
    """Run flows with a few batches on the wire at a time, and return their results as they come.

    :param flows: batches are the only steps they take
    """
    lane = _Lane()
    lane.new.extend(flows)
    if len(lane.new) == 1:
        return [(yield from lane.new[0])]
    yield Stream(lane.batches(), lane.consume)
    return lane.results


def walk(key: bytes, act: Act, hold: tuple[Command, ...] = ()) -> Flow[None]:
    """Do something about all members of a set, which may change meanwhile, as with any ``SSCAN``.

    :param act: gives the flow for up to ``PAGE_MEMBERS`` members, as of :func:`side_by_side`
    :param hold: commands to send along with each look for members
    """
    lane = _Lane()

    def begin(page: list[bytes]) -> tuple[()]:
        lane.new.extend(map(act, chunks(page, PAGE_MEMBERS)))
        return ()

    lane.look_with(scan(begin, key, count=WALK_COUNT, extend=hold))
    yield Stream(lane.batches(), lane.consume)


class _Lane:
    """Flows under way: those that are to be sent, in the order in which they are answered."""

    def __init__(self) -> None:
        #: flows to begin; those that have a batch to send; those that wait for an answer
        self.new: deque[Flow[Any]] = deque()
        self._ready: deque[tuple[Flow[Any], Step]] = deque()
        self._sent: deque[Flow[Any]] = deque()
        self.results: list[Any] = []
        #: what finds more flows, and its next look for them
        self._finder: Flow[None] | None = None
        self._look: tuple[Flow[None], Step] | None = None

    def look_with(self, finder: Flow[None]) -> None:
        """Have a flow find more flows; it waits while others have something to send."""
        self._finder, self._look = finder, (finder, next(finder))

    def batches(self) -> Iterator[Batch | None]:
        """What is to be sent: flows under way before new ones, and these before the next look."""
        while True:
            if self._ready:
                flow, step = self._ready.popleft()
            elif self.new:
                self._go_on(self.new.popleft(), None)
                continue
            elif self._look is not None:
                (flow, step), self._look = self._look, None
            elif self._sent:
                yield None
                continue
            else:
                return
            assert isinstance(step, Batch)
            self._sent.append(flow)
            yield step

    def consume(self, replies: list[Any]) -> None:
        """Go on with the flow that waits longest."""
        self._go_on(self._sent.popleft(), replies)

    def _go_on(self, flow: Flow[Any], outcome: Any) -> None:
        try:
            step = flow.send(outcome)
        except StopIteration as stop:
            self.results.append(stop.value)
            return
        if flow is self._finder:
            self._look = (flow, step)
        else:
            self._ready.append((flow, step))


def together(flows: Sequence[Flow[T]]) -> Flow[list[T]]:
    """Run flows that only read side by side; returns their results.

    What they ask at the same time goes out in one write, so that they take no more trips than the
    longest of them.
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
