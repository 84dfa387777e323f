"""This library on asyncio."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import library
from .base import Row


class Subject(library.Subject):
    """The awaitable twins of two operations."""

    async def get(self, pk: int) -> Any:
        return await self.model.objects.aget(pk)

    async def select(self, filters: Row) -> Iterable[Any]:
        return await self.model.objects.filter(**filters).aall()
