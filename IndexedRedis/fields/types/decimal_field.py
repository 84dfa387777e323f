"""``IRDecimalField``: exact decimal numbers, on request with fixed decimal places."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Unpack

from ...generics import I, N
from ..base import IRField
from ..base.field import Listed
from ..null import irNull

__all__ = ('IRDecimalField',)


class IRDecimalField(IRField[Decimal, N, I]):
    """A field of Decimals: ``IRField(valueType=Decimal)``. Values that are not exact are refused.

    :param name: name of the field
    :param decimalPlaces: store and return that many decimal places, and refuse values that have
        more; None, the default, leaves zeros at the end out
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
        **listed: Unpack[Listed],
    ) -> None:
        super().__init__(name, Decimal, defaultValue, hashIndex, decimalPlaces, **listed)

    @property
    def canChooseHash(self) -> bool:
        """True: ``hashIndex`` can be chosen."""
        return True
