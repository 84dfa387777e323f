"""The messages of PostgreSQL's output plugin ``pgoutput``, protocol versions 1 and 2.

The rule: bytes in, events out. Nothing here reads a connection or knows which tables matter.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from ..log import LogLostError

__all__ = (
    'UNCHANGED',
    'Begin',
    'Column',
    'Decoder',
    'Delete',
    'Described',
    'End',
    'Event',
    'Insert',
    'Message',
    'Origin',
    'Relation',
    'Row',
    'StreamAbort',
    'StreamStart',
    'StreamStop',
    'Truncate',
    'Type',
    'Update',
)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_INT16, _INT32, _INT64 = struct.Struct('>H'), struct.Struct('>I'), struct.Struct('>Q')
# In a block of a streamed transaction these start with the number of a (sub)transaction.
_NUMBERED = frozenset(b'RYIUDTM')


class _Unsent(Enum):
    UNCHANGED = 'UNCHANGED'


# A large value of an updated row that the update left as it was: it is not sent.
UNCHANGED = _Unsent.UNCHANGED
Column = bytes | None | _Unsent
Row = list[Column]


class Begin(NamedTuple):
    """A transaction follows, up to its :class:`End`."""

    xid: int


class End(NamedTuple):
    """The transaction was committed; one that was streamed has its number here."""

    xid: int | None
    #: positions of the commit in the log
    begins: int
    ends: int
    at: datetime


class Origin(NamedTuple):
    """The transaction came from another server by replication."""

    name: str


class Described(NamedTuple):
    """A column of a :class:`Relation`."""

    name: str
    type: int
    modifier: int
    #: whether it comes with the old row of an update or a delete
    is_key: bool


class Relation(NamedTuple):
    """A table; it is sent before its first row, and again after it was altered."""

    id: int
    schema: str
    name: str
    columns: tuple[Described, ...]


class Type(NamedTuple):
    """A type that is not built in; the name of a domain is that of the type below it."""

    id: int
    schema: str
    name: str


class Insert(NamedTuple):
    """A new row."""

    relation: int
    new: Row


class Update(NamedTuple):
    """A changed row. ``old`` is None if no column of the replica identity changed."""

    relation: int
    old: Row | None
    new: Row


class Delete(NamedTuple):
    """A removed row; columns outside the replica identity are None."""

    relation: int
    old: Row


class Truncate(NamedTuple):
    """Tables that were emptied."""

    relations: tuple[int, ...]


class Message(NamedTuple):
    """What a program wrote into the log."""

    prefix: str
    content: bytes


class StreamStart(NamedTuple):
    """What follows is of a transaction that still runs."""

    xid: int


class StreamStop(NamedTuple):
    """The end of a block of a transaction that still runs."""


class StreamAbort(NamedTuple):
    """A streamed transaction was rolled back, or its subtransaction ``part``."""

    xid: int
    part: int


Event = (
    Begin | End | Origin | Relation | Type | Insert | Update | Delete | Truncate | Message
    | StreamStart | StreamStop | StreamAbort
)  # fmt: skip


class Decoder:
    """Decodes the messages of one connection, in order."""

    def __init__(self) -> None:
        self._in_stream = False

    def decode(self, data: bytes) -> Event:
        """Return the event of a message.

        :raises LogLostError: if it is no message of these versions, or has binary values
        """
        kind = data[0] if data else 0
        if (read := _READERS.get(kind)) is None:
            raise LogLostError(f'The log of PostgreSQL has a message of unknown kind {data[:1]!r}.')
        try:
            event: Event = read(data, 5 if self._in_stream and kind in _NUMBERED else 1)
        except (struct.error, ValueError, IndexError) as error:
            raise LogLostError(
                f'The log of PostgreSQL has a message {data[:1]!r} that ends early, or is of a '
                f'newer version: {error}.'
            ) from error
        if kind == b'S'[0]:
            self._in_stream = True
        elif kind == b'E'[0]:
            self._in_stream = False
        return event


def _begin(data: bytes, at: int) -> Begin:
    return Begin(_INT32.unpack_from(data, at + 16)[0])


def _commit(data: bytes, at: int) -> End:
    begins, ends, micros = struct.unpack_from('>QQq', data, at + 1)
    return End(None, begins, ends, _EPOCH + timedelta(microseconds=micros))


def _stream_commit(data: bytes, at: int) -> End:
    return _commit(data, at + 4)._replace(xid=_INT32.unpack_from(data, at)[0])


def _origin(data: bytes, at: int) -> Origin:
    return Origin(_text(data, at + 8)[0])


def _relation(data: bytes, at: int) -> Relation:
    number = _INT32.unpack_from(data, at)[0]
    schema, at = _text(data, at + 4)
    name, at = _text(data, at)
    (count,) = _INT16.unpack_from(data, at + 1)  # after a byte of the replica identity
    at += 3
    columns = []
    for _ in range(count):
        column, after = _text(data, at + 1)
        kind, modifier = struct.unpack_from('>Ii', data, after)
        columns.append(Described(column, kind, modifier, bool(data[at] & 1)))
        at = after + 8
    return Relation(number, schema or 'pg_catalog', name, tuple(columns))


def _type(data: bytes, at: int) -> Type:
    schema, after = _text(data, at + 4)
    name, _ = _text(data, after)
    return Type(_INT32.unpack_from(data, at)[0], schema or 'pg_catalog', name)


def _insert(data: bytes, at: int) -> Insert:
    new, _ = _row(data, at + 4, b'N')
    return Insert(_INT32.unpack_from(data, at)[0], new)


def _update(data: bytes, at: int) -> Update:
    number, at = _INT32.unpack_from(data, at)[0], at + 4
    old = None
    if data[at] in b'KO':
        old, at = _row(data, at, b'KO')
    return Update(number, old, _row(data, at, b'N')[0])


def _delete(data: bytes, at: int) -> Delete:
    old, _ = _row(data, at + 4, b'KO')
    return Delete(_INT32.unpack_from(data, at)[0], old)


def _truncate(data: bytes, at: int) -> Truncate:
    (count,) = _INT32.unpack_from(data, at)
    return Truncate(struct.unpack_from(f'>{count}I', data, at + 5))


def _message(data: bytes, at: int) -> Message:
    prefix, after = _text(data, at + 9)
    (size,) = _INT32.unpack_from(data, after)
    return Message(prefix, _bytes(data, after + 4, size))


def _stream_start(data: bytes, at: int) -> StreamStart:
    return StreamStart(_INT32.unpack_from(data, at)[0])


def _stream_stop(data: bytes, at: int) -> StreamStop:
    return StreamStop()


def _stream_abort(data: bytes, at: int) -> StreamAbort:
    return StreamAbort(*struct.unpack_from('>II', data, at))


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(0, at)
    return data[at:end].decode(), end + 1


def _bytes(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise IndexError(f'{size} bytes at {at} of {len(data)}')
    return data[at : at + size]


def _row(data: bytes, at: int, kinds: bytes) -> tuple[Row, int]:
    """Return the columns of a row, and where what follows it begins."""
    if data[at] not in kinds:
        raise ValueError(f'a row of kind {data[at : at + 1]!r}')
    (count,) = _INT16.unpack_from(data, at + 1)
    at += 3
    row: Row = []
    for _ in range(count):
        kind = data[at]
        at += 1
        if kind == 116:  # t, the text of the value
            begins = at + 4
            at = begins + _INT32.unpack_from(data, at)[0]
            row.append(data[begins:at])
        elif kind == 110:  # n
            row.append(None)
        elif kind == 117:  # u
            row.append(UNCHANGED)
        else:
            raise ValueError(f'a value of kind {chr(kind)!r}; values as text were asked for')
    if at > len(data):
        raise IndexError(f'a row up to {at} of {len(data)} bytes')
    return row, at


_READERS: dict[int, Callable[[bytes, int], Any]] = {
    b'B'[0]: _begin,
    b'C'[0]: _commit,
    b'O'[0]: _origin,
    b'R'[0]: _relation,
    b'Y'[0]: _type,
    b'I'[0]: _insert,
    b'U'[0]: _update,
    b'D'[0]: _delete,
    b'T'[0]: _truncate,
    b'M'[0]: _message,
    b'S'[0]: _stream_start,
    b'E'[0]: _stream_stop,
    b'c'[0]: _stream_commit,
    b'A'[0]: _stream_abort,
}
