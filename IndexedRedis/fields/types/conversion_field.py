"""``ConversionField``: the base of fields that differ from ``IRField`` in their conversion only."""

from __future__ import annotations

from typing import Any, Unpack

from ...generics import I, N, T
from ..base import IRField
from ..base.field import Listed
from ..null import irNull
from ..values.value_type import ValueType

__all__ = ('ConversionField',)


class ConversionField(IRField[T, N, I]):
    """A field with a conversion of its own.

    :param name: name of the field
    :param conversion: how values are converted
    :param valueType: the type of the values
    :param defaultValue: the default value
    :param hashIndex: whether index keys hold the md5 of the value
    """

    def __init__(
        self,
        name: str,
        conversion: ValueType,
        valueType: Any,
        defaultValue: Any = irNull,
        hashIndex: bool = False,
        **listed: Unpack[Listed],
    ) -> None:
        super().__init__(name, None, defaultValue, hashIndex, **listed)
        self.valueType, self._conversion = valueType, conversion
        self.CAN_INDEX = conversion.can_index

    @property
    def canChooseHash(self) -> bool:
        """True: ``hashIndex`` can be chosen."""
        return True
