"""The iterator that a query returns: it reads objects chunk by chunk."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic

from ..._core.flows import Flow
from ..._core.partitions.queries.chunks import reader_of
from ...errors import UsageError
from ...generics import M

if TYPE_CHECKING:
    from typing import Self

    from .flows import QueryFlows

__all__ = ('ObjectIterator',)


class ObjectIterator(Generic[M]):
    """Iterates over the objects of a query, by ``for`` or by ``async for``.

    After an error of the connection, the next step reads the same chunk again.
    """

    def __init__(self, query: QueryFlows[M], chunk: int, cascade: bool) -> None:
        if isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1:
            raise UsageError(f'iterator(chunk={chunk!r}): give a whole number above 0.')
        self._query, self._cascade = query, cascade
        self._reader = reader_of(query._schema, query._asked, query._columns(), chunk)
        # The objects that are read and not given yet, the next one last.
        self._objs: list[M] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> M:
        if not self._objs:
            self._objs = self._query._read(self._next_chunk())
        if not self._objs:
            raise StopIteration
        return self._objs.pop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> M:
        if not self._objs:
            self._objs = await self._query._aread(self._next_chunk())
        if not self._objs:
            raise StopAsyncIteration
        return self._objs.pop()

    def _next_chunk(self) -> Flow[list[M]]:
        """Return the objects of the next chunk that has any, the first one last."""
        reader = self._reader
        objs: list[M] = []
        while not objs and (pks := (yield from reader.pks())):
            read = partial(reader.read, pks)
            objs = yield from self._query._many(read, self._cascade)
            reader.advance()
        return objs[::-1]
