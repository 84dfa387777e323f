"""Import path of 6.0.3 for ``KeyList`` and two hashes of containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._core.keylist import KeyList

__all__ = ('KeyList', 'hashDictOneLevel', 'hashList')


def hashList(values: Iterable[Any]) -> int:
    """Return a hash of the items, in their order.

    :raises TypeError: if one cannot be hashed
    """
    return hash(tuple(values))


def hashDictOneLevel(values: Mapping[Any, Any]) -> int:
    """Return a hash of the keys and values, whatever their order.

    :raises TypeError: if one cannot be hashed
    """
    return hash(frozenset(values.items()))
