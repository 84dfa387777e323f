"""The flows that read: pks by set algebra, then rows, in one trip where the result is small.

All of them only read, so replicas answer them, and a server that is out of memory does too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from . import sets
from .column import Column
from .filters import Filters, expressions
from .plan import Batch, Command, Flow, Stream, ask, chunks
from .rows import Memo, Row
from .schema import Schema
from .scripts import FIND, PICK

__all__ = ('Query', 'count', 'exists', 'fetch', 'get_many', 'get_one', 'pick', 'primary_keys')

# Up to this many rows come back together with the answer of the set algebra.
ROWS_IN_ONE_TRIP = 100
# How many members a script may look at: it holds up the server for well under a millisecond.
MEMBERS_IN_SCRIPT = 2000
MEMBERS_TO_PICK = 5000
CHUNK = 250
# How often a reader whose rows went away under it asks anew.
ATTEMPTS = 4
ENDLESS = 2**53


class Query(NamedTuple):
    """A filter set over a model."""

    schema: Schema
    filters: Filters = ()

    @property
    def expressions(self) -> list[sets.SetExpression]:
        """The set expressions of the filters, nearly always one."""
        return expressions(self.schema.keys, self.filters)

    @property
    def living(self) -> list[sets.SetExpression]:
        """The same, without index entries of objects that are gone."""
        return [
            each._replace(every=(each.all, *each.every)) if each.every else each
            for each in self.expressions
        ]


def primary_keys(query: Query, ordered: bool = False, living: bool = True) -> Flow[list[int]]:
    """The pks that match; ascending if ``ordered``.

    :param living: leave out index entries of objects that are gone, which 6.0.3 could leave behind
    """
    pks: list[int] = []
    for expression in query.living if living else query.expressions:
        pks += map(int, (yield from ask(*sets.members(expression))))
    return sorted(pks) if ordered else pks


def count(query: Query) -> Flow[int]:
    """How many objects match, without moving their pks where the server can count."""
    total = 0
    for expression in query.expressions:
        command = sets.count(expression)
        if command is None:
            return len((yield from primary_keys(query)))
        total += yield from ask(*command)
    return total


def fetch(
    query: Query, columns: Sequence[Column] | None = None, ordered: bool = False
) -> Flow[list[Any]]:
    """The objects that match, with these columns or all."""
    columns = query.schema.all if columns is None else columns
    pks, rows = yield from fetch_rows(query, _with_filtered(query, columns))
    if ordered:
        pairs = sorted(zip(pks, rows, strict=True), key=lambda pair: pair[0])
        pks, rows = [pk for pk, _ in pairs], [row for _, row in pairs]
    width = len(columns)
    if rows and len(rows[0]) != width:
        rows = [row[:width] for row in rows]
    return query.schema.builder(columns).objects(pks, rows)


def fetch_rows(query: Query, columns: Sequence[Column]) -> Flow[tuple[list[int], list[Row]]]:
    """The pks that match and their rows; one trip where they are few."""
    pks: list[int] = []
    rows: list[Row] = []
    for expression in query.living:
        some_pks, some_rows = yield from _fetch_rows(query, expression, columns)
        pks += some_pks
        rows += some_rows
    return pks, rows


def _fetch_rows(
    query: Query, expression: sets.SetExpression, columns: Sequence[Column]
) -> Flow[tuple[list[int], list[Row]]]:
    fields = [column.key for column in columns]
    found = yield from ask(*_find(query, expression, fields, MEMBERS_IN_SCRIPT, ROWS_IN_ONE_TRIP))
    if len(found) == 2:
        pks, rows = [int(pk) for pk in found[0]], found[1]
    else:
        pks, rows = yield from _fetch_many_rows(query, expression, fields)
    return _settle(query, columns, pks, rows)


def _fetch_many_rows(
    query: Query, expression: sets.SetExpression, fields: list[bytes]
) -> Flow[tuple[list[int], list[Row]]]:
    """Pks first, then rows in overlapping chunks.

    Asks anew where rows went away meanwhile, or where a reset replaced rows in place, so that
    what comes back is the data set before or after it.
    """
    keys = query.schema.keys
    members = sets.members(expression)
    for _ in range(ATTEMPTS):
        # The note first: a swap between the two then shows as a change.
        before, found = yield Batch([('GET', keys.swapped), members])
        pks = [int(pk) for pk in found]
        rows: list[Row] = []
        yield Stream(_row_batches(query.schema, pks, fields), rows.extend)
        after = yield from ask('GET', keys.swapped)
        if before == after and not any(_is_empty(row) for row in rows):
            break
    if before != after:
        # Resets come faster than rows: once, the server is held up for a whole answer.
        found, rows = yield from ask(*_find(query, expression, fields, ENDLESS, ENDLESS))
        pks = [int(pk) for pk in found]
    return pks, rows


def _find(
    query: Query, expression: sets.SetExpression, fields: list[bytes], members: int, rows: int
) -> Command:
    """The script that answers in one trip what is not larger than this."""
    keys, every = sets.operands(expression)
    return FIND(keys, every, members, rows, query.schema.keys.data_prefix, *fields)


def _row_batches(schema: Schema, pks: Iterable[int], fields: list[bytes]) -> Iterable[Batch]:
    data = schema.keys.data
    for chunk in chunks(pks, CHUNK):
        yield Batch([('HMGET', data(pk), *fields) for pk in chunk])


def _is_empty(row: Row) -> bool:
    return row[0] is None and not any(value is not None for value in row)


def _with_filtered(query: Query, columns: Sequence[Column]) -> list[Column]:
    """The columns, then those needed besides to see whether a row still matches.

    The first field of the model is always among them, so that a partial row of an object without
    any of the columns is not mistaken for a missing one.
    """
    needed = [query.schema.all[0], *(condition.column for condition in query.filters)]
    return list(dict.fromkeys([*columns, *needed]))


def _settle(
    query: Query, columns: Sequence[Column], pks: list[int], rows: list[Row]
) -> tuple[list[int], list[Row]]:
    """Leave out rows that are gone, or do not match (any more)."""
    checks = [
        (columns.index(condition.column), _acceptance(condition)) for condition in query.filters
    ]
    kept = [
        (pk, row)
        for pk, row in zip(pks, rows, strict=True)
        if not _is_empty(row) and all(accepts[row[i]] for i, accepts in checks)
    ]
    return [pk for pk, _ in kept], [row for _, row in kept]


def _acceptance(condition: Any) -> Memo:
    column, lookup, wanted = condition
    return Memo(lambda stored: lookup.accepts(column.index_of_stored(stored), wanted))


def pick(query: Query, order: str, seed: int) -> Flow[Any]:
    """The object of the lowest (``first``), highest (``last``) or any (``random``) pk, or None."""
    found = []
    for expression in query.living:
        obj = yield from _pick(query, expression, order, seed)
        if obj is not None:
            found.append(obj)
    if not found or order == 'random':
        return found[seed % len(found)] if found else None
    return (max if order == 'last' else min)(found, key=lambda obj: obj._id)


def _pick(query: Query, expression: sets.SetExpression, order: str, seed: int) -> Flow[Any]:
    schema = query.schema
    keys, every = sets.operands(expression)
    fields = [column.key for column in schema.all]
    prefix = schema.keys.data_prefix
    found = yield from ask(*PICK(keys, every, order, MEMBERS_TO_PICK, seed, prefix, *fields))
    if found == []:
        return None
    if found is not None:
        pks, rows = _settle(query, schema.all, [int(found[0])], [found[1]])
        if pks:
            return schema.builder(schema.all).objects(pks, rows)[0]
    return (yield from _pick_among_all(query, order, seed))


def _pick_among_all(query: Query, order: str, seed: int) -> Flow[Any]:
    """The slow but certain way: walk over all pks until one has a row that matches."""
    schema = query.schema
    pks = yield from primary_keys(query, ordered=True)
    if order == 'last':
        pks.reverse()
    if order == 'random' and pks:
        turn = seed % len(pks)
        pks = pks[turn:] + pks[:turn]
    fields = [column.key for column in schema.all]
    for batch_pks in chunks(pks, CHUNK):
        (batch,) = _row_batches(schema, batch_pks, fields)
        rows = yield batch
        kept, rows = _settle(query, schema.all, batch_pks, rows)
        if kept:
            return schema.builder(schema.all).objects(kept[:1], rows[:1])[0]
    return None


def exists(schema: Schema, pk: int) -> Flow[bool]:
    """Whether an object is stored under ``pk``."""
    return bool((yield from ask('SISMEMBER', schema.keys.all, pk)))


def get_one(schema: Schema, pk: int, columns: Sequence[Column]) -> Flow[Any]:
    """The object of ``pk``, or None; one trip."""
    return (yield from get_many(schema, [pk], columns))[0]


def get_many(schema: Schema, pks: Sequence[int], columns: Sequence[Column]) -> Flow[list[Any]]:
    """The objects of ``pks`` in their order; None for one not stored, or without any column."""
    rows = yield from rows_of(schema, pks, columns)
    there = [(i, row) for i, row in enumerate(rows) if row is not None and not _is_empty(row)]
    built = schema.builder(columns).objects([pks[i] for i, _ in there], [row for _, row in there])
    found: list[Any] = [None] * len(pks)
    for (i, _), obj in zip(there, built, strict=True):
        found[i] = obj
    return found


def rows_of(
    schema: Schema, pks: Sequence[int], columns: Sequence[Column]
) -> Flow[list[Row | None]]:
    """The rows of ``pks``; None for one that is not stored."""
    fields = [column.key for column in columns]
    rows: list[Row | None] = []

    def keep(replies: list[Any]) -> None:
        members, found = replies[0], replies[1:]
        for member, row in zip(members, found, strict=True):
            rows.append(row if member else None)

    batches = [
        Batch([('SMISMEMBER', schema.keys.all, *chunk), *batch.commands])
        for chunk in chunks(pks, CHUNK)
        for batch in _row_batches(schema, chunk, fields)
    ]
    if len(batches) == 1:
        keep((yield batches[0]))
    else:
        yield Stream(batches, keep)
    return rows
