"""Text helpers under their import path of 6.0.3."""

from __future__ import annotations

from typing import Any

from .encoding import getDefaultIREncoding, setDefaultIREncoding, to_unicode, tobytes

__all__ = (
    'defaultIREncoding',  # noqa: F822
    'encoded_str_type',
    'getDefaultIREncoding',
    'isBaseStringy',
    'isEmptyString',
    'isEncodedString',
    'isStringy',
    'setDefaultIREncoding',
    'to_unicode',
    'tobytes',
)

encoded_str_type = bytes


def __getattr__(name: str) -> Any:
    if name == 'defaultIREncoding':
        return getDefaultIREncoding()
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def isStringy(value: Any) -> bool:
    """Return whether ``value`` is text or bytes, or of a derived class."""
    return isinstance(value, (str, bytes))


def isBaseStringy(value: Any) -> bool:
    """Return whether ``value`` is text or bytes, and not of a derived class."""
    return type(value) in (str, bytes)


def isEmptyString(value: Any) -> bool:
    """Return whether ``value`` is empty text or empty bytes."""
    return isStringy(value) and len(value) == 0


def isEncodedString(value: Any) -> bool:
    """Return whether ``value`` is bytes."""
    return isinstance(value, bytes)
