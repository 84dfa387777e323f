"""Values of key columns, from the text in the log to what a driver returns for them.

The rule: a value equals what psycopg returns for the same column in a select.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

__all__ = ('KEY_TYPES', 'Read', 'reader_of')

Read = Callable[[bytes], Any]


def _bool(text: bytes) -> bool:
    return text == b't'


def _date(text: bytes) -> Any:
    # Years before Christ, those above 9999, and infinity: Python has no such date.
    try:
        return date.fromisoformat(text.decode())
    except ValueError:
        return text.decode()


def _numeric(text: bytes) -> Decimal:
    return Decimal(text.decode())


def _uuid(text: bytes) -> UUID:
    return UUID(text.decode())


#: what reads the types that a key can have, by their names and numbers in the catalog
KEY_TYPES: dict[str, tuple[int, Read]] = {
    'bool': (16, _bool),
    'int8': (20, int),
    'int2': (21, int),
    'int4': (23, int),
    'text': (25, bytes.decode),
    'bpchar': (1042, bytes.decode),
    'varchar': (1043, bytes.decode),
    'date': (1082, _date),
    'numeric': (1700, _numeric),
    'uuid': (2950, _uuid),
}
_BY_NUMBER = dict(KEY_TYPES.values())


def reader_of(number: int) -> Read | None:
    """Return what reads values of a built-in type; None if a key cannot have it."""
    return _BY_NUMBER.get(number)
