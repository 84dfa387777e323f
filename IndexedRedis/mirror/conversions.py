"""Conversions of SQL values to what a field takes.

The rule: a converted value is exact, or the row is refused.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable
from typing import Any

from sqlalchemy import Enum
from sqlalchemy.engine.default import DefaultDialect

from ..errors import FieldValueError

__all__ = ('conversion',)

# Enum columns convert members alike for every dialect.
_DIALECT = DefaultDialect()


def conversion(field: Any, sql_type: Any) -> Callable[[Any], Any] | None:
    """Return what converts the values of a column for a field; None if they fit as they are.

    :param sql_type: the SQLAlchemy type of the column; None if it is unknown
    """
    first = getattr(field, 'chainedFields', [field])[0]
    kind = first.valueType
    if isinstance(kind, type) and issubclass(kind, datetime.datetime):
        return _to_datetime
    if isinstance(sql_type, Enum):
        return _enum_text(sql_type)
    return _to_bytes if kind in (None, str) else None


def _to_datetime(value: Any) -> Any:
    """Return a DATE as its midnight, an aware moment in UTC without zone, and ISO 8601 likewise.

    :raises FieldValueError: for other text, and for numbers, whose unit and zone SQL does not say
    """
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            raise FieldValueError(
                f'cannot hold {value!r}: it is no moment in ISO 8601. Convert it in the select.'
            ) from None
    if isinstance(value, datetime.datetime):
        utc = datetime.UTC
        return value if value.tzinfo is None else value.astimezone(utc).replace(tzinfo=None)
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    if isinstance(value, (int, float)):
        raise FieldValueError(
            f'cannot hold {value!r}: a number is no moment. Convert it in the select, such as by '
            "to_timestamp(x), FROM_UNIXTIME(x) or datetime(x, 'unixepoch')."
        )
    return value


def _enum_text(sql_type: Enum) -> Callable[[Any], Any]:
    """Return what converts members of a Python enum to the text that SQL stores."""
    store = sql_type.bind_processor(_DIALECT)
    return lambda value: store(value) if store and isinstance(value, enum.Enum) else value


def _to_bytes(value: Any) -> Any:
    """Return the bytes of a memoryview or bytearray, as some drivers give BLOBs."""
    return bytes(value) if isinstance(value, (memoryview, bytearray)) else value
