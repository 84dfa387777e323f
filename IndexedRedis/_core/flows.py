"""The contract between the flows and whoever executes them.

A flow is a generator. It yields steps and is sent what came of them; it returns the result of
the operation. It never does I/O, so one text serves threads and asyncio alike, and a test can
play the server. There are four kinds of steps:

``Batch``
    some commands that go out in one write. Sent back: the list of their replies, in order.
``Stream``
    any number of batches, a few of them in flight at a time. Each list of replies is given to
    ``consume`` in order, while later batches are on the wire. A ``None`` among the batches says
    that what follows depends on an answer. Sent back: ``None``.
``Pause``
    wait that many seconds. Sent back: ``None``.
``Elsewhere``
    run a flow on the connection of another model. Sent back: its result.

An error reply, or a broken connection, is thrown into the flow at its ``yield``. An executor may
send any batch **twice** (a reply got lost, a script was unknown to the server): each must be
safe to repeat, whatever others did in between. One that is not is marked ``once``; its flow gets
:class:`AnswerLost` instead. Flows compose with ``yield from``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

__all__ = (
    'SCAN_COUNT',
    'Act',
    'AnswerLost',
    'Batch',
    'Command',
    'Elsewhere',
    'Flow',
    'Pause',
    'ServerFull',
    'Step',
    'Stream',
    'ask',
    'ask_quick',
    'chunks',
    'page_of',
    'scan',
    'with_cleanup',
)

# Members or keys that the server looks at for a page of a scan: some 0.2 ms.
SCAN_COUNT = 500

Command = tuple[Any, ...]
T = TypeVar('T')


class Batch(NamedTuple):
    """Commands for one write.

    ``shared``: they read, and are quick, so that others may use the same connection meanwhile.
    ``once``: not to be repeated where the connection broke before the answer came.
    """

    commands: Sequence[Command]
    once: bool = False
    shared: bool = False


class AnswerLost(Exception):
    """The connection broke, so a batch that is sent once was carried out or not."""


class ServerFull(Exception):
    """The server is out of memory, so it refused a write."""


class Stream(NamedTuple):
    """Batches that overlap on the wire; ``batches`` is consumed only as fast as they leave."""

    batches: Iterable[Batch | None]
    consume: Callable[[list[Any]], None]


class Pause(NamedTuple):
    """A wait, in seconds."""

    seconds: float


class Elsewhere(NamedTuple):
    """A flow that belongs to another model, which may live on another server."""

    model: Any
    flow: Any


Step = Batch | Stream | Pause | Elsewhere
Flow = Generator[Step, Any, T]
# What is done about pages of members; `()` where nothing has to be sent.
Act = Callable[..., Flow[Any] | tuple[()]]


def ask(*command: Any) -> Flow[Any]:
    """Send one command; return its reply."""
    (reply,) = yield Batch([command])
    return reply


def ask_quick(*command: Any) -> Flow[Any]:
    """As :func:`ask`, for a command that reads and is quick."""
    (reply,) = yield Batch([command], shared=True)
    return reply


def scan(
    act: Act,
    *sets: bytes,
    count: int = SCAN_COUNT,
    match: bytes | None = None,
    extend: Sequence[Command] = (),
    tell: Callable[[int, int], Any] | None = None,
) -> Flow[None]:
    """Give ``act`` the members of sets, or the names of all keys, page by page.

    :param act: returns the flow for a page; ``()`` where there is nothing to send. A page may
        repeat members, and be longer than ``count``: a small set comes whole.
    :param sets: scanned side by side, so that ``act`` gets a page of each; none: scan all keys
    :param count: how many members the server looks at for a page
    :param match: pattern of the names
    :param extend: commands that prolong locks, sent along with each request
    :param tell: called with how many members or keys are done, and of how many, after each page
    """
    starts: list[Command] = [('SSCAN', key) for key in sets] or [('SCAN',)]
    options = ('COUNT', count) if match is None else ('MATCH', match, 'COUNT', count)
    total = (yield from ask(*(('SCARD', *sets) if sets else ('DBSIZE',)))) if tell else 0
    done = 0
    cursors = dict.fromkeys(range(len(starts)), b'0')
    while cursors:
        replies = yield Batch([*((*starts[i], at, *options) for i, at in cursors.items()), *extend])
        pages: list[list[bytes]] = [[]] * len(starts)
        for i, (cursor, page) in zip(list(cursors), replies, strict=False):
            pages[i] = page
            cursors[i] = cursor
            if int(cursor) == 0:
                del cursors[i]
        yield from act(*pages)
        if tell:
            done += len(pages[0]) if sets else count
            tell(min(done, total) if cursors else total, total)


def with_cleanup(flow: Flow[T], cleanup: Callable[[bool], Flow[None]]) -> Flow[T]:
    """Run a flow, then ``cleanup(worked)``, whatever happened; return the flow's result.

    An abandoned flow (``GeneratorExit``) can send nothing any more, so it is not cleaned up.
    """
    try:
        result = yield from flow
    except GeneratorExit:
        raise
    except BaseException:
        yield from cleanup(False)
        raise
    yield from cleanup(True)
    return result


def page_of(reply: Any) -> tuple[Any, list[bytes]]:
    """What SCAN and SSCAN give: the cursor of the next page, None after the last; the page."""
    cursor, page = reply
    return (None if int(cursor) == 0 else cursor), page


def chunks(items: Iterable[T], size: int) -> Generator[list[T], None, None]:
    """Cut ``items`` into lists of at most ``size``, reading no further ahead than that."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk
