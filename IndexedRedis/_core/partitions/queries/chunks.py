"""Read a result chunk by chunk, whether its model has partitions or not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from ....errors import ConflictError
from ...column import Column
from ...flows import Flow, ask
from ...mapping.schema import Schema
from ...queries.query import Query
from ...queries.verbs.chunk_reader import Asked, ChunkReader, rows_in_chunks
from ..editions.fence import Edition, Fence
from ..editions.known import shards
from ..layout import Shard, lost
from ..spread import spread, witnessed
from ..values import partition_of
from .verbs import pks_of_part

__all__ = ('reader_of',)


def reader_of(schema: Schema, asked: Asked, columns: Sequence[Column], size: int) -> ChunkReader:
    """Return the reader of a query over a model.

    :param asked: gives the flow for the query
    :param columns: the columns to read
    :param size: pks of a chunk
    """
    return (_Reader if schema.partitions else ChunkReader)(asked, columns, size)


class _Reader(ChunkReader):
    """Reads objects of partitions: all chunks from the edition that had the pks.

    A reset keeps the edition that it replaces for some seconds.
    """

    _edition: Edition

    def _found(self, query: Query) -> Flow[tuple[Query, list[int]]]:
        # In the order of pks, each chunk comes from all partitions.
        return query, (yield from pks_of_part(query, not query.in_parts, self._note))

    def _note(self, edition: Edition) -> None:
        self._edition = edition

    def read(self, pks: Sequence[int]) -> Flow[list[Any]]:
        """Return the objects of a chunk; objects that are gone or do not match are left out.

        :raises ConflictError: if a reset has replaced the data set, and its old rows are gone
        :raises PartitionLostError: if a partition has lost its data
        """
        schema, edition = self._query.schema, self._edition
        mine: dict[int, list[int]] = {}
        for pk in pks:
            mine.setdefault(partition_of(pk, edition), []).append(pk)
        gone: list[Shard] = []

        def note(shard: Shard, fence: bytes | None, kept: bytes | None) -> None:
            if kept is None:
                gone.append(shard)

        flows = {
            shard.number: (
                shard.keys.fence,
                witnessed(self._rows(shard, mine[shard.number]), shard, note),
            )
            for shard in shards(schema, edition, mine)
        }
        outcomes = yield from spread(flows)
        if gone:
            raise (yield from self._error(schema, gone[0]))
        found = chain.from_iterable(outcome.result for outcome in outcomes.values())
        objs = {obj._id: obj for obj in found}
        return [objs[pk] for pk in pks if pk in objs]

    def _rows(self, shard: Shard, pks: Sequence[int]) -> Flow[list[Any]]:
        objs, _ = yield from rows_in_chunks(self._query._replace(schema=shard), self._columns, pks)
        return objs

    def _error(self, schema: Schema, shard: Shard) -> Flow[Exception]:
        """Return the error for a partition that has not got the edition."""
        pointer = Fence.of((yield from ask('GET', schema.keys.edition)))
        if pointer is not None and pointer.edition == self._edition:
            return lost(shard)
        error: ConflictError = self._replaced()
        return error
