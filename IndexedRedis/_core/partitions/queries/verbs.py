"""What a query can do, whether its model has partitions or not.

Without partitions, each of these is the flow of the same name of :mod:`...queries`. With partitions
it asks those that may hold objects that match, in one trip, and merges their answers. They are of
one data set, since all partitions are asked again if a reset goes live meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain, groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from ...column import Column
from ...flows import Flow
from ...mapping.decoder import Row
from ...overlap import together
from ...queries import fetch, pick, query, read
from ...queries.query import WHOLE, Query
from ...queries.verbs import matches
from ...queries.verbs import values as plain_values
from ..reading import read_where

if TYPE_CHECKING:
    from ...queries.fetch import Build
    from ...queries.ordering.order import Entry
    from ..editions.fence import Edition

    Note = Callable[[Edition], Any]

__all__ = (
    'count_by',
    'count_part',
    'has_match',
    'pick_part',
    'pks_of_part',
    'read_objects',
    'the_one',
    'values',
)

T = TypeVar('T')


def _all_where(
    asked: Query, ask: Callable[[Query], Flow[list[T]]], note: Note | None = None
) -> Flow[list[T]]:
    """Return the lists that partitions answer, as one list."""
    return [*chain.from_iterable((yield from read_where(asked, ask, note)))]


def read_objects(
    asked: Query,
    columns: Sequence[Column] | None = None,
    by_age: bool = False,
    build: Build | None = None,
    after: Entry | None = None,
    note: Note | None = None,
) -> Flow[list[Any]]:
    """Do what :func:`~...queries.read.read` does.

    :param columns: the columns of the objects; None: all
    :param by_age: put them in the order of their pks
    :param build: makes something else than objects of the rows, and as many
    :param after: leave out what comes before this place, or at it
    :param note: as of :func:`read_where`
    """
    if not asked.schema.partitions:
        return (yield from read.read(asked, columns, by_age, build, after))
    if by_age and asked.window == WHOLE:
        asked = asked._replace(order=())
    if asked.in_parts or after is not None:
        from .merging import read_part  # saves import time

        found = (yield from read_part(asked, columns, build, after, note)).objs
    else:
        found = yield from _fetch(asked, columns, build, note)
    return sorted(found, key=attrgetter('_id')) if by_age else found


# Pks, their rows, and the id of the newest incarnation when the rows were read.
_Rows = tuple[Sequence[int], Sequence[Row], bytes]


def _fetch(
    asked: Query, columns: Sequence[Column] | None, build: Build | None, note: Note | None
) -> Flow[list[Any]]:
    """Return the objects that match.

    The rows of all partitions are filtered and built together: most partitions have few or none. Of
    10 rows in 48 partitions, that takes a fifth off the client's CPU time.
    """
    wanted, take = fetch.taking(asked, asked.schema.all if columns is None else columns, build)

    def of_one(one: Query) -> Flow[list[_Rows]]:
        rows: list[_Rows] = []
        for source in one.sources:
            rows += yield from fetch.listed(one, source, wanted, _rows)
        return rows

    found: list[Any] = []
    parts = yield from _all_where(asked, of_one, note)
    for drawn, some in groupby(parts, itemgetter(2)):
        pks, rows = zip(*((pks, rows) for pks, rows, _ in some), strict=True)
        found += take([*chain.from_iterable(pks)], [*chain.from_iterable(rows)], drawn)
    return found


def _rows(pks: Sequence[int], rows: Sequence[Row], drawn: bytes) -> list[_Rows]:
    return [(pks, rows, drawn)] if pks else []


def pks_of_part(asked: Query, by_age: bool = False, note: Note | None = None) -> Flow[list[int]]:
    """Return the pks that the query names.

    :param note: as of :func:`read_where`
    """
    if not asked.schema.partitions:
        return (yield from read.pks_of_part(asked, by_age))
    if by_age and asked.window == WHOLE:
        asked = asked._replace(order=())
    if asked.in_parts:
        found = yield from read_objects(asked, asked.schema.all[:1], build=_pks, note=note)
    else:
        found = yield from _all_where(asked, query.primary_keys, note)
    return sorted(found) if by_age else found


def _pks(pks: Sequence[int], rows: Sequence[Any], drawn: bytes, memos: list[Any]) -> list[int]:
    return list(pks)


def count_part(asked: Query) -> Flow[int]:
    """Return how many objects the query names."""
    if not asked.schema.partitions:
        return (yield from read.count_part(asked))
    return read.of_part(sum((yield from read_where(asked, query.count))), asked.window)


def has_match(asked: Query) -> Flow[bool]:
    """Return whether an object is among those that the query names."""
    if not asked.schema.partitions:
        return (yield from matches.has_match(asked))
    if asked.window != WHOLE:
        return (yield from count_part(asked)) > 0
    return any((yield from read_where(asked, matches.has_match)))


def the_one(asked: Query, columns: Sequence[Column]) -> Flow[Any]:
    """Return the object that matches, with these columns; None if there is none.

    :raises MultipleObjectsError: if several objects match
    """
    if not asked.schema.partitions:
        return (yield from matches.the_one(asked, columns))
    answers = yield from read_where(asked, lambda one: matches.the_one(one, columns))
    found = [obj for obj in answers if obj is not None]
    matches.check_one(asked.schema, [obj._id for obj in found])
    return found[0] if found else None


def pick_part(asked: Query, columns: Sequence[Column], order: str, seed: int) -> Flow[Any]:
    """Return the first, the last or a random object of those that the query names, or None."""
    if not asked.schema.partitions:
        return (yield from read.pick_part(asked, columns, order, seed))
    if not read.picks_by_pk(asked, order):
        found = yield from read_objects(read.narrowed(asked, order), columns)
        return read.chosen(found, order, seed)
    if order == 'random':
        return (yield from _pick_random(asked, columns, seed))
    answers = yield from read_where(asked, lambda one: pick.pick(one, columns, order, seed))
    found = [obj for obj in answers if obj is not None]
    return (max if order == 'last' else min)(found, key=attrgetter('_id'), default=None)


def _pick_random(asked: Query, columns: Sequence[Column], seed: int) -> Flow[Any]:
    """Return a random object: each of all that match with the same probability.

    Each partition gives one of its own, and in the same trip how many it has. These are the odds of
    the partition.
    """
    from random import Random  # 5 % of the import time

    def one_of(one: Query) -> Flow[list[Any]]:
        flows: list[Flow[Any]] = [pick.pick(one, columns, 'random', seed), query.count(one)]
        return together(flows)

    answers = yield from read_where(asked, one_of)
    found = [(obj, max(1, count)) for obj, count in answers if obj is not None]
    if not found:
        return None
    objs, odds = zip(*found, strict=True)
    return Random(seed).choices(objs, odds)[0]


def values(asked: Query, names: tuple[str, ...], shape: str) -> Flow[list[Any]]:
    """Return the values of these names for each object that matches.

    :param names: names of fields, and of the pk
    :param shape: one of :class:`~...mapping.plain_values.Shape`
    :raises UnreadableValueError: if stored bytes cannot be decoded
    """
    if not asked.schema.partitions:
        return (yield from plain_values.values(asked, names, shape))
    decoder = asked.schema.value_decoder(names, shape)
    if not decoder.columns:
        pks = yield from pks_of_part(asked)
        return decoder.items(pks, [()] * len(pks), b'')
    return (yield from read_objects(asked, decoder.columns, build=decoder.items))


def count_by(asked: Query, column: Column) -> Flow[dict[Any, int]]:
    """Return how many matching objects have each value, the most frequent value first.

    :raises UnreadableValueError: if stored bytes cannot be decoded
    """
    from ...queries.verbs import counting  # saves import time

    if not asked.schema.partitions:
        return (yield from counting.count_by(asked, column))
    counts: Counter[Any] = Counter()
    for each in (yield from read_where(asked, lambda one: counting.count_by(one, column))):
        counts.update(each)
    return dict(counts.most_common())
