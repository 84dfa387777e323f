"""The default text encoding: one setting, used both for writing and for reading.

Key names and field names are always UTF-8; this encoding is for stored values only.
"""

from __future__ import annotations

import codecs
import sys
from typing import Any

__all__ = ('getDefaultIREncoding', 'setDefaultIREncoding', 'to_unicode', 'tobytes')


def _system_encoding() -> str:
    encoding = sys.getdefaultencoding()
    return 'utf-8' if encoding == 'ascii' else encoding


_default = _system_encoding()
_is_utf8 = codecs.lookup(_default).name == 'utf-8'


def setDefaultIREncoding(encoding: str) -> None:
    """Set the encoding of text fields that name none of their own.

    :param encoding: name of a codec that turns text into bytes, such as ``'utf-8'``
    :raises ValueError: if there is no such codec
    """
    global _default, _is_utf8
    try:
        codec = codecs.lookup(encoding)
        text_codec = isinstance(codec.encode('')[0], bytes)
    except (LookupError, TypeError) as exc:
        raise ValueError(f'{encoding!r} is not an encoding that Python knows.') from exc
    if not text_codec:
        raise ValueError(f'{encoding!r} does not turn text into bytes; use one such as utf-8.')
    _default, _is_utf8 = encoding, codec.name == 'utf-8'


def getDefaultIREncoding() -> str:
    """Return the present default encoding."""
    return _default


def is_utf8() -> bool:
    """Whether the default encoding is UTF-8, however its name is spelled."""
    return _is_utf8


def to_unicode(value: Any, encoding: str | None = None) -> str:
    """Return ``value`` as text: bytes are decoded, everything else goes through ``str()``.

    :param value: anything
    :param encoding: encoding of bytes; ``None`` means the default one
    """
    if isinstance(value, bytes):
        return value.decode(encoding or _default)
    return str(value)


def tobytes(value: Any, encoding: str | None = None) -> bytes:
    """Return ``value`` as bytes: bytes are kept, text is encoded.

    :param value: bytes or text
    :param encoding: encoding of text; ``None`` means the default one
    :raises AttributeError: for anything that has no ``encode``, as in 6.0.3
    """
    if isinstance(value, bytes):
        return value
    encoded: bytes = value.encode(encoding or _default)
    return encoded
