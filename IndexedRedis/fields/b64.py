"""``IRBase64Field``: bytes that are stored as base64."""

from __future__ import annotations

import base64
from typing import Any

from ..encoding import tobytes
from .base import immutable_value
from .bytes_field import IRBytesField

__all__ = ('IRBase64Field',)


class IRBase64Field(IRBytesField):
    """A field of bytes that is stored as base64 (nothing as nothing); always indexed by md5.

    :param name: name of the field
    :param defaultValue: value where none is given
    :param encoding: encoding of text that is assigned; None means the default one
    """

    def _toStorage(self, value: Any) -> Any:
        return base64.b64encode(tobytes(value, self.encoding))

    def _legacyIndexes(self, stored: bytes) -> list[Any]:
        # Its updates encoded what was encoded already.
        return [self.toIndex(stored)]

    @immutable_value(eager=True)
    def _fromStorage(self, stored: Any) -> Any:
        # Strictly, since lenient decoding turns damage into other bytes.
        return base64.b64decode(tobytes(stored, 'ascii').replace(b'\n', b''), validate=True)
