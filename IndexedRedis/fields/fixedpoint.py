"""``IRFixedPointField``: a float of so many decimal places, which makes it indexable."""

from __future__ import annotations

from typing import Any

from .base import IRField, immutable_value
from .null import irNull

__all__ = ('IRFixedPointField',)


class IRFixedPointField(IRField):
    """A field of floats, rounded and stored with a fixed number of decimal places.

    :param name: name of the field
    :param decimalPlaces: how many; a later change of the attribute takes effect at once
    :param defaultValue: value where none is given
    """

    CAN_INDEX = True

    def __init__(self, name: str = '', decimalPlaces: int = 5, defaultValue: Any = irNull) -> None:
        super().__init__(name, valueType=float, defaultValue=defaultValue)
        self.CAN_INDEX = True
        self.decimalPlaces = decimalPlaces

    def _fromInput(self, value: Any) -> Any:
        # Adding zero makes -0.0 the one and only zero.
        return round(float(value), self.decimalPlaces) + 0.0

    def _toStorage(self, value: Any) -> Any:
        return f'{self._fromInput(value):.{self.decimalPlaces}f}'

    @immutable_value(eager=True)
    def _fromStorage(self, stored: Any) -> Any:
        return self._fromInput(stored)

    def _otherIndexes(self, value: Any) -> list[str]:
        """6.0.3 stored and indexed what rounds to zero from below as ``-0.00``."""
        return ['-' + self._toStorage(value)] if value == 0 else []

    def _properties(self) -> list[tuple[str, Any]]:
        return [
            ('decimalPlaces', self.decimalPlaces),
            ('defaultValue', repr(self.defaultValue)),
        ]
