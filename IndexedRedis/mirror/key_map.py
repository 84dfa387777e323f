"""The keys of rows and the pks of their objects, by which rows are linked.

The rule: only key and pk of a row stay in memory; its object stays until the reset assigns the pk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

__all__ = ('KeyMap',)


class KeyMap:
    """The pks of one model's new objects by the keys of their rows."""

    def __init__(self) -> None:
        self._pks: dict[Any, int] = {}
        self._pending: dict[Any, Any] = {}
        self._order: deque[Any] = deque()

    def add(self, key: Any, obj: Any) -> None:
        """Add an object whose pk the reset assigns later."""
        self._pending[key] = obj
        self._order.append(key)

    def assigned(self, pks: Sequence[int]) -> None:
        """Give these pks to the oldest objects without one."""
        for pk in pks:
            key = self._order.popleft()
            self._pks[key] = pk
            del self._pending[key]

    def find(self, key: Any) -> Any:
        """Return the pk of a key, or its object if that has no pk yet; None for an unknown key."""
        pk = self._pks.get(key)
        return self._pending.get(key) if pk is None else pk

    def __contains__(self, key: Any) -> bool:
        return key in self._pks or key in self._pending
