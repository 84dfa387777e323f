"""How Django stores the types that databases lack: what SQLAlchemy has to make of a column."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa

__all__ = ('sql_type',)


class _Moment(sa.TypeDecorator[datetime.datetime]):
    """A moment. With ``USE_TZ`` Django stores UTC where the database has no time zones."""

    impl = sa.DateTime
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """Return the moment with its zone."""
        from django.conf import settings

        if value is None or value.tzinfo is not None or not settings.USE_TZ:
            return value
        return value.replace(tzinfo=datetime.UTC)


class _Duration(sa.TypeDecorator[datetime.timedelta]):
    """A time span: whole microseconds where the database has no intervals."""

    impl = sa.types.NullType
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """Return the time span."""
        return datetime.timedelta(microseconds=value) if isinstance(value, int) else value


_TYPES: dict[str, Any] = {
    'BinaryField': sa.LargeBinary,
    'BooleanField': sa.Boolean,
    'DateField': sa.Date,
    'DateTimeField': _Moment,
    'DurationField': _Duration,
    'JSONField': sa.JSON,
    'TimeField': sa.Time,
    'UUIDField': sa.Uuid,
}


def sql_type(field: Any) -> Any:
    """Return the type of a column; None: as the driver returns it.

    Types of one's own count as what they are stored as; ``from_db_value`` is not called.
    """
    kind = field.get_internal_type()
    if kind == 'DecimalField':
        return sa.Numeric(field.max_digits, field.decimal_places)
    return _TYPES.get(kind)
