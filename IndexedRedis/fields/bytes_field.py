"""``IRBytesField``: bytes, stored as they are."""

from __future__ import annotations

from typing import Any, Unpack

from ..encoding import tobytes
from ..generics import I, N
from .base import IRField, immutable_value
from .base.conversions import refuse_null_text
from .base.field import Listed
from .null import irNull

__all__ = ('IRBytesField', 'bytes_or_text')


def bytes_or_text(value: Any) -> Any:
    """Return text unchanged, and any kind of bytes as ``bytes``.

    :raises TypeError: if ``value`` is neither text nor bytes
    :raises ValueError: if ``value`` means null in the database
    """
    if isinstance(value, (bytearray, memoryview)):
        value = bytes(value)
    if isinstance(value, (str, bytes)):
        return refuse_null_text(value)
    raise TypeError(f'needs bytes or text, not {type(value).__name__}')


class IRBytesField(IRField[bytes, N, I]):
    """A field of bytes; its index keys always hold an md5.

    :param name: name of the field
    :param defaultValue: the default value
    :param encoding: encoding of assigned text; None means the default one
    """

    CAN_INDEX = True
    valueClass = bytes
    hashIndex = True

    def __init__(
        self,
        name: str = '',
        defaultValue: Any = irNull,
        encoding: str | None = None,
        **listed: Unpack[Listed],
    ) -> None:
        super().__init__(name, valueType=bytes, defaultValue=defaultValue, hashIndex=True, **listed)
        self.CAN_INDEX = True
        self.encoding = encoding

    def _fromInput(self, value: Any) -> Any:
        return tobytes(bytes_or_text(value), self.encoding)

    def _toStorage(self, value: Any) -> Any:
        return tobytes(value, self.encoding)

    @immutable_value(eager=True)
    def _fromStorage(self, stored: Any) -> Any:
        return tobytes(stored, self.encoding)

    def _properties(self) -> list[tuple[str, Any]]:
        return [('defaultValue', repr(self.defaultValue)), ('encoding', repr(self.encoding))]
