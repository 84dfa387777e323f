"""From page to page of a large set, a few pages at a time on the wire.

What is done about a page is a flow of its own; while it waits for an answer, the commands of other
pages and the look for the next one are sent. A walk takes half the time of one that waits at every
step, and the set may change meanwhile, as with any ``SSCAN``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from .plan import Batch, Command, Flow, Step, Stream, chunks, page_of

__all__ = ('PAGE', 'walk')

# Members of a page: most scripts that work on one hold up the server for a millisecond or two.
PAGE = 200
# Members that a look asks for: the server gives some more, which still are to make one page.
LOOK = 180

Act = Callable[[list[bytes]], Flow[None]]


def walk(key: bytes, act: Act, hold: tuple[Command, ...] = ()) -> Flow[None]:
    """Do something about all members of a set.

    :param act: gives the flow for up to ``PAGE`` members; batches are the only steps it takes. Of
        several pages these run side by side.
    :param hold: commands to send along with each look for members
    """
    pages = _Pages(key, act, hold)
    yield Stream(pages.batches(), pages.consume)


class _Pages:
    """The flows of one walk: those that are to be sent, in the order in which they are answered."""

    def __init__(self, key: bytes, act: Act, hold: tuple[Command, ...]) -> None:
        self._act = act
        self._scan = self._scanned(key, hold)
        #: the next look for members
        self._look: Step | None = next(self._scan)
        #: flows to begin; those that have a batch to send; those that wait for an answer
        self._new: deque[Flow[None]] = deque()
        self._ready: deque[tuple[Flow[None], Step]] = deque()
        self._sent: deque[Flow[None]] = deque()

    def _scanned(self, key: bytes, hold: tuple[Command, ...]) -> Flow[None]:
        cursor: Any = b'0'
        while cursor is not None:
            reply, *_ = yield Batch([('SSCAN', key, cursor, 'COUNT', LOOK), *hold])
            cursor, page = page_of(reply)
            # A small set comes in one page.
            self._new.extend(map(self._act, chunks(page, PAGE)))

    def batches(self) -> Iterator[Batch | None]:
        """What is to be sent: pages under way before new ones, and these before the next look."""
        while True:
            if self._ready:
                flow, step = self._ready.popleft()
            elif self._new:
                self._go_on(self._new.popleft(), None)
                continue
            elif self._look is not None:
                flow, step, self._look = self._scan, self._look, None
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

    def _go_on(self, flow: Flow[None], outcome: Any) -> None:
        try:
            step = flow.send(outcome)
        except StopIteration:
            return
        if flow is self._scan:
            self._look = step
        else:
            self._ready.append((flow, step))
