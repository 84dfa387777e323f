"""The classes of ``ipaddress`` as ``valueType=``, stored as their text."""

from __future__ import annotations

import functools
import ipaddress
from typing import Any

from .value_type import ASCII, ValueType, ascii_text

__all__ = ('address_type',)

_KINDS = (
    *(ipaddress.IPv4Address, ipaddress.IPv4Interface, ipaddress.IPv4Network),
    *(ipaddress.IPv6Address, ipaddress.IPv6Interface, ipaddress.IPv6Network),
)


def _from_input(cls: Any, value: Any) -> Any:
    if type(value) is cls:
        return value
    # Numbers and packed bytes are refused: they do not say what they are.
    text = str(value) if isinstance(value, _KINDS) else ascii_text(value, f'an {cls.__name__}')
    return cls(text)


def _score(value: Any) -> float:
    # Interfaces order by their networks, and networks by their first addresses.
    network = getattr(value, 'network', value)
    return float(int(getattr(network, 'network_address', network)))


def address_type(cls: type) -> ValueType:
    """Return the conversions of one class of ``ipaddress``."""
    convert = functools.partial(_from_input, cls)
    kind: ValueType = ASCII(
        convert, str, convert, can_index=True, eager=False, canonical=True, score=_score
    )
    return kind
