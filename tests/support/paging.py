"""Reading all pages of a query, one behind the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def walked(query: Any, size: int, between: Callable[[], Any] = lambda: None) -> list[int]:
    """The pks of all pages; `between` is called before each further one."""
    found, page = [], query.page(size=size)
    while True:
        found += [obj._id for obj in page]
        if page.next is None:
            return found
        between()
        page = query.page(after=page.next, size=size)
