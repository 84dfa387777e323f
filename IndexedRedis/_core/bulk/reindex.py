"""Fill the indexes of a model from its stored rows."""

from __future__ import annotations

from collections.abc import Sequence

from ..flows import Flow, chunks
from ..mapping.decoder import Row
from ..mapping.schema import Schema
from ..overlap import walk
from ..queries.by_pk import rows_of
from ..queries.query import Query, pks_of, primary_keys
from ..writes.acknowledging import acknowledge
from ..writes.compare_and_move import compare_and_move
from ..writes.entry import Entry, Mode
from .unfinished import recovering

__all__ = ('reindex', 'reindex_matching')

# Objects of one script: it blocks the server for a millisecond or two.
CHUNK = 25


def reindex(
    schema: Schema, pks: Sequence[int], rehash: bool = False, size: int = CHUNK
) -> Flow[int]:
    """Add objects to the index sets and sorted sets of their stored values; return their number.

    Entries under values that 6.0.3 encoded twice are removed. Entries of other values stay, and so
    do entries of fields that are not indexed.

    :param rehash: remove the entries under the other choice of ``hashIndex``
    :param size: number of objects of one script
    """
    count = yield from recovering(lambda: _reindex(schema, pks, rehash, size))
    yield from acknowledge([schema])
    return count


def _reindex(schema: Schema, pks: Sequence[int], rehash: bool, size: int) -> Flow[int]:
    total = 0
    for chunk in chunks(pks if schema.kept else (), size):
        rows = yield from rows_of(schema, chunk, schema.kept)
        entries = [
            _entry(schema, pk, row, rehash)
            for pk, row in zip(chunk, rows, strict=True)
            if row is not None
        ]
        yield from compare_and_move(entries, gone_is_fine=True)
        total += len(entries)
    return total


def _entry(schema: Schema, pk: int, row: Row, rehash: bool) -> Entry:
    stored = dict(zip((column.name for column in schema.kept), row, strict=True))
    entry = Entry(schema, pk, Mode.UPDATE, {}, stored)
    entry.rehash = rehash
    return entry


def reindex_matching(query: Query, rehash: bool = False, size: int = CHUNK) -> Flow[int]:
    """Do what :func:`reindex` does with the objects that match; return how many are stored."""
    if query.filters:
        pks = yield from primary_keys(query)
        return (yield from reindex(query.schema, pks, rehash, size))
    count = yield from recovering(lambda: _reindex_all(query.schema, rehash, size))
    yield from acknowledge([query.schema])
    return count


def _reindex_all(schema: Schema, rehash: bool, size: int) -> Flow[int]:
    seen, total = set[int](), 0

    def index(page: list[bytes]) -> Flow[None]:
        nonlocal total
        new = {*pks_of(schema, page)} - seen  # a page may repeat a pk
        seen.update(new)
        count = yield from _reindex(schema, sorted(new), rehash, size)
        total += count  # not `total += yield from`: other pages change it meanwhile

    yield from walk(schema.keys.all, index)
    return total
