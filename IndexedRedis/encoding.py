"""The default text encoding: that of stored values, for reads and writes.

Names of keys and fields are always UTF-8.
"""

from __future__ import annotations

import codecs
import sys
from typing import Any

__all__ = ('getDefaultIREncoding', 'setDefaultIREncoding', 'to_unicode', 'tobytes')


def _system_encoding() -> str:
    encoding: str = sys.getdefaultencoding()
    return 'utf-8' if encoding == 'ascii' else encoding


_default = _system_encoding()
_is_utf8 = codecs.lookup(_default).name == 'utf-8'


def setDefaultIREncoding(encoding: str) -> None:
    """Set the default encoding: that of text fields without an encoding of their own.

    :param encoding: name of a text encoding of Python, such as ``'utf-8'``
    :raises ValueError: if there is no such encoding
    """
    global _default, _is_utf8
    try:
        codec = codecs.lookup(encoding)
        text_codec = isinstance(codec.encode('')[0], bytes)
    except (LookupError, TypeError) as exc:
        raise ValueError(f'{encoding!r} is no encoding of Python. Use one such as utf-8.') from exc
    if not text_codec:
        raise ValueError(f'{encoding!r} does not encode text to bytes. Use one such as utf-8.')
    _default, _is_utf8 = encoding, codec.name == 'utf-8'


def getDefaultIREncoding() -> str:
    """Return the default encoding, as it was set."""
    return _default


def is_utf8() -> bool:
    """Return whether the default encoding is UTF-8, under any of its names."""
    return _is_utf8


def to_unicode(value: Any, encoding: str | None = None) -> str:
    """Return a value as text: bytes are decoded, other values go through ``str()``.

    :param value: any value
    :param encoding: encoding of bytes; None means the default one
    :raises UnicodeDecodeError: if bytes are not text in the encoding
    """
    if isinstance(value, bytes):
        return value.decode(encoding or _default)
    return str(value)


def tobytes(value: Any, encoding: str | None = None) -> bytes:
    """Return bytes unchanged, and text as encoded bytes.

    :param value: bytes or text
    :param encoding: encoding of text; None means the default one
    :raises AttributeError: if ``value`` is neither, as in 6.0.3
    :raises UnicodeEncodeError: if the encoding cannot encode the text
    """
    if isinstance(value, bytes):
        return value
    encoded: bytes = value.encode(encoding or _default)
    return encoded
