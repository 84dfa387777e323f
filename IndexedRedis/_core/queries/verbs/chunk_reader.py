"""Read a result chunk by chunk, so that memory holds one chunk of objects at a time.

The pks are read first, in one moment; each chunk of rows later, when the caller wants it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from ....errors import ConflictError
from ...column import Column
from ...flows import Batch, Flow, Stream, ask, chunks
from ...incarnations import newest
from ...mapping.resp import get_record
from ..by_pk import CHUNK_ROWS, has_gaps, row_commands
from ..fetch import taking
from ..query import Query
from ..read import pks_of_part

__all__ = ('ChunkReader', 'rows_in_chunks')

# The first pks tell whether a reset has replaced the whole data set.
FIRST_PKS = 100

# Gives the flow of a query.
Asked = Callable[[Callable[[Query], Flow[Any]]], Flow[Any]]


class ChunkReader:
    """Reads the objects that match, in chunks.

    :param asked: gives the flow for the query, whose links it looks up first
    :param columns: the columns to read
    :param size: pks of a chunk
    """

    def __init__(self, asked: Asked, columns: Sequence[Column], size: int) -> None:
        self._asked, self._columns, self._size = asked, columns, size
        # Eight bytes a pk; a list of numbers takes forty.
        self._pks: array[int] | None = None
        self._done = 0

    def pks(self) -> Flow[list[int]]:
        """Return the pks of the chunk to read; an empty list after the last one."""
        if self._pks is None:
            self._query, pks = yield from self._asked(self._found)
            self._pks = array('q', pks)
        return self._pks[self._done : self._done + self._size].tolist()

    def _found(self, query: Query) -> Flow[tuple[Query, list[int]]]:
        """Return the query that is asked, and the pks that it names."""
        return query, (yield from pks_of_part(query))

    def advance(self) -> None:
        """Go on to the next chunk."""
        self._done += self._size

    def read(self, pks: Sequence[int]) -> Flow[list[Any]]:
        """Return the objects of a chunk; objects that are gone or do not match are left out.

        :raises ConflictError: if a reset has replaced the data set, and its old rows are gone
        """
        objs, gaps = yield from rows_in_chunks(self._query, self._columns, pks)
        if gaps:
            yield from self._refuse_replaced(pks)
        return objs

    def _refuse_replaced(self, pks: Sequence[int]) -> Flow[None]:
        """Raise if no object of this chunk, and none of the first ones, is stored any more."""
        schema, every = self._query.schema, self._pks or array('q')
        listed = yield from ask('SMISMEMBER', schema.keys.all, *every[:FIRST_PKS], *pks)
        if not any(listed):
            raise self._replaced()

    def _replaced(self) -> ConflictError:
        """Return the error for a data set that is gone."""
        every = self._pks or array('q')
        return ConflictError(
            f'{self._query.schema.name}: a reset replaced the objects while iterator() read them, '
            f'and the replaced rows have expired: {self._done:,} of {len(every):,} were read. '
            'Start again, or call all(), which reads one data set.'
        )


def rows_in_chunks(
    query: Query, columns: Sequence[Column], pks: Sequence[int]
) -> Flow[tuple[list[Any], bool]]:
    """Return the objects of pks that match, and whether rows are missing."""
    schema = query.schema
    wanted, take = taking(query, columns)
    fields, record = schema.keys_of(wanted), get_record(schema.keys.incarnations)
    parts = list(chunks(pks, CHUNK_ROWS))
    batches = (Batch([*row_commands(schema, some, fields), record]) for some in parts)
    objs: list[Any] = []
    turn, gaps = iter(parts), False

    def build(replies: list[Any]) -> None:
        nonlocal gaps
        *rows, (listed,) = replies
        gaps = gaps or has_gaps(rows)
        objs.extend(take(next(turn), rows, newest(listed)))

    yield Stream(batches, build)
    return objs, gaps
