"""``KeyList``, ``classproperty`` and two hashes of containers, under their import path of 6.0.3.

``near_miss`` and ``bytes_text`` are here for the packages that import public names only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ._core.mapping.schema import KeyList
from ._core.text import bytes_text, near_miss

__all__ = ('KeyList', 'bytes_text', 'classproperty', 'hashDictOneLevel', 'hashList', 'near_miss')


class classproperty:
    """A decorator for a property of the class: a read calls the method with the class."""

    def __init__(self, getter: Callable[[Any], Any]) -> None:
        self._getter = getter
        self.__doc__ = getter.__doc__

    def __get__(self, obj: Any, owner: Any) -> Any:
        return self._getter(owner)


def hashList(values: Iterable[Any]) -> int:
    """Return a hash of items, which depends on their order.

    :raises TypeError: if an item cannot be hashed
    """
    return hash(tuple(values))


def hashDictOneLevel(values: Mapping[Any, Any]) -> int:
    """Return a hash of the keys and values of a dict, in any order.

    :raises TypeError: if a value cannot be hashed
    """
    return hash(frozenset(values.items()))
