"""The flow that picks one object of a result: the first, the last, or any.

One script answers it where it need not look at many members; else all pks that match are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..flows import Flow, ask_quick, chunks
from . import set_algebra
from .by_pk import CHUNK_ROWS, rows_of
from .fetch import drop_nonmatching
from .matching import Matcher
from .query import Query, primary_keys
from .scripts import PICK

__all__ = ('pick',)

# How many members a script may look at: it holds up the server for a millisecond or two.
PICK_MEMBERS = 5000


def pick(query: Query, order: str, seed: int) -> Flow[Any]:
    """The object of the lowest (``first``), highest (``last``) or any (``random``) pk, or None."""
    found = []
    for expression in query.excluding_dead:
        obj = yield from _pick(query, expression, order, seed)
        if obj is not None:
            found.append(obj)
    if not found or order == 'random':
        return found[seed % len(found)] if found else None
    return (max if order == 'last' else min)(found, key=lambda obj: obj._id)


def _pick(query: Query, expression: set_algebra.SetExpression, order: str, seed: int) -> Flow[Any]:
    schema = query.schema
    keys, every = set_algebra.operands(expression)
    fields = schema.keys_of(schema.all)
    prefix = schema.keys.data_prefix
    found = None
    if set_algebra.is_short(expression):
        found = yield from ask_quick(*PICK(keys, every, order, PICK_MEMBERS, seed, prefix, *fields))
    if found == []:
        return None
    if found is not None:
        matcher = Matcher(query.filters, schema.all)
        pks, rows = drop_nonmatching(matcher, [int(found[0])], [found[1]])
        if pks:
            return schema.builder(schema.all).objects(pks, rows)[0]
    return (yield from _pick_among_all(query, order, seed))


def _pick_among_all(query: Query, order: str, seed: int) -> Flow[Any]:
    """The slow but certain way: walk over all pks until one has a row that matches.

    Whether a pk is that of an object is asked of those that are looked at: of thousands, that
    would take the server as long again as to list them.
    """
    schema = query.schema
    matcher = Matcher(query.filters, schema.all)
    pks = yield from primary_keys(query, excluding_dead=False)
    for some in _in_turn(pks, order, seed):
        rows = yield from rows_of(schema, some, schema.all)
        there = {pk: row for pk, row in zip(some, rows, strict=True) if row is not None}
        kept, found = drop_nonmatching(matcher, list(there), list(there.values()))
        if kept:
            return schema.builder(schema.all).objects(kept[:1], found[:1])[0]
    return None


def _in_turn(pks: list[int], order: str, seed: int) -> Iterator[list[int]]:
    """The pks in the order in which they are to be tried, some at a time."""
    if pks and order == 'random':
        turn = seed % len(pks)
        pks = pks[turn:] + pks[:turn]
        yield pks[:1]
    elif pks:
        # Nearly always this one has a row, and thousands take longer to sort than to fetch.
        yield [max(pks) if order == 'last' else min(pks)]
        pks.sort(reverse=order == 'last')
    yield from chunks(pks[1:], CHUNK_ROWS)
