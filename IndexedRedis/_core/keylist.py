"""``KeyList``: the type of ``Model.FIELDS``, a list that is also indexed by name."""

from __future__ import annotations

from typing import Any

__all__ = ('KeyList',)


class KeyList(list):  # type: ignore[type-arg]
    """A list whose items are also found by their equal: ``FIELDS['name']``.

    Slices are plain lists. An unknown name is a ``KeyError``.
    """

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (int, slice)):
            return list.__getitem__(self, index)
        for item in self:
            if item == index:
                return item
        raise KeyError(index)
