"""Read one object of a result: the first, the last, or a random one.

A script picks it from a small result. For a large one the client reads all pks that match.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..column import Column
from ..flows import Flow, ask_quick, chunks
from ..incarnations import newest
from ..mapping.decoder import Row
from ..mapping.resp import get_record
from .by_pk import CHUNK_ROWS, rows_batch, stored_rows
from .fetch import READ_ATTEMPTS, Take, taking
from .query import Query, primary_keys
from .sources.base import Source

__all__ = ('pick',)


def pick(query: Query, columns: Sequence[Column], order: str, seed: int) -> Flow[Any]:
    """Return the object of one pk, with these columns, or None if nothing matches.

    :param order: ``first`` for the lowest pk, ``last`` for the highest, ``random`` for any
    """
    objects = query.schema.builder(columns).objects

    def build(pks: Sequence[int], rows: Sequence[Row], drawn: bytes, memos: list[Any]) -> list[Any]:
        return objects(pks[:1], rows[:1], drawn)

    wanted, take = taking(query, columns, build)
    found: list[Any] = []
    for source in query.sources:
        found += yield from _pick(query, source, wanted, take, order, seed)
    if not found or order == 'random':
        return found[seed % len(found)] if found else None
    return (max if order == 'last' else min)(found, key=lambda obj: obj._id)


def _pick(
    query: Query,
    source: Source,
    columns: Sequence[Column],
    take: Take,
    order: str,
    seed: int,
) -> Flow[list[Any]]:
    """Return the object in a list, which is empty if nothing matches.

    :param columns: the columns to read
    :param take: builds the object of the first row that matches
    """
    keys, fields = query.schema.keys, query.schema.keys_of(columns)
    command = source.pick(order, seed, keys.data_prefix, keys.incarnations, *fields)
    found = None if command is None else (yield from ask_quick(*command))
    if found == []:
        return []
    if found is not None:
        objs = take([int(found[0])], [found[1]], newest(found[2]))
        if objs:
            return objs
    for _ in range(READ_ATTEMPTS):
        pks, objs = yield from _pick_among_all(query, columns, take, order, seed)
        # None of its pks is stored if a reset replaced the data set meanwhile.
        if objs or not pks:
            break
    return objs


def _pick_among_all(
    query: Query, columns: Sequence[Column], take: Take, order: str, seed: int
) -> Flow[tuple[list[int], list[Any]]]:
    """Try all pks in turn until one has a row that matches; return the pks, and its object.

    Only the pks that are tried are looked up in the set of all pks: for thousands, intersecting
    with it would double the time.
    """
    pks = yield from primary_keys(query, excluding_dead=False)
    for some in _in_turn(pks, order, seed):
        record = get_record(query.schema.keys.incarnations)
        replies = yield rows_batch(query.schema, some, columns, record)
        pairs = zip(some, stored_rows(replies), strict=True)
        there = {pk: row for pk, row in pairs if row is not None}
        objs = take(list(there), list(there.values()), newest(*replies[-1]))
        if objs:
            return pks, objs
    return pks, []


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
