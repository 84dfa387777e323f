"""Which key belongs to which pk, so that rows can be linked.

The rule: of thousands of rows only key and pk stay in memory; objects only until they have one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

__all__ = ('Known',)


class Known:
    """The keys of the objects of one model that were handed out so far."""

    def __init__(self) -> None:
        self._pks: dict[Any, int] = {}
        self._pending: dict[Any, Any] = {}
        self._order: deque[Any] = deque()

    def add(self, key: Any, obj: Any) -> None:
        """Note an object that is handed out next."""
        self._pending[key] = obj
        self._order.append(key)

    def assigned(self, pks: Sequence[int]) -> None:
        """The oldest of the objects that have no pk yet get these."""
        for pk in pks:
            key = self._order.popleft()
            self._pks[key] = pk
            del self._pending[key]

    def find(self, key: Any) -> Any:
        """What a link to this key leads to: a pk, or an object that gets one; None if neither."""
        pk = self._pks.get(key)
        return self._pending.get(key) if pk is None else pk

    def __contains__(self, key: Any) -> bool:
        return key in self._pks or key in self._pending
