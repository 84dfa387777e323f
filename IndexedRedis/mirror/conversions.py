"""Conversions of SQL values to what a field takes.

The rule: a converted value is exact, or the row is refused.
"""

from __future__ import annotations

import datetime
import enum
import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import JSON, Enum, TypeDecorator
from sqlalchemy.engine.default import DefaultDialect

from .. import irNull
from ..errors import FieldValueError
from ..fields import IRDatetimeValue, IREnumField, IRJsonValue
from ..fields.values.moment import moment_of_text

__all__ = ('Conversion', 'FieldEncoder', 'conversion', 'is_zero_date')

Convert = Callable[[Any], Any]

# Stored forms of one field that are remembered.
MEMO_ENTRIES = 2048

# Enum columns convert members alike for every dialect.
_DIALECT = DefaultDialect()
_ZERO_DATE = re.compile(r'0000-00-00( 00:00:00(\.0+)?)?')
# What a datetime is converted from; a date and a datetime are dates.
_MOMENTS = (str, int, float, Decimal, datetime.date)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Conversion(NamedTuple):
    """What converts values of some types for a field; values of other types fit as they are."""

    types: tuple[type, ...]
    convert: Convert


class FieldEncoder:
    """Encodes the values that SQL has for one field; refuses those that do not come back.

    :param column: the column of the model
    :param conversion: what adapts values; None if all fit
    """

    def __init__(self, column: Any, conversion: Conversion | None) -> None:
        self._column, self._conversion = column, conversion
        self._encode = lru_cache(MEMO_ENTRIES)(column.encode) if column.canonical else column.encode
        #: the types of the values that were read back
        self._kinds: set[type] = set()

    def adapted(self, value: Any) -> Any:
        """Return what to assign for a value.

        :raises FieldValueError: if the field cannot hold it
        """
        if value is None:
            return irNull
        if self._conversion is None or not isinstance(value, self._conversion.types):
            return value
        try:
            return self._conversion.convert(value)
        except FieldValueError as error:
            raise FieldValueError(f'{self._column.label}: {error}') from None

    def value_of(self, value: Any) -> Any:
        """Return the value that the attribute has then."""
        return self._column.from_input(self.adapted(value))

    def __call__(self, value: Any, again: bool = False) -> bytes:
        """Return the stored bytes. The first value of each type is read back.

        :param again: whether to read it back in any case
        :raises FieldValueError: if there are none, or they read as another value
        """
        kept = self.value_of(value)
        stored: bytes = self._encode(kept)
        if again or type(value) not in self._kinds:
            self._compare(kept, stored)
            self._kinds.add(type(value))
        return stored

    def _compare(self, value: Any, stored: bytes) -> None:
        try:
            back = self._column.field.fromStorage(stored)
            if comes_back(value, back, lambda: self._column.encode(back) == stored):
                return
            problem = f'reads as {back!r}'
        except Exception as error:  # a field type may raise anything
            problem = f'cannot be read: {error}'
        raise FieldValueError(
            f'{self._column.label}: {value!r} does not come back: its stored form {stored!r} '
            f'{problem}. Use another field.'
        )


def conversion(
    field: Any, sql_type: Any, decoded: bool = False, epoch: bool = False, zero_dates: str = ''
) -> Conversion | None:
    """Return what converts the values of a column for a field; None if all fit as they are.

    :param sql_type: the SQLAlchemy type of the column; None if it is unknown
    :param decoded: whether the driver decodes the column from JSON
    :param epoch: whether numbers are seconds since 1970 in UTC
    :param zero_dates: what becomes of the date 0000-00-00; empty if the database has none
    """
    first = getattr(field, 'chainedFields', [field])[0]
    kind = first.valueType
    while isinstance(sql_type, TypeDecorator):
        sql_type = sql_type.impl_instance
    if kind is IRDatetimeValue:
        convert = _to_moment(getattr(first, 'aware', False), epoch)
        return Conversion(_MOMENTS, _of_zero_date(zero_dates, convert) if zero_dates else convert)
    if kind is datetime.date:
        return Conversion((str,), _of_zero_date(zero_dates, None)) if zero_dates else None
    if kind is datetime.time:
        return Conversion((datetime.timedelta,), _to_time)
    if isinstance(sql_type, Enum):
        return Conversion((enum.Enum,), _of_enum(first, sql_type))
    if (decoded or isinstance(sql_type, JSON)) and kind in (str, IRJsonValue):
        of_text = kind is str
        return Conversion((object,), _json_text) if of_text else Conversion((str,), _json_value)
    return Conversion((memoryview, bytearray), _to_bytes) if kind in (None, str) else None


def _to_moment(aware: bool, epoch: bool) -> Convert:
    """Return what converts a DATE to its midnight, and text in ISO 8601 to its moment.

    An aware moment stays aware for a field of aware ones, and becomes UTC for the others.
    """

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            value = _moment_of_text(value)
        if isinstance(value, (int, float, Decimal)):
            value = _moment_of_number(value, epoch)
        if isinstance(value, datetime.datetime):
            naive = value.tzinfo is None or aware
            return value if naive else _in_utc(value)
        if isinstance(value, datetime.date):
            return datetime.datetime(value.year, value.month, value.day)
        return value

    return convert


def _in_utc(moment: datetime.datetime) -> datetime.datetime:
    try:
        return moment.astimezone(datetime.UTC).replace(tzinfo=None)
    except OverflowError:
        raise FieldValueError(
            f'cannot hold {str(moment)!r}: in UTC its year is not one from 1 to 9999. Convert it '
            'in the select.'
        ) from None


def _moment_of_text(text: str) -> datetime.datetime:
    try:
        return moment_of_text(text)
    except ValueError as exc:
        raise FieldValueError(f'cannot hold {text!r}: {exc}. Convert it in the select.') from None


def _moment_of_number(number: Any, epoch: bool) -> datetime.datetime:
    if not epoch:
        raise FieldValueError(
            f'cannot hold {number!r}: a number is no moment. Convert it in the select, such as by '
            "to_timestamp(x), FROM_UNIXTIME(x) or datetime(x, 'unixepoch'). If it is seconds since "
            '1970 in UTC, name the field in epochs=.'
        )
    try:
        return _EPOCH + datetime.timedelta(microseconds=round(number * 10**6))
    except (ValueError, ArithmeticError) as exc:
        raise FieldValueError(f'cannot hold {number!r}: it is no moment ({exc}).') from None


def _of_zero_date(rule: str, convert: Convert | None) -> Convert:
    """Return what treats the date 0000-00-00 by the rule, and converts others.

    Drivers return it as text, since Python has no such date.
    """

    def convert_date(value: Any) -> Any:
        if is_zero_date(value):
            if rule == 'null':
                return irNull
            raise FieldValueError(
                f"cannot hold {value!r}, which is no date. zeroDates='null' makes null of it."
            )
        return convert(value) if convert else value

    return convert_date


def is_zero_date(value: Any) -> bool:
    """Return whether a value of a driver is the date 0000-00-00, with or without a time."""
    return type(value) is str and _ZERO_DATE.fullmatch(value) is not None


def _to_time(value: datetime.timedelta) -> datetime.time:
    """Return the time of day that the TIME of MySQL is, which drivers give as a timedelta."""
    if not datetime.timedelta(0) <= value < datetime.timedelta(days=1):
        raise FieldValueError(
            f'cannot hold {value!r}: it is no time of day. Use a field of '
            'valueType=datetime.timedelta.'
        )
    return (datetime.datetime.min + value).time()


def _of_enum(field: Any, sql_type: Enum) -> Convert:
    """Return what converts members of a Python enum to the text that SQL stores.

    A field of the same enum takes members as they are.
    """
    store: Any = sql_type.bind_processor(_DIALECT)  # type: ignore[no-untyped-call]
    own = field.enumClass if isinstance(field, IREnumField) else ()

    def convert(value: Any) -> Any:
        return store(value) if store and not isinstance(value, own) else value

    return convert


def _json_value(value: str) -> Any:
    """Return a decoded JSON text for a field that would decode it once more."""
    return IRJsonValue(json.dumps(value))


def _json_text(value: Any) -> Any:
    raise FieldValueError(
        f'cannot hold {value!r}: it comes from a JSON column. Cast the column to text in the '
        'select, or use a field of valueType=dict.'
    )


def _to_bytes(value: memoryview | bytearray) -> bytes:
    """Return the bytes of what some drivers give as a BLOB."""
    return bytes(value)


def comes_back(value: Any, back: Any, same_bytes: Callable[[], bool]) -> bool:
    """Return whether a value was read back from its stored form.

    :param same_bytes: whether what was read has the same stored form. It decides for values that
        do not equal themselves or compare by identity, and for fields that return bytes.
    """
    if back == value:
        return True
    kind: Any = type(value)
    by_identity = kind.__eq__ is object.__eq__ or value != value  # noqa: PLR0124
    return (by_identity or isinstance(back, bytes)) and same_bytes()
