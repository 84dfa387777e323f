"""The keys of rows and the pks of their objects, by which rows are linked.

The rule: only key and pk of a row stay in memory; its object stays until the reset assigns the pk.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

__all__ = ('KeyMap',)


class KeyMap:
    """The pks of one model's new objects by the keys of their rows."""

    def __init__(self) -> None:
        #: of objects that have one
        self.pks: dict[Any, int] = {}
        #: objects without a pk
        self.pending: dict[Any, Any] = {}

    def add(self, key: Any, obj: Any) -> None:
        """Add an object whose pk the reset assigns later."""
        self.pending[key] = obj

    def assigned(self, pks: Sequence[int]) -> None:
        """Give these pks to the oldest objects without one."""
        keys = [*islice(self.pending, len(pks))]
        self.pks.update(zip(keys, pks, strict=True))
        if len(keys) == len(self.pending):
            self.pending.clear()
            return
        for key in keys:
            del self.pending[key]

    def find(self, key: Any) -> Any:
        """Return the pk of a key, or its object if that has no pk yet; None for an unknown key."""
        pk = self.pks.get(key)
        return self.pending.get(key) if pk is None else pk

    def __contains__(self, key: Any) -> bool:
        return key in self.pks or key in self.pending
