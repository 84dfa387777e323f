"""Count the objects that match, by the value of an indexed field.

A few values are counted by the sizes of their index sets, which the server knows. Values come from
a sample of rows; the sum of the counts tells whether it has met all of them. Otherwise the column
is read from all rows that match. The names of index sets would tell the values too, but SCAN would
walk the whole database, and a hashed index value does not tell the value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ...column import Column
from ...expressions.sets import joined
from ...expressions.tree import InSets
from ...flows import Batch, Flow, ask_quick, chunks
from ...mapping.decoder import Row
from ...mapping.plain_values import plain_value
from ...mapping.resp import get_rows
from ...overlap import side_by_side, together
from ..by_pk import CHUNK_ROWS
from ..fetch import fetch
from ..query import Query, count, groups_to_count

__all__ = ('count_by',)

# Up to this many rows are read: that takes no longer than a sample.
FEW_ROWS = 250
# Members of each sample.
SAMPLES = (100, 400, 1600)
# Values are counted by sets if a sample has at most one new value in so many rows.
ROWS_A_VALUE = 4
# Reading a row takes as long as intersecting index sets of so many members.
MEMBERS_A_ROW = 8

# Stored bytes of a value, and the pk of an object that has it.
Found = tuple[bytes | None, int]


def count_by(query: Query, column: Column) -> Flow[dict[Any, int]]:
    """Return how many matching objects have each value, the most frequent value first.

    :raises UnreadableValueError: if stored bytes cannot be decoded
    """
    counted = yield from _by_sets(query, column)
    if counted is None:
        counted = yield from _by_rows(query, column)
    counts: Counter[Any] = Counter()
    for (stored, pk), number in counted.items():
        value = plain_value(column, column.decode(stored, pk))
        counts[tuple(value) if isinstance(value, list) else value] += number
    return {value: number for value, number in counts.most_common() if number}


def _by_rows(query: Query, column: Column) -> Flow[dict[Found, int]]:
    known: dict[bytes | None, Found] = {}

    def build(
        pks: Sequence[int], rows: Sequence[Row], drawn: bytes, memos: list[Any]
    ) -> list[Found]:
        pairs = zip(pks, rows, strict=True)
        return [known.get(row[0]) or known.setdefault(row[0], (row[0], pk)) for pk, row in pairs]

    return Counter((yield from fetch(query, [column], build=build)))


def _by_sets(query: Query, column: Column) -> Flow[dict[Found, int] | None]:
    """Return the counts by the sizes of index sets; None if reading rows takes less time."""
    if groups_to_count(query) is None:
        return None
    everything = Query(query.schema)
    size, total = yield from together([count(everything), count(query)])
    if total <= FEW_ROWS or total * MEMBERS_A_ROW < size:
        return None
    values: dict[bytes, Found] = {}
    counts: dict[Found, int] = {}
    for wanted in SAMPLES:
        new = dict(_new_values(column, (yield from _sample(query, column, wanted)), values))
        if len(new) * ROWS_A_VALUE > wanted:
            return None
        values.update(new)
        # One after the other, so that others get their turn: an intersection may take milliseconds.
        counted = yield from side_by_side(_counted(query, column, *each) for each in new.items())
        counts.update(counted)
        if sum(counts.values()) == total:
            return counts
    return None


def _sample(query: Query, column: Column, size: int) -> Flow[list[tuple[bytes, Row]]]:
    """Return members of the set of all pks, with their rows of one column."""
    keys = query.schema.keys
    pks = yield from ask_quick('SRANDMEMBER', keys.all, size)
    rows: list[Row] = []
    for some in chunks(pks, CHUNK_ROWS):
        rows += yield Batch(get_rows(keys.data_prefix, some, (column.key,)))
    return list(zip(pks, rows, strict=True))


def _new_values(
    column: Column, sample: Sequence[tuple[bytes, Row]], values: dict[bytes, Found]
) -> Iterator[tuple[bytes, Found]]:
    """Yield the index values that are not among ``values``."""
    for pk, (stored,) in sample:
        if stored is not None and pk.isdigit():
            index = column.index_of_stored(stored)
            if index not in values:
                yield index, (stored, int(pk))


def _counted(query: Query, column: Column, index: bytes, found: Found) -> Flow[tuple[Found, int]]:
    filters = joined((*query.filters, InSets(column, (index,))))
    number = yield from count(query._replace(filters=filters))
    return found, number
