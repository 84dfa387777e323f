"""Read rows by pk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from ..column import Column
from ..flows import Batch, Command, Flow, Stream, ask_quick, chunks
from ..incarnations import is_lost, newest
from ..mapping.decoder import Row
from ..mapping.resp import get_record, get_rows, is_member
from ..mapping.schema import Schema

__all__ = (
    'exists',
    'get_many',
    'get_one',
    'get_targets',
    'get_unlisted',
    'has_gaps',
    'indexed_values_of',
    'is_empty',
    'row_commands',
    'rows_batch',
    'rows_of',
    'stored_rows',
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

    :param drawn: the id of an incarnation whose data has the pk, if that has to be checked
    """
    keys, fields = schema.keys, schema.keys_of(columns)
    read = is_member(keys.all, pk), *row_commands(schema, (pk,), fields)
    member, row, (listed,) = yield Batch([*read, get_record(keys.incarnations)], shared=True)
    if not member or is_empty(row) or is_lost(listed, drawn, pk):
        return None
    (obj,) = schema.builder(columns).objects((pk,), (row,), newest(listed))
    return obj


def get_many(schema: Schema, pks: Sequence[int], columns: Sequence[Column]) -> Flow[list[Any]]:
    """Return the objects of ``pks`` in order.

    None where no object is stored, or where the row has none of these columns.
    """
    found: list[Any] = [None] * len(pks)
    builder, memos = schema.builder(columns), list[Any]()
    place = iter(range(len(pks)))

    def take(replies: list[Any]) -> None:
        rows, drawn = stored_rows(replies), newest(*replies[-1])
        pairs = zip(rows, place, strict=False)
        there = [(i, row) for row, i in pairs if row is not None and not is_empty(row)]
        some = [pks[i] for i, _ in there]
        built = builder.objects(some, [row for _, row in there], drawn, memos)
        for (i, _), obj in zip(there, built, strict=True):
            found[i] = obj

    yield from _in_chunks(schema, pks, columns, take, get_record(schema.keys.incarnations))
    return found


def get_targets(schema: Schema, pks: Sequence[int]) -> Flow[list[Any]]:
    """Return what :func:`get_many` does, and objects that a reset has just replaced.

    Objects that were fetched before the reset link to them. Their rows stay readable for a while.
    """
    found = yield from get_many(schema, pks, schema.all)
    absent = [i for i, obj in enumerate(found) if obj is None]
    if absent:
        # A row that is not listed was replaced: it is about to expire, if it does not yet.
        replaced = yield from get_unlisted(schema, [pks[i] for i in absent])
        for i, obj in zip(absent, replaced, strict=True):
            found[i] = obj
    return found


def get_unlisted(schema: Schema, pks: Sequence[int]) -> Flow[list[Any]]:
    """Return the object of each pk, in order; None for a pk without a row.

    An object that a reset has replaced is returned too, as long as its row is stored.
    """
    found: list[Any] = []
    builder, fields = schema.builder(schema.all), schema.keys_of(schema.all)
    for some in chunks(pks, CHUNK_ROWS):
        commands = row_commands(schema, some, fields)
        *rows, (listed,) = yield Batch([*commands, get_record(schema.keys.incarnations)])
        drawn = newest(listed)
        for pk, row in zip(some, rows, strict=True):
            found += [None] if is_empty(row) else builder.objects([pk], [row], drawn)
    return found


def rows_of(
    schema: Schema, pks: Sequence[int], columns: Sequence[Column]
) -> Flow[list[Row | None]]:
    """Return the rows of ``pks`` in order; None for one that is not stored."""
    rows: list[Row | None] = []
    yield from _in_chunks(schema, pks, columns, lambda replies: rows.extend(stored_rows(replies)))
    return rows


def rows_batch(
    schema: Schema, pks: Sequence[int], columns: Sequence[Column], *after: Command
) -> Batch:
    """Return the batch that reads rows, for :func:`stored_rows`.

    :param after: commands to send after it
    """
    members = 'SMISMEMBER', schema.keys.all, *pks
    commands = row_commands(schema, pks, schema.keys_of(columns))
    return Batch([members, *commands, *after], shared=len(pks) <= SMALL_RESULT_ROWS)


def stored_rows(replies: list[Any]) -> list[Row | None]:
    """Return the rows of the replies to :func:`rows_batch`; None for one that is not stored."""
    members, *rows = replies
    return [row if member else None for member, row in zip(members, rows, strict=False)]


def _in_chunks(
    schema: Schema,
    pks: Sequence[int],
    columns: Sequence[Column],
    take: Callable[[list[Any]], None],
    *after: Command,
) -> Flow[None]:
    batches = [rows_batch(schema, some, columns, *after) for some in chunks(pks, CHUNK_ROWS)]
    if len(batches) == 1:
        take((yield batches[0]))
    else:
        yield Stream(batches, take)


def indexed_values_of(schema: Schema, pks: Sequence[int]) -> Flow[list[list[Any]]]:
    """Return what is stored in the indexed fields of each pk; of a missing row, None for each."""
    width = len(schema.indexed)
    rows = yield from rows_of(schema, pks, schema.indexed or schema.all[:1])
    return [[None] * width if row is None else list(row)[:width] for row in rows]
