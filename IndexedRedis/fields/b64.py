"""``IRBase64Field``: bytes stored as base64."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64  # base64, which calls these, imports more
from typing import Any

from ..encoding import tobytes
from ..generics import I, N
from .base import immutable_value
from .bytes_field import IRBytesField

__all__ = ('IRBase64Field',)


class IRBase64Field(IRBytesField[N, I]):
    """A field of bytes, stored as base64; its index keys always hold an md5.

    :param name: name of the field
    :param defaultValue: the default value
    :param encoding: encoding of assigned text; None means the default one
    """

    def _toStorage(self, value: Any) -> Any:
        return b2a_base64(tobytes(value, self.encoding), newline=False)

    def _legacyIndexes(self, stored: bytes) -> list[Any]:
        # Updates by 6.0.3 encode the stored bytes once more.
        return [self.toIndex(stored)]

    @immutable_value(eager=True)
    def _fromStorage(self, stored: Any) -> Any:
        # Strictly: lenient decoding would return other bytes for damaged ones.
        return a2b_base64(tobytes(stored, 'ascii').replace(b'\n', b''), strict_mode=True)
