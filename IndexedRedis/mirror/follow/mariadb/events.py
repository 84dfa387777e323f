"""The events of the binlog, from their bytes.

The rule: nothing here reads or waits. Rows are walked without being decoded, so a column of any
type may stand beside the columns that are wanted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = (
    'CHECKSUM',
    'Changed',
    'Event',
    'Gtid',
    'Kind',
    'Stored',
    'TableMap',
    'changes',
    'has_checksums',
    'ignores_foreign_keys',
    'prepared_xid',
    'query_text',
    'rotated_to',
    'table_of',
)

HEADER = struct.Struct('<IBIIIH')
# Bytes of a checksum, which the event that begins a file has room for in any case.
CHECKSUM = 4
# Bytes of the digits of a decimal that fill no group of nine, by their number.
_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


class Kind:
    """Numbers of the kinds of events."""

    QUERY, STOP, ROTATE, FORMAT, XID, TABLE_MAP = 2, 3, 4, 15, 16, 19
    WRITE, UPDATE, DELETE = 23, 24, 25
    HEARTBEAT, XA_PREPARE = 27, 38
    ANNOTATE, CHECKPOINT, GTID, GTID_LIST, ENCRYPTION = 160, 161, 162, 163, 164
    # Values for statements: nothing of them is needed beside the statement itself.
    INTVAR, RAND, USER_VAR, BEGIN_LOAD, APPEND_BLOCK = 5, 13, 14, 17, 9
    DELETE_FILE, EXECUTE_LOAD = 11, 18

    ROWS = (WRITE, UPDATE, DELETE)
    #: those that change nothing and end no commit
    IDLE = (
        *(HEARTBEAT, ANNOTATE, CHECKPOINT, GTID_LIST, ENCRYPTION),
        *(INTVAR, RAND, USER_VAR, BEGIN_LOAD, APPEND_BLOCK, DELETE_FILE),
    )


class Event(NamedTuple):
    """An event: its header, and the bytes after it."""

    #: when its statement began, in seconds of Unix time
    at: int
    kind: int
    server: int
    #: where the next event begins in the file; 0 if the event is in no file
    end: int
    body: bytes

    @classmethod
    def parsed(cls, data: bytes) -> Event:
        """Return the event of a packet without its first byte."""
        at, kind, server, _, end, _ = HEADER.unpack_from(data)
        return cls(at, kind, server, end, data[HEADER.size :])


class Gtid(NamedTuple):
    """What begins each commit."""

    number: int
    #: whether the next event is the whole commit
    alone: bool

    @classmethod
    def parsed(cls, body: bytes) -> Gtid:
        """Return what an event says."""
        number, _, flags = struct.unpack_from('<QIB', body)
        return cls(number, bool(flags & 1))


def has_checksums(body: bytes) -> bool:
    """Return whether the event that begins a file says that events end with a checksum."""
    return body[-CHECKSUM - 1] == 1


def rotated_to(body: bytes) -> tuple[str, int]:
    """Return the file, and the place in it, where the binlog goes on."""
    (offset,) = struct.unpack_from('<Q', body)
    return body[8:].decode(), offset


def query_text(body: bytes) -> tuple[str, str]:
    """Return the database that a statement ran in, and the statement."""
    _, _, schema, _, status = struct.unpack_from('<IIBHH', body)
    begin = 13 + status
    text = body[begin + schema + 1 :].decode(errors='replace')
    return body[begin : begin + schema].decode(errors='replace'), text


def prepared_xid(body: bytes) -> str:
    """Return the name of a transaction that was prepared, as ``XA COMMIT`` writes it."""
    number, first, _ = struct.unpack_from('<xIII', body)
    name = body[13:]
    return f"X'{name[:first].hex()}',X'{name[first:].hex()}',{number}"


class Stored(NamedTuple):
    """How a column stands in a row."""

    kind: int
    #: bytes of a value
    size: int
    #: bytes of a length before the value, if each has its own
    prefix: int


class TableMap(NamedTuple):
    """The table of the rows that follow."""

    id: int
    name: str
    columns: Sequence[Stored]

    @staticmethod
    def named(body: bytes) -> tuple[int, str, int]:
        """Return the number of a table, its full name, and where its columns begin."""
        schema = body[8]
        end = 9 + schema
        table = body[end + 1]
        name = f'{body[9:end].decode()}.{body[end + 2 : end + 2 + table].decode()}'
        return int.from_bytes(body[:6], 'little'), name, end + 3 + table

    @classmethod
    def parsed(cls, body: bytes) -> TableMap:
        """Return what an event says."""
        number, name, at = cls.named(body)
        count, at = _length(body, at)
        kinds = body[at : at + count]
        _, at = _length(body, at + count)
        columns = []
        for kind in kinds:
            used = _ABOUT.get(kind, 0)
            columns.append(_stored(kind, body[at : at + used]))
            at += used
        return cls(number, name, columns)


# How many bytes of a table's description say more about a column of a kind.
_ABOUT = {
    **dict.fromkeys((4, 5, 17, 18, 19, 140, 249, 250, 251, 252, 255), 1),
    **dict.fromkeys((15, 16, 141, 246, 247, 248, 253, 254), 2),
}
_FIXED = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 6: 0, 7: 4, 8: 8, 9: 3, 10: 3, 11: 3, 12: 8, 13: 1, 14: 3}
# Dates with parts of seconds: the bytes before these.
_FRACTIONS = {17: 4, 18: 5, 19: 3}


def _stored(kind: int, about: bytes) -> Stored:
    if kind in _FIXED:
        return Stored(kind, _FIXED[kind], 0)
    if kind in _FRACTIONS:
        return Stored(kind, _FRACTIONS[kind] + (about[0] + 1) // 2, 0)
    if kind == 16:  # BIT
        return Stored(kind, about[1] + (about[0] > 0), 0)
    if kind == 246:  # DECIMAL
        return Stored(kind, sum(_decimal_sizes(*about)), 0)
    if kind in (15, 141):  # VARCHAR
        return Stored(kind, 0, 1 if about[1] == 0 else 2)
    if kind in (247, 248, 253, 254):
        if about[0] in (247, 248):  # ENUM, SET
            return Stored(about[0], about[1], 0)
        # Two bits of the longest length hide in the kind, inverted.
        return Stored(254, 0, 1 if about[0] & 0x30 == 0x30 else 2)
    return Stored(kind, 0, about[0])


def _decimal_sizes(precision: int, scale: int) -> tuple[int, int]:
    whole, left = divmod(precision - scale, 9)
    parts, rest = divmod(scale, 9)
    return whole * 4 + _DIGITS[left], parts * 4 + _DIGITS[rest]


def _length(body: bytes, at: int) -> tuple[int, int]:
    first = body[at]
    if first < 251:
        return first, at + 1
    size = {252: 2, 253: 3, 254: 8}[first]
    return int.from_bytes(body[at + 1 : at + 1 + size], 'little'), at + 1 + size


class Changed(NamedTuple):
    """The wanted columns of a row, as bytes; None is NULL.

    A column that the binlog does not have is missing in `before`, or equal in both.
    """

    before: dict[int, bytes | None] | None
    after: dict[int, bytes | None] | None


def table_of(body: bytes) -> int:
    """Return the number of the table of an event with rows."""
    return int.from_bytes(body[:6], 'little')


def ignores_foreign_keys(body: bytes) -> bool:
    """Return whether the statement ran with ``foreign_key_checks=0``, which cascades nothing."""
    return bool(body[6] & 2)


def changes(kind: int, body: bytes, table: TableMap, wanted: Sequence[int]) -> Iterator[Changed]:
    """Yield the rows of an event.

    :param wanted: the numbers of columns; none: rows are counted only
    """
    count, at = _length(body, 8)
    width = (count + 7) // 8
    images = []
    for _ in range(2 if kind == Kind.UPDATE else 1):
        present = int.from_bytes(body[at : at + width], 'little')
        images.append(_Image(table.columns[:count], present, wanted))
        at += width
    while at < len(body):
        first, at = images[0].read(body, at)
        if kind == Kind.WRITE:
            yield Changed(None, first)
        elif kind == Kind.DELETE:
            yield Changed(first, None)
        else:
            second, at = images[1].read(body, at)
            yield Changed(first, {**first, **second})


class _Image:
    """How to walk rows in which some columns are present."""

    def __init__(self, columns: Sequence[Stored], present: int, wanted: Sequence[int]) -> None:
        there = [number for number in range(len(columns)) if present >> number & 1]
        self._nulls = (len(there) + 7) // 8
        self._steps = [
            (1 << bit, columns[number].size, columns[number].prefix, number in wanted, number)
            for bit, number in enumerate(there)
        ]

    def read(self, data: bytes, at: int) -> tuple[dict[int, bytes | None], int]:
        """Return the wanted columns of the row at a place, and where the next row begins."""
        found: dict[int, bytes | None] = {}
        nulls = int.from_bytes(data[at : at + self._nulls], 'little')
        at += self._nulls
        for bit, fixed, prefix, wanted, number in self._steps:
            if nulls & bit:
                if wanted:
                    found[number] = None
                continue
            size = fixed
            if prefix:
                size = int.from_bytes(data[at : at + prefix], 'little')
                at += prefix
            if wanted:
                found[number] = data[at : at + size]
            at += size
        return found, at
