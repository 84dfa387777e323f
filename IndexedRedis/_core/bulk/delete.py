"""Delete objects: a short list by one script, a long one in steps; by filter, in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from ..column import EMPTY
from ..expressions.matching import Matcher
from ..flows import Flow, chunks
from ..mapping.schema import Schema
from ..objects.state import UNKNOWN, expected_bytes, forget
from ..overlap import side_by_side
from ..queries.by_pk import rows_of
from ..queries.query import Query, primary_keys
from ..writes import sizes
from ..writes.acknowledging import acknowledge
from ..writes.arguments import check_model
from ..writes.delete import Drawn, Expected, delete_rows
from .unfinished import recovering

__all__ = ('delete_matching', 'delete_objects', 'delete_pks')

# Objects of one script of a filtered delete: it blocks the server for a few milliseconds at most.
# rows_of() fetches so many rows in one batch.
CHUNK = 250


def delete_objects(schema: Schema, objs: Sequence[Any]) -> Flow[int]:
    """Delete stored objects; return how many of ``objs`` had a pk.

    Their pk is ``None`` afterwards, and a save stores them anew.
    """
    for obj in objs:
        check_model(schema, obj)
    stored = [obj for obj in objs if obj._id is not None]
    expected = {obj._id: [expected_bytes(obj, c) for c in schema.indexed] for obj in stored}
    drawn = {obj._id: obj._state.drawn for obj in stored if obj._state.drawn}
    yield from _delete_all(schema, expected, drawn)
    for obj in stored:
        forget(obj)
    return len(stored)


def delete_pks(schema: Schema, pks: Sequence[int]) -> Flow[int]:
    """Delete the objects of ``pks``; return how many were stored."""
    unknown = [UNKNOWN] * len(schema.indexed)
    return (yield from _delete_all(schema, dict.fromkeys(pks, unknown)))


def _delete_all(schema: Schema, expected: Expected, drawn: Drawn = EMPTY) -> Flow[int]:
    """Delete all of these objects, or none, except those whose pk is lost."""
    us = sizes.delete_us(schema)
    if len(expected) * us <= sizes.SCRIPT_US:
        return (
            yield from recovering(lambda: delete_rows(schema, expected, drawn=drawn, is_last=True))
        )
    from .delete_many import delete_in_steps  # programs with short lists save the import

    return (yield from delete_in_steps(schema, expected, drawn))


def delete_matching(query: Query) -> Flow[int]:
    """Delete the objects that match, in chunks; return how many were stored.

    An object stays if another process changes it so that it does not match. If the filters are
    equalities and inequalities only, the flow also removes entries of objects that are gone from
    the index sets that the filters name.
    """
    counts: list[int] = []
    yield from recovering(lambda: _delete_matching(query, counts))
    yield from acknowledge([query.schema])
    return sum(counts)


def _delete_matching(query: Query, counts: list[int]) -> Flow[None]:
    pks = yield from primary_keys(query, ordered=True, excluding_dead=False)
    plain = query.expressions or []
    leave = [key for expression in plain for key in expression.every]
    matcher = Matcher(query.filters, query.schema.indexed)

    def delete_some(some: Sequence[int]) -> Flow[None]:
        counts.append((yield from _delete_some(query.schema, some, leave, matcher)))

    yield from side_by_side(map(delete_some, chunks(pks, _chunk(query.schema))))


def _chunk(schema: Schema) -> int:
    """Return how many rows one script deletes; sorted sets take longer than index sets."""
    us = sizes.delete_us(schema)
    return max(1, min(CHUNK, sizes.SCRIPT_US // us)) if schema.sorted else CHUNK


def _delete_some(
    schema: Schema, pks: Sequence[int], leave: Sequence[bytes], matcher: Matcher
) -> Flow[int]:
    """Delete the objects of ``pks`` that match; return how many were stored."""
    rows = yield from rows_of(schema, pks, schema.indexed or schema.all[:1])
    width = len(schema.indexed)
    there = [(pk, row) for pk, row in zip(pks, rows, strict=True) if row is not None]
    mask = matcher.mask([pk for pk, _ in there], [row for _, row in there])
    matches = repeat(True) if mask is None else iter(mask)
    expected = {
        pk: [None] * width if row is None else list(row)[:width]
        for pk, row in zip(pks, rows, strict=True)
        if row is None or next(matches)
    }
    return (yield from delete_rows(schema, expected, leave, matcher))
