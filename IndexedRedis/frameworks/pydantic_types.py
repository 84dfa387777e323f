"""The types that pydantic shows fields as, and the values that it gets for them."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable
from typing import Annotated, Any

from ..encoding import tobytes
from ..fields import IRField, IRFieldChain, IRForeignLinkFieldBase, IRRawField, irNull
from ..fields.base.conversions import class_of
from ..fields.values.text import ADDRESSES, plain_notation

__all__ = ('as_shown', 'type_of')

# Types that pydantic writes exactly, apart from those whose modules a program may not need.
_EXACT = (str, int, float, bool, bytes, datetime.datetime, datetime.date, datetime.time)
_EXACT_BY_NAME = {'uuid.UUID', *ADDRESSES}
# From here on a float of seconds does not tell all microseconds apart.
_INEXACT = datetime.timedelta(microseconds=2**53)
_HOOKS = {'fromInput', '_fromInput', 'fromStorage', '_fromStorage', 'toStorage', '_toStorage'}


def type_of(field: Any) -> Any:
    """Return the type that pydantic shows a field as.

    ``Any`` stands for values of any type. JSON then has those that it knows, and pydantic refuses
    the others.
    """
    if isinstance(field, IRForeignLinkFieldBase):
        return list[int | None] | None if field.isMulti() else int | None
    first = _leftmost(field)
    if isinstance(first, IRRawField):
        return bytes
    kind = Any if _is_own(first) else _type_of_values(first)
    return Any if kind is Any else kind | None if field.nullable else kind


def as_shown(field: Any, value: Any) -> Any:
    """Return the value that pydantic gets for one of a field that is no link."""
    first = _leftmost(field)
    if value is irNull and not isinstance(first, IRRawField):
        return None
    if first.valueType is bytes:  # text that was assigned, and not saved yet
        return tobytes(value, getattr(first, 'encoding', None))
    if _is_plain(first):  # as a fetch returns it
        return tobytes(first.toStorage(value))
    return value


def _leftmost(field: Any) -> Any:
    return field.chainedFields[0] if isinstance(field, IRFieldChain) else field


def _is_plain(field: Any) -> bool:
    """Whether values are stored without conversion, and fetched as bytes."""
    return isinstance(field, IRRawField) or (type(field) is IRField and field.valueType is None)


def _is_own(field: Any) -> bool:
    """Whether a class of the user's converts the values."""
    ours = __name__.partition('.')[0]
    return any(
        not cls.__module__.startswith(f'{ours}.') and not _HOOKS.isdisjoint(vars(cls))
        for cls in type(field).__mro__
        if issubclass(cls, IRField)
    )


def _type_of_values(field: Any) -> Any:
    if _is_plain(field):
        return bytes
    kind = class_of(field.valueType)
    if kind is Any:  # pickled, or json
        return Any
    name = f'{kind.__module__}.{kind.__qualname__}'
    if kind in _EXACT or name in _EXACT_BY_NAME or issubclass(kind, enum.Enum):
        return kind
    if name in _WRITTEN:
        return Annotated[kind, _written(*_WRITTEN[name])]
    return Annotated[Any, _written(str, str)]  # as it is stored


def _written(by: Callable[[Any], Any], into: type) -> Any:
    """Return what makes pydantic write a value to JSON by a function."""
    from pydantic import PlainSerializer

    return PlainSerializer(by, return_type=into, when_used='json-unless-none')


def _seconds(value: datetime.timedelta) -> float:
    if abs(value) >= _INEXACT:
        raise ValueError(f'a JSON number of seconds does not hold {value!r} exactly')
    return value.total_seconds()


# pydantic would write large Decimals with an exponent, and the days of a timedelta as years.
_WRITTEN: dict[str, tuple[Callable[[Any], Any], type]] = {
    'decimal.Decimal': (plain_notation, str),
    'datetime.timedelta': (_seconds, float),
}
