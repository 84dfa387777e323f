"""``IRDecimalField``: exact decimal numbers, on request with fixed decimal places."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..null import irNull
from ..values.decimal import TYPE, with_places
from .conversion_field import ConversionField

__all__ = ('IRDecimalField',)


class IRDecimalField(ConversionField):
    """A field of Decimals. Values that are not exact are refused.

    :param name: name of the field
    :param decimalPlaces: store and return that many decimal places, and refuse values that have
        more; None, the default, leaves zeros at the end out, as ``valueType=Decimal`` does
    :param defaultValue: the default value
    :param hashIndex: whether index keys hold the md5 of the value
    :raises ValueError: if ``decimalPlaces`` is negative
    """

    def __init__(
        self,
        name: str = '',
        decimalPlaces: int | None = None,
        defaultValue: Any = irNull,
        hashIndex: bool = False,
    ) -> None:
        if decimalPlaces is not None and decimalPlaces < 0:
            raise ValueError(f'{name!r}: decimalPlaces={decimalPlaces!r} is negative; use 0.')
        self.decimalPlaces = decimalPlaces
        conversion = TYPE if decimalPlaces is None else with_places(decimalPlaces)
        super().__init__(name, conversion, Decimal, defaultValue, hashIndex)

    def _properties(self) -> list[tuple[str, Any]]:
        return [('decimalPlaces', self.decimalPlaces), *super()._properties()[1:]]
