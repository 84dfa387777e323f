"""How Django stores the types that databases lack: what SQLAlchemy has to make of a column."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa

__all__ = ('sql_type',)


class _Moment(sa.TypeDecorator[datetime.datetime]):
    """A moment. Where the database has no time zones, Django stores it without one.

    :param zone: the zone that Django means; None without ``USE_TZ``
    """

    impl = sa.DateTime
    cache_ok = True

    def __init__(self, zone: datetime.tzinfo | None) -> None:
        super().__init__(timezone=True)
        self.zone = zone

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        """Return the moment as the database stores it."""
        if value is None or value.tzinfo is None or dialect.name == 'postgresql':
            return value
        return value.astimezone(self.zone).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """Return the moment with its zone."""
        if value is None or value.tzinfo is not None or self.zone is None:
            return value
        return value.replace(tzinfo=self.zone)


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
    'DurationField': _Duration,
    'JSONField': sa.JSON,
    'TimeField': sa.Time,
    'UUIDField': sa.Uuid,
}


def sql_type(field: Any, zone: datetime.tzinfo | None) -> Any:
    """Return the type of a column; None: as the driver returns it.

    Types of one's own count as what they are stored as; ``from_db_value`` is not called.

    :param zone: of moments that the database stores without one; None without ``USE_TZ``
    """
    kind = field.get_internal_type()
    if kind == 'DateTimeField':
        return _Moment(zone)
    if kind == 'DecimalField':
        return sa.Numeric(field.max_digits, field.decimal_places)
    return _TYPES.get(kind)
