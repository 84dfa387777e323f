"""``IRDatetimeField``: moments, on request with a time zone and with microseconds.

The rule: a moment has one stored form. Aware moments are stored in UTC, with the offset ``+00:00``.
"""

from __future__ import annotations

import datetime
import functools
from typing import Any, Unpack

from ...generics import I, N
from ..base.field import Listed
from ..FieldValueTypes import IRDatetimeValue, naive_moment
from ..null import irNull
from ..values.moment import moment_of_text, moment_score, plain_datetime
from ..values.value_type import ASCII, ascii_text
from .conversion_field import ConversionField

__all__ = ('IRDatetimeField',)


class IRDatetimeField(ConversionField[datetime.datetime, N, I]):
    """A field of moments.

    Without ``aware`` and ``microseconds`` it stores the same as ``IRField(valueType=datetime)``.

    :param name: name of the field
    :param aware: take aware moments only, store them in UTC, and return them in UTC. Assign an
        aware datetime, or text in ISO 8601 with an offset.
    :param microseconds: store microseconds; else they are dropped
    :param defaultValue: the default value
    :param hashIndex: whether index keys hold the md5 of the value
    """

    def __init__(
        self,
        name: str = '',
        aware: bool = False,
        microseconds: bool = False,
        defaultValue: Any = irNull,
        hashIndex: bool = False,
        **listed: Unpack[Listed],
    ) -> None:
        self.aware, self.microseconds = bool(aware), bool(microseconds)
        convert = functools.partial(_moment, self.aware, self.microseconds)
        store = _with_microseconds if microseconds else str
        conversion = ASCII(
            convert,
            store,
            convert,
            can_index=True,
            eager=False,
            canonical=True,
            score=moment_score,
        )
        super().__init__(name, conversion, IRDatetimeValue, defaultValue, hashIndex, **listed)

    def _properties(self) -> list[tuple[str, Any]]:
        shown = [('aware', self.aware), ('microseconds', self.microseconds)]
        return [*shown, *super()._properties()[1:]]


def _moment(aware: bool, microseconds: bool, value: Any) -> datetime.datetime:
    moment = _aware_moment(value) if aware else naive_moment(value)
    return moment if microseconds else moment.replace(microsecond=0)


def _aware_moment(value: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        moment = plain_datetime(value)
    else:
        moment = moment_of_text(ascii_text(value, 'an aware datetime'))
    if moment.utcoffset() is None:
        raise ValueError(
            'it has no zone, so it does not say which moment it is. Assign an aware datetime, such '
            'as value.replace(tzinfo=datetime.timezone.utc)'
        )
    return moment.astimezone(datetime.UTC)


def _with_microseconds(value: datetime.datetime) -> str:
    return value.isoformat(' ', 'microseconds')
