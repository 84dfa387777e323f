"""Walk along a sorted set, and put what it lists in order by the stored values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from ...column import Column
from ...expressions.matching import Matcher
from ...flows import Flow
from ...mapping.decoder import Row
from ..by_pk import is_empty, rows_of
from ..query import Query
from .matches import Matches, score_of
from .order import Entry, columns_of_order, in_order, keys_of, rest_after
from .plan import Plan

__all__ = ('Found', 'walk')


class Found(NamedTuple):
    """The pks of a part of a result, in order.

    :param markers: the swap marker and the record of incarnations of the moment
    :param witnesses: pks of the data set that was read
    :param rows: their rows of the same moment; None: they were not read
    :param scores: the scores under which they were found; None: no value gave the order
    :param unfinished: whether more objects match behind these, some of which may be gone
    :param valued: of how many objects the values were read for the order
    """

    markers: list[Any]
    witnesses: Sequence[int]
    pks: Sequence[int]
    rows: Sequence[Row] | None = None
    scores: Sequence[float] | None = None
    unfinished: bool = False
    valued: int = 0


def walk(
    query: Query,
    plan: Plan,
    columns: Sequence[Column],
    skip: int,
    wanted: int,
    after: Entry | None = None,
) -> Flow[Found]:
    """Return so many matches in order.

    :param columns: the columns of the rows, if these come along; those of the order among them
    :param skip: how many matches to leave out before
    :param after: leave out what comes before this place, or at it
    """
    matches, fields = Matches(query, plan), query.schema.keys_of(columns)
    if plan.inexact:  # which of them to skip, their values tell
        yield from matches.read(0, skip + wanted, after, fields)
        matches.left = skip
    else:
        yield from matches.read(skip, wanted, after, fields)
    rows = dict(zip(matches.pks, matches.rows, strict=True)) if matches.rows else {}
    if rows:
        entries = in_order(_in_place(query, plan, columns, matches, rows), query.order)
        entries = entries if after is None else rest_after(entries, after, query.order)
    else:
        entries = yield from _settled(query, plan, matches, after)
    pks = [entry.pk for entry in entries][matches.left :]
    unfinished, pks = matches.unfinished or len(pks) > wanted, pks[:wanted]
    # Nothing, found in several steps, may be what a reset left between them: that is checked then.
    at_once = rows or (matches.at_once and not matches.pks)
    of_pks = [rows[pk] for pk in pks] if at_once else None
    by_pk = dict(zip(matches.pks, map(float, matches.scores), strict=True))
    scores = [by_pk[pk] for pk in pks]
    return Found(matches.markers, matches.witnesses, pks, of_pks, scores, unfinished)


def _in_place(
    query: Query,
    plan: Plan,
    columns: Sequence[Column],
    matches: Matches,
    rows: dict[int, Row],
) -> Iterator[Entry]:
    """Yield the entries of rows that have the score under which the sorted set lists them.

    Programs that know no sorted sets, such as those of 6.0.3, may have written others.
    """
    matcher = Matcher(plan.inexact, columns)
    for pk, score in zip(matches.pks, matches.scores, strict=True):
        row = rows[pk]
        if not matcher.matches(pk, row):
            continue
        entry = Entry(pk, keys_of(query.order, columns, pk, row))
        if not is_empty(row) and score_of(entry) == float(score):
            yield entry


def _settled(query: Query, plan: Plan, matches: Matches, after: Entry | None) -> Flow[list[Entry]]:
    """Return the matches in order. The stored values tell the order of equal scores."""
    found: list[Entry] = []
    groups: list[tuple[bytes, list[int]]] = []
    for score, group in groupby(zip(matches.pks, matches.scores, strict=True), itemgetter(1)):
        groups.append((score, [pk for pk, _ in group]))
    tied = [pk for score, pks in groups for pk in pks if _is_tied(plan, score, pks, after)]
    columns = columns_of_order(query.order)
    rows = (yield from rows_of(query.schema, tied, columns)) if tied else []
    matcher = Matcher(plan.inexact, columns)
    known = {
        pk: Entry(pk, keys_of(query.order, columns, pk, row))
        for pk, row in zip(tied, rows, strict=True)
        if row is not None and matcher.matches(pk, row)
    }
    for score, pks in groups:
        if not _is_tied(plan, score, pks, after):
            found += [Entry(pk, ()) for pk in pks]
            continue
        entries = in_order((known[pk] for pk in pks if pk in known), query.order)
        if after is not None and score_of(after) == float(score):
            entries = rest_after(entries, after, query.order)
        found += entries
    return found


def _is_tied(plan: Plan, score: bytes, pks: Sequence[int], after: Entry | None) -> bool:
    """Return whether the order of these pks, which have one score, needs their values."""
    if plan.is_end(float(score)):
        return True
    if plan.settles(float(score)):
        return False
    return len(pks) > 1 or (after is not None and score_of(after) == float(score))
