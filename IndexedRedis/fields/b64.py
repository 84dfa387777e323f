"""``IRBase64Field``: bytes stored as base64."""

from __future__ import annotations

import base64
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
        return base64.b64encode(tobytes(value, self.encoding))

    def _legacyIndexes(self, stored: bytes) -> list[Any]:
        # Updates by 6.0.3 encode the stored bytes once more.
        return [self.toIndex(stored)]

    @immutable_value(eager=True)
    def _fromStorage(self, stored: Any) -> Any:
        # Strictly: lenient decoding would return other bytes for damaged ones.
        return base64.b64decode(tobytes(stored, 'ascii').replace(b'\n', b''), validate=True)
