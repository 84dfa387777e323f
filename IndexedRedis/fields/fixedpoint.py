"""``IRFixedPointField``: floats of a fixed number of decimal places, which can be indexed."""

from __future__ import annotations

from typing import Any, Unpack

from ..generics import I, N
from .base import IRField, immutable_value
from .base.field import Listed
from .null import irNull
from .values.exact import digits_of, exact_float, is_decimal

__all__ = ('IRFixedPointField',)


class IRFixedPointField(IRField[float, N, I]):
    """A field of floats, rounded and stored with a fixed number of decimal places.

    A Decimal is rounded half to even from its exact value, a float or text as a float. For exact
    numbers use :class:`IRDecimalField`.

    :param name: name of the field
    :param decimalPlaces: number of decimal places; a change of this attribute takes effect at once
    :param defaultValue: the default value
    """

    CAN_INDEX = True
    valueClass = float

    def __init__(
        self,
        name: str = '',
        decimalPlaces: int = 5,
        defaultValue: Any = irNull,
        **listed: Unpack[Listed],
    ) -> None:
        super().__init__(name, valueType=float, defaultValue=defaultValue, **listed)
        self.CAN_INDEX = True
        self.decimalPlaces = decimalPlaces

    def _fromInput(self, value: Any) -> Any:
        if is_decimal(value):
            value = exact_float(type(value)(digits_of(value, self.decimalPlaces)))
        elif isinstance(value, int):
            value = exact_float(value)
        # Adding zero turns -0.0 into 0.0.
        return round(float(value), self.decimalPlaces) + 0.0

    def _toStorage(self, value: Any) -> Any:
        return f'{self._fromInput(value):.{self.decimalPlaces}f}'

    @immutable_value(eager=True)
    def _fromStorage(self, stored: Any) -> Any:
        return self._fromInput(stored)

    def _otherIndexes(self, value: Any) -> list[str]:
        """Return the index value ``-0.00``, under which 6.0.3 lists values rounded up to zero."""
        return ['-' + self._toStorage(value)] if value == 0 else []

    def _properties(self) -> list[tuple[str, Any]]:
        return [
            ('decimalPlaces', self.decimalPlaces),
            ('defaultValue', repr(self.defaultValue)),
        ]
