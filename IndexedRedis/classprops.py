"""``classproperty``: a property of the class rather than of its instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ('classproperty',)


class classproperty:
    """Decorator: the method is called with the class when the attribute is read."""

    def __init__(self, getter: Callable[[Any], Any]) -> None:
        self._getter = getter
        self.__doc__ = getter.__doc__

    def __get__(self, obj: Any, owner: Any) -> Any:
        return self._getter(owner)
