"""Values of columns from their bytes in the binlog.

The rule: a value is equal to what pymysql returns for the column in a select. A type for which
this cannot be had exactly has no decoder, and is refused by name.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

__all__ = ('Column', 'Decoder', 'decoder', 'kind_of')

Decoder = Callable[[bytes], Any]


class Column(NamedTuple):
    """A column, as information_schema describes it."""

    name: str
    #: from 0
    number: int
    type: str
    full_type: str
    charset: str | None
    length: int | None
    precision: int | None
    scale: int | None
    #: digits of parts of seconds
    fraction: int | None
    is_primary: bool


# By type, the kind of column in the binlog.
_KINDS = {
    'tinyint': 1,
    'smallint': 2,
    'mediumint': 9,
    'int': 3,
    'bigint': 8,
    'year': 13,
    'double': 5,
    'decimal': 246,
    'date': 10,
    'datetime': 18,
    'char': 254,
    'binary': 254,
    'uuid': 254,
    'varchar': 15,
    'varbinary': 15,
    'enum': 247,
    **dict.fromkeys(('tinytext', 'text', 'mediumtext', 'longtext'), 252),
    **dict.fromkeys(('tinyblob', 'blob', 'mediumblob', 'longblob'), 252),
}
_INTEGERS = ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')
# Character sets whose Python codec decodes each character as MariaDB does.
_CODECS = {
    'utf8mb4': 'utf-8',
    'utf8mb3': 'utf-8',
    'utf8': 'utf-8',
    'ascii': 'ascii',
    'latin2': 'iso8859_2',
    'latin5': 'iso8859_9',
    'utf16': 'utf-16-be',
    'ucs2': 'utf-16-be',
    'utf16le': 'utf-16-le',
    'utf32': 'utf-32-be',
}


def kind_of(column: Column) -> int | None:
    """Return the kind of a column in the binlog; None if its type is not read."""
    return _KINDS.get(column.type)


def decoder(column: Column) -> Decoder | None:
    """Return what turns bytes into a value; None if a type, or its character set, has none."""
    if column.type not in _KINDS or 'COMPRESSED' in column.full_type:
        return None
    if column.type in _INTEGERS:
        signed = 'unsigned' not in column.full_type
        return lambda raw: int.from_bytes(raw, 'little', signed=signed)
    if column.type == 'enum':
        return _enum(column.full_type)
    if column.type == 'decimal':
        precision, scale = column.precision or 0, column.scale or 0
        return lambda raw: _decimal(raw, precision, scale)
    if column.type == 'binary':
        length = column.length or 0
        return lambda raw: raw.ljust(length, b'\0')
    if column.type == 'datetime':
        fraction = column.fraction or 0
        return lambda raw: _datetime(raw, fraction)
    if column.charset is not None:
        return _text(column.charset)
    return _OTHERS.get(column.type, bytes)


def _text(charset: str) -> Decoder | None:
    if charset == 'latin1':
        return _latin1
    codec = _CODECS.get(charset)
    return None if codec is None else lambda raw: raw.decode(codec)


def _latin1(raw: bytes) -> str:
    # As cp1252, whose five gaps are the control characters of these numbers.
    try:
        return raw.decode('cp1252')
    except UnicodeDecodeError:
        return ''.join(
            chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode('cp1252')
            for byte in raw
        )


def _enum(full_type: str) -> Decoder:
    found = re.findall(r"'((?:[^']|'')*)'", full_type)
    names = ['', *(name.replace("''", "'") for name in found)]
    return lambda raw: names[int.from_bytes(raw, 'little')]


def _decimal(raw: bytes, precision: int, scale: int) -> Decimal:
    """Return a number whose digits stand in groups of nine, those before and after the point apart.

    Bits of negative numbers are inverted, and the first bit always is.
    """
    negative = not raw[0] & 0x80
    raw = bytes([raw[0] ^ 0x80, *raw[1:]])
    if negative:
        raw = bytes(byte ^ 0xFF for byte in raw)
    whole, left = divmod(precision - scale, 9)
    parts, rest = divmod(scale, 9)
    groups = [left, *[9] * whole, *[9] * parts, rest]
    text, at = '', 0
    for digits in groups:
        size = (digits + 1) // 2 if digits < 9 else 4
        number = int.from_bytes(raw[at : at + size], 'big')
        text += f'{number:0{digits}d}' if digits else ''
        at += size
    point = len(text) - scale
    return Decimal(f'{"-" if negative else ""}{text[:point] or "0"}.{text[point:]}')


def _date(raw: bytes) -> date | str:
    number = int.from_bytes(raw, 'little')
    year, month, day = number >> 9, number >> 5 & 15, number & 31
    try:
        return date(year, month, day)
    except ValueError:
        return f'{year:04d}-{month:02d}-{day:02d}'


def _datetime(raw: bytes, fraction: int) -> datetime | str:
    number = int.from_bytes(raw[:5], 'big')
    months, day, hour = number >> 22 & 0x1FFFF, number >> 17 & 31, number >> 12 & 31
    minute, second = number >> 6 & 63, number & 63
    year, month = divmod(months, 13)
    digits = (fraction + 1) // 2 * 2
    micro = int.from_bytes(raw[5:], 'big') * 10 ** (6 - digits)
    try:
        return datetime(year, month, day, hour, minute, second, micro)
    except ValueError:
        text = f'{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}'
        return text + (f'.{micro:06d}'[: fraction + 1] if fraction else '')


def _double(raw: bytes) -> float:
    number: float = struct.unpack('<d', raw)[0]
    return number


_OTHERS: dict[str, Decoder] = {
    'year': lambda raw: 1900 + raw[0] if raw[0] else 0,
    'double': _double,
    'date': _date,
    'uuid': lambda raw: str(UUID(bytes=raw.ljust(16, b'\0'))),
}
