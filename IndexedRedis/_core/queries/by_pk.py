"""Read rows by pk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from ..column import Column
from ..flows import Batch, Command, Flow, Stream, ask_quick, chunks
from ..incarnations import is_lost, read_incarnations
from ..mapping.decoder import Row
from ..mapping.resp import get_rows
from ..mapping.schema import Schema

__all__ = (
    'exists',
    'get_many',
    'get_one',
    'get_targets',
    'has_gaps',
    'indexed_values_of',
    'is_empty',
    'row_commands',
    'rows_of',
)

# Rows of one batch.
CHUNK_ROWS = 256
# The largest result, in rows, that comes in one round trip with its pks. A script spends 0.2 us
# more on each value than a command, so for more rows a second round trip costs less.
SMALL_RESULT_ROWS = 100


def row_commands(schema: Schema, pks: Iterable[int], fields: tuple[bytes, ...]) -> list[Command]:
    """Return the commands that read these fields of rows."""
    return get_rows(schema.keys.data_prefix, map(b'%d'.__mod__, pks), fields)


def is_empty(row: Row) -> bool:
    """Return whether no column of a row is there: it is missing."""
    return row[0] is None and not any(value is not None for value in row)


def has_gaps(rows: Sequence[Row]) -> bool:
    """Return whether a row is missing."""
    # Usually no first value is absent, and that test takes a fifth of the time.
    return None in map(itemgetter(0), rows) and any(map(is_empty, rows))


def exists(schema: Schema, pk: int) -> Flow[bool]:
    """Return whether an object is stored under ``pk``."""
    return bool((yield from ask_quick('SISMEMBER', schema.keys.all, pk)))


def get_one(schema: Schema, pk: int, columns: Sequence[Column], drawn: bytes = b'') -> Flow[Any]:
    """Return the object of ``pk``, or None, in one round trip.

    :param drawn: the id of the incarnation under which the pk was drawn, if that has to be checked
    """
    keys, fields = schema.keys, schema.keys_of(columns)
    commands = [('SISMEMBER', keys.all, pk), *row_commands(schema, (pk,), fields)]
    if drawn:
        commands.append(read_incarnations(keys))
    member, row, *listed = yield Batch(commands, shared=True)
    if not member or is_empty(row) or (listed and is_lost(listed[0][0], drawn, pk)):
        return None
    (obj,) = schema.builder(columns).objects((pk,), (row,))
    return obj


def get_many(schema: Schema, pks: Sequence[int], columns: Sequence[Column]) -> Flow[list[Any]]:
    """Return the objects of ``pks`` in order.

    None where no object is stored, or where the row has none of these columns.
    """
    rows = yield from rows_of(schema, pks, columns)
    there = [(i, row) for i, row in enumerate(rows) if row is not None and not is_empty(row)]
    built = schema.builder(columns).objects([pks[i] for i, _ in there], [row for _, row in there])
    found: list[Any] = [None] * len(pks)
    for (i, _), obj in zip(there, built, strict=True):
        found[i] = obj
    return found


def get_targets(schema: Schema, pks: Sequence[int]) -> Flow[list[Any]]:
    """Return what :func:`get_many` does, and objects that a reset has just replaced.

    Objects that were fetched before the reset link to them. Their rows stay readable for a while.
    """
    found = yield from get_many(schema, pks, schema.all)
    absent = [i for i, obj in enumerate(found) if obj is None]
    fields = schema.keys_of(schema.all)
    for places in chunks(absent, CHUNK_ROWS):
        # A row that is not listed was replaced: it is about to expire, if it does not yet.
        some = [pks[i] for i in places]
        rows = yield Batch(row_commands(schema, some, fields))
        for i, row in zip(places, rows, strict=True):
            if not is_empty(row):
                (found[i],) = schema.builder(schema.all).objects([pks[i]], [row])
    return found


def rows_of(
    schema: Schema, pks: Sequence[int], columns: Sequence[Column]
) -> Flow[list[Row | None]]:
    """Return the rows of ``pks`` in order; None for one that is not stored."""
    fields = schema.keys_of(columns)
    rows: list[Row | None] = []

    def keep(replies: list[Any]) -> None:
        members, found = replies[0], replies[1:]
        for member, row in zip(members, found, strict=True):
            rows.append(row if member else None)

    batches = [
        Batch([('SMISMEMBER', schema.keys.all, *chunk), *row_commands(schema, chunk, fields)])
        for chunk in chunks(pks, CHUNK_ROWS)
    ]
    if len(batches) == 1:
        keep((yield batches[0]._replace(shared=len(pks) <= SMALL_RESULT_ROWS)))
    else:
        yield Stream(batches, keep)
    return rows


def indexed_values_of(schema: Schema, pks: Sequence[int]) -> Flow[list[list[Any]]]:
    """Return what is stored in the indexed fields of each pk; of a missing row, None for each."""
    width = len(schema.indexed)
    rows = yield from rows_of(schema, pks, schema.indexed or schema.all[:1])
    return [[None] * width if row is None else list(row)[:width] for row in rows]
