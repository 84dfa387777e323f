"""Import path of 6.0.3 for text helpers; the encoding itself lives in ``encoding.py``."""

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
    """Whether ``value`` is text or bytes, or of a class derived from them."""
    return isinstance(value, (str, bytes))


def isBaseStringy(value: Any) -> bool:
    """Whether ``value`` is just text or bytes, not of a derived class."""
    return type(value) in (str, bytes)


def isEmptyString(value: Any) -> bool:
    """Whether ``value`` is empty text or bytes."""
    return isStringy(value) and len(value) == 0


def isEncodedString(value: Any) -> bool:
    """Whether ``value`` is bytes."""
    return isinstance(value, bytes)
