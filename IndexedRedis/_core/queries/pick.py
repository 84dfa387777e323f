"""Read one object of a result: the first, the last, or a random one.

A script picks it from a small result. For a large one the client reads all pks that match.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..column import Column
from ..flows import Flow, ask_quick, chunks
from ..mapping.decoder import Row
from . import set_algebra
from .by_pk import CHUNK_ROWS, rows_of
from .fetch import drop_nonmatching, with_filtered
from .matching import Matcher
from .query import Query, primary_keys
from .scripts import PICK

__all__ = ('pick',)

# Members that PICK may read: it blocks the server for a millisecond or two.
PICK_MEMBERS = 5000


def pick(query: Query, columns: Sequence[Column], order: str, seed: int) -> Flow[Any]:
    """Return the object of one pk, with these columns, or None if nothing matches.

    :param order: ``first`` for the lowest pk, ``last`` for the highest, ``random`` for any
    """
    found = []
    for expression in query.excluding_dead:
        obj = yield from _pick(query, columns, expression, order, seed)
        if obj is not None:
            found.append(obj)
    if not found or order == 'random':
        return found[seed % len(found)] if found else None
    return (max if order == 'last' else min)(found, key=lambda obj: obj._id)


def _pick(
    query: Query,
    columns: Sequence[Column],
    expression: set_algebra.SetExpression,
    order: str,
    seed: int,
) -> Flow[Any]:
    schema, wanted = query.schema, with_filtered(query, columns)
    keys, every = set_algebra.operands(expression)
    fields = schema.keys_of(wanted)
    prefix = schema.keys.data_prefix
    found = None
    if set_algebra.is_short(expression):
        most = set_algebra.member_limit(expression, PICK_MEMBERS)
        found = yield from ask_quick(*PICK(keys, every, order, most, seed, prefix, *fields))
    if found == []:
        return None
    if found is not None:
        obj = _first_match(query, columns, [int(found[0])], [found[1]])
        if obj is not None:
            return obj
    return (yield from _pick_among_all(query, columns, order, seed))


def _first_match(
    query: Query, columns: Sequence[Column], pks: Sequence[int], rows: Sequence[Row]
) -> Any:
    """Return the object of the first row that matches, or None."""
    matcher = Matcher(query.filters, with_filtered(query, columns))
    pks, rows = drop_nonmatching(matcher, pks, rows)
    if not pks:
        return None
    row = rows[0][: len(columns)]
    return query.schema.builder(columns).objects(pks[:1], [row])[0]


def _pick_among_all(query: Query, columns: Sequence[Column], order: str, seed: int) -> Flow[Any]:
    """Try all pks in turn until one has a row that matches.

    Only the pks that are tried are looked up in the set of all pks: for thousands, intersecting
    with it would double the time.
    """
    pks = yield from primary_keys(query, excluding_dead=False)
    for some in _in_turn(pks, order, seed):
        rows = yield from rows_of(query.schema, some, with_filtered(query, columns))
        there = {pk: row for pk, row in zip(some, rows, strict=True) if row is not None}
        obj = _first_match(query, columns, list(there), list(there.values()))
        if obj is not None:
            return obj
    return None


def _in_turn(pks: list[int], order: str, seed: int) -> Iterator[list[int]]:
    """Yield the pks in the order in which to try them, a few at a time."""
    if pks and order == 'random':
        turn = seed % len(pks)
        pks = pks[turn:] + pks[:turn]
        yield pks[:1]
    elif pks:
        # This one nearly always has a row. Sorting thousands takes longer than fetching them.
        yield [max(pks) if order == 'last' else min(pks)]
        pks.sort(reverse=order == 'last')
    yield from chunks(pks[1:], CHUNK_ROWS)
