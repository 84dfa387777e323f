"""``IRRawField``: values stored without conversion and fetched as bytes. It has no null."""

from __future__ import annotations

from typing import Any

from ..generics import I, N
from .base import IRField, immutable_value
from .base.conversions import plain_from_input, plain_to_storage
from .null import irNull

__all__ = ('IRRawField',)


class IRRawField(IRField[Any, N, I]):
    """A field that is stored as assigned and fetched as bytes; it cannot be indexed.

    :param name: name of the field
    """

    CAN_INDEX = False

    def __init__(self, name: str = '') -> None:
        super().__init__(name, valueType=None, defaultValue='')

    def toStorage(self, value: Any) -> Any:
        """Return bytes and text unchanged, numbers as text, and irNull as no bytes."""
        return b'' if value is irNull else plain_to_storage(value)

    def fromInput(self, value: Any) -> Any:
        """Return the value unchanged.

        :raises TypeError: if Redis cannot store it without conversion
        """
        return value if value is irNull else plain_from_input(value)

    @immutable_value(eager=True)
    def fromStorage(self, stored: Any) -> Any:
        """Return the stored bytes."""
        return stored

    @immutable_value(eager=True)
    def _fromStorage(self, stored: Any) -> Any:
        return stored

    def _properties(self) -> list[tuple[str, Any]]:
        return [('defaultValue', repr(self.defaultValue))]
