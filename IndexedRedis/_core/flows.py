"""The contract between flows and executors.

A flow is a generator. It yields steps, receives the outcome of each, and returns the result of the
operation. It does no I/O, so the same flow runs on threads and on asyncio, and a test can play the
server. There are six kinds of steps:

``Batch``
    commands that go out in one write. Outcome: the list of their replies, in order.
``Stream``
    any number of batches, a few of them in flight at a time. ``consume`` receives each list of
    replies, in order, while later batches are on the wire. A ``None`` among the batches means that
    the next batch depends on a reply that is outstanding. Outcome: ``None``.
``Parts``
    batches for several places of the database, which are sent at the same time. Outcome: a list. It
    has for each batch, in order, the replies, or the exception that a ``Batch`` would throw.
``Pause``
    a wait of so many seconds. Outcome: ``None``.
``Elsewhere``
    a flow to run on the connection of another model. Outcome: its result.
``Everywhere``
    a flow to run on each server that holds a part of the database. Outcome: the list of results.

An executor throws an error reply, or a broken connection, into the flow at its ``yield``. It may
send any batch **twice**: a reply may get lost, or the server may not know a script. So each batch
must be safe to repeat, whatever others write in between. A batch that is not is marked ``once``;
its flow gets :class:`AnswerLost` instead. Flows compose with ``yield from``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple, TypeVar

__all__ = (
    'SCAN_COUNT',
    'Act',
    'AnswerLost',
    'Batch',
    'Command',
    'Elsewhere',
    'Everywhere',
    'Fenced',
    'Flow',
    'NoConnection',
    'Parts',
    'Pause',
    'Progress',
    'Scan',
    'ScanLost',
    'ServerFull',
    'Step',
    'Stream',
    'ask',
    'ask_quick',
    'chunks',
    'page_of',
    'scan',
    'whole',
    'with_cleanup',
)

# Members or keys of one page of a scan: it blocks the server for 0.2 ms.
SCAN_COUNT = 500

Command = tuple[Any, ...]
T = TypeVar('T')


class Scan:
    """One scan, from its first cursor to its last: only the server that began it knows these."""

    #: what the executor knows of that server
    began: Any = None


class ScanLost(Exception):
    """Another server took over during a scan whose pages must not repeat; see :func:`whole`."""


class Batch(NamedTuple):
    """Commands for one write.

    :param once: do not repeat them if the connection broke before the replies came
    :param shared: they read and are quick, so others may use the connection meanwhile
    :param scan: the scan that they belong to. The outcome is None if a cursor may be another
        server's than the one that the scan began on
    """

    commands: Sequence[Command]
    once: bool = False
    shared: bool = False
    scan: Scan | None = None


class AnswerLost(Exception):
    """The connection broke: it is unknown whether a batch marked ``once`` was carried out."""


class ServerFull(Exception):
    """The server is out of memory, so it refused a write."""


class Fenced(Exception):
    """A write met a fence: the partition is not open for the edition that it was meant for."""


class NoConnection(Exception):
    """All connections were in use, and none became free in time. Nothing was sent."""


class Stream(NamedTuple):
    """Batches that overlap on the wire. The executor draws one when it can send it."""

    batches: Iterable[Batch | None]
    consume: Callable[[Any], None]


class Parts(NamedTuple):
    """Batches for several places of the database, all of them sent before the first is answered.

    On one server they are one write, on a cluster one write for each node that they are for. They
    are carried out in any order. Primaries answer on a cluster, and no reply is cached. A write and
    its replies are held in memory, so the batches of a step should have less than a megabyte.

    :param batches: each with a key of its place: the key's hash slot says which node serves it
    """

    batches: Sequence[tuple[bytes, Batch]]


class Pause(NamedTuple):
    """A wait, in seconds."""

    seconds: float


class Elsewhere(NamedTuple):
    """A flow for the connection of another model, which may be on another server."""

    model: Any
    flow: Any


class Everywhere(NamedTuple):
    """A flow for each server that holds a part of the database: each primary of a cluster."""

    make: Callable[[], Any]


Step = Batch | Stream | Parts | Pause | Elsewhere | Everywhere
Flow = Generator[Step, Any, T]
# Reports progress: the name of the step, how much is done, and of how much.
Progress = Callable[[str, int, int], Any]
# Returns the flow for pages of members, or `()` if there is nothing to send.
Act = Callable[..., Flow[Any] | tuple[()]]


def ask(*command: Any) -> Flow[Any]:
    """Send one command; return its reply."""
    (reply,) = yield Batch([command])
    return reply


def ask_quick(*command: Any) -> Flow[Any]:
    """Send one command that reads and is quick; return its reply."""
    (reply,) = yield Batch([command], shared=True)
    return reply


def scan(
    act: Act,
    *sets: bytes,
    count: int = SCAN_COUNT,
    match: bytes | None = None,
    extend: Sequence[Command] = (),
    tell: Callable[[int, int], Any] | None = None,
    strict: bool = False,
    by: str = 'SSCAN',
) -> Flow[None]:
    """Give ``act`` the members of sets, or the names of all keys, page by page.

    If another server takes over meanwhile, it begins anew.

    :param act: returns the flow for a page; ``()`` where there is nothing to send. A page may
        repeat members, and be longer than ``count``: a small set comes whole.
    :param sets: scanned side by side, so that ``act`` gets a page of each; none: scan all keys
    :param count: how many members the server visits for a page
    :param match: pattern of the names
    :param extend: commands that extend locks, sent along with each request
    :param tell: called with how many members or keys are done, and of how many, after each page
    :param strict: do not begin anew
    :param by: the command that scans these keys; the pages of other types hold pairs
    :raises ScanLost: if ``strict``, and another server takes over
    """
    starts: list[Command] = [(by, key) for key in sets] or [('SCAN',)]
    options = ('COUNT', count) if match is None else ('MATCH', match, 'COUNT', count)
    total = (yield from ask(*(('SCARD', *sets) if sets else ('DBSIZE',)))) if tell else 0
    done, one = 0, Scan()
    cursors: dict[int, Any] = dict.fromkeys(range(len(starts)), b'0')
    while cursors:
        pages_of = [(*starts[i], at, *options) for i, at in cursors.items()]
        replies = yield Batch([*pages_of, *extend], scan=one)
        if replies is None:
            if strict:
                raise ScanLost
            done, one = 0, Scan()
            cursors = dict.fromkeys(range(len(starts)), b'0')
            continue
        pages: list[list[bytes]] = [[]] * len(starts)
        for i, reply in zip(list(cursors), replies, strict=False):
            cursors[i], pages[i] = page_of(reply)
            if cursors[i] is None:
                del cursors[i]
        yield from act(*pages)
        if tell:
            done += len(pages[0]) if sets else count
            tell(min(done, total) if cursors else total, total)


def whole(make: Callable[[], Flow[T]]) -> Flow[T]:
    """Run a flow with strict scans, anew if another server takes over; return its result."""
    while True:
        with suppress(ScanLost):
            return (yield from make())


def with_cleanup(flow: Flow[T], cleanup: Callable[[bool], Flow[None]]) -> Flow[T]:
    """Run a flow, then ``cleanup(worked)``; return the flow's result.

    An abandoned flow (``GeneratorExit``) can send nothing, so it is not cleaned up. Nor is one that
    got no connection: the cleanup would wait for one just as long, and locks expire meanwhile.
    """
    try:
        result = yield from flow
    except (GeneratorExit, NoConnection):
        raise
    except BaseException:
        yield from cleanup(False)
        raise
    yield from cleanup(True)
    return result


def page_of(reply: Any) -> tuple[Any, list[bytes]]:
    """Return the cursor of the next page, None after the last one, and the page."""
    cursor, page = reply
    return (None if int(cursor) == 0 else cursor), page


def chunks(items: Iterable[T], size: int) -> Generator[list[T], None, None]:
    """Yield ``items`` in lists of at most ``size``; read no further ahead than one list."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk
