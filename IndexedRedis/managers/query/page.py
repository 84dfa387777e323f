"""A page of a result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic

from ...generics import M
from ...IRQueryableList import IRQueryableList

__all__ = ('Page',)


class Page(Generic[M]):
    """One page of a result; iterating over it gives its objects.

    :ivar objects: the objects of the page, an :class:`IRQueryableList`
    :ivar total: how many objects match; None if nobody asked for what is costly to count
    :ivar totalIsExact: whether ``total`` is the exact number; else at least so many match
    :ivar next: the cursor of the next page, for ``page(after=...)``; None after the last one
    :ivar number: the number of the page, from 1; None for one that ``after=`` gave
    :ivar size: how many objects a page holds
    """

    __slots__ = ('next', 'number', 'objects', 'size', 'total', 'totalIsExact')

    def __init__(
        self,
        objects: IRQueryableList[M],
        total: int | None,
        totalIsExact: bool,
        next: str | None,
        number: int | None,
        size: int,
    ) -> None:
        self.objects, self.total, self.totalIsExact = objects, total, totalIsExact
        self.next, self.number, self.size = next, number, size

    @property
    def pages(self) -> int | None:
        """How many pages ``total`` objects fill; None if ``total`` is None."""
        return None if self.total is None else -(-self.total // self.size)

    def __iter__(self) -> Iterator[M]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    def __repr__(self) -> str:
        of = '' if self.total is None else f' of {self.total:,}'
        more = ', more follow' if self.next else ''
        return f'<Page of {len(self.objects)} objects{of}{more}>'
