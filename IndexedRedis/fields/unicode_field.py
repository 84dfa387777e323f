"""``IRUnicodeField``: text in a chosen encoding."""

from __future__ import annotations

import codecs
from typing import Any, Unpack

from ..encoding import getDefaultIREncoding, to_unicode, tobytes
from ..generics import I, N
from .base import IRField, immutable_value
from .base.conversions import text_from_input
from .base.field import Listed
from .null import irNull

__all__ = ('IRUnicodeField',)


class IRUnicodeField(IRField[str, N, I]):
    """A field of text; its index keys always hold an md5.

    :param name: name of the field
    :param encoding: encoding of the stored bytes; None means the default one at the time of use
    :param defaultValue: the default value
    :raises ValueError: if Python does not know the encoding
    """

    CAN_INDEX = True
    valueClass = str
    hashIndex = True

    def __init__(
        self,
        name: str = '',
        encoding: str | None = None,
        defaultValue: Any = irNull,
        **listed: Unpack[Listed],
    ) -> None:
        super().__init__(name, valueType=str, defaultValue=defaultValue, hashIndex=True, **listed)
        if encoding is not None:
            try:
                codecs.lookup(encoding)
            except LookupError as exc:
                raise ValueError(
                    f'{name!r}: {encoding!r} is no encoding of Python; use one such as utf-8.'
                ) from exc
        self.encoding = encoding

    def getEncoding(self) -> str:
        """Return the field's encoding, or the default one."""
        return self.encoding or getDefaultIREncoding()

    def toBytes(self, value: Any) -> bytes:
        """Return text as bytes in the field's encoding, and bytes unchanged."""
        return tobytes(value, self.getEncoding())

    def _fromInput(self, value: Any) -> Any:
        return text_from_input(value, self.getEncoding())

    def _toStorage(self, value: Any) -> Any:
        return self.toBytes(value)

    @immutable_value(eager=True)
    def _fromStorage(self, stored: Any) -> Any:
        return to_unicode(stored, self.getEncoding())

    def _properties(self) -> list[tuple[str, Any]]:
        return [('encoding', repr(self.encoding)), ('defaultValue', repr(self.defaultValue))]
