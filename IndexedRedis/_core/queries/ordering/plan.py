"""Where a walk along a sorted set leads, and the command for each of its steps. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

from ...column import EXACT_SCORES
from ...expressions.tree import InRange
from ...flows import Command
from ...keys import Keys
from ..query import Query
from ..ranges import BELOW_NULLS, LOWEST, NULLS, is_exact, score_bounds
from .clauses import Clauses, clauses_of
from .order import By
from .scripts import SIFT, WALK

__all__ = ('ALL', 'START', 'Place', 'Plan', 'plan_of')

# As many matches as there are.
ALL = 2**53
# Server time of a step, in microseconds, as estimated: 1 for each lookup in a large set, which no
# cache of the processor holds. Among a million objects such a step took up to 4 ms.
WALK_US = 1500
# Of it, for a match: its score, and its part of the reply.
MATCH_US = 2.5
# Members of a set that are gathered and sorted, not met on the way: 1,000 take 1 ms.
SMALL_SET = 1500
# Values of the rows that come along with their pks.
ROW_VALUES = 2000


class Place(NamedTuple):
    """Where a step begins: behind a member of this score.

    :param segment: number of the segment, from 1
    :param member: empty: before the first member of this score
    """

    segment: int
    score: bytes
    member: bytes


START = Place(1, b'', b'')


class Plan(NamedTuple):
    """A walk along the sorted set of the first field of the order.

    :param segments: lowest and highest scores; nulls that come first have a segment of their own
    :param settled: whether scores settle the order as far as they tell values apart
    :param clauses: what a step tests; None: it cannot, so all matches are gathered
    :param inexact: ranges of which objects at the ends may not match, which their values tell
    """

    keys: Keys
    by: By
    segments: tuple[tuple[bytes, bytes], ...]
    settled: bool
    clauses: Clauses | None
    inexact: tuple[InRange, ...] = ()

    @property
    def key(self) -> bytes:
        """The sorted set."""
        assert self.by.column is not None
        return self.keys.sorted(self.by.column.key)

    def settles(self, score: float) -> bool:
        """Return whether members of this score are in order as the sorted set lists them."""
        return self.settled and (score == inf or abs(score) < EXACT_SCORES)

    def is_end(self, score: float) -> bool:
        """Return whether values of this score may lie on either side of an end of a range."""
        ends = (end for each in self.inexact for end in (each.low, each.high))
        return any(end is not None and end.key[0] == score for end in ends)

    def segment_of(self, score: float) -> int:
        """Return the number of the segment that a score is in."""
        ends = (NULLS, NULLS)
        return 1 if (self.segments[0] == ends) == (score == inf) else len(self.segments)

    def step(
        self,
        place: Place,
        skip: int,
        wanted: int,
        last: bytes = b'',
        fields: Sequence[bytes] = (),
    ) -> Command:
        """Return the command for a step.

        :param wanted: number of matches behind those to skip
        :param last: score of the last match so far
        :param fields: the fields of rows that come along
        """
        values = ROW_VALUES if fields else -1
        arguments = self._arguments(place, skip, wanted, last)
        return WALK(self._sets, *arguments, values, self.keys.data_prefix, *fields)

    def sift(self, clause: int, pks: Sequence[bytes]) -> Command:
        """Return the command that finds those of some pks that a walk would find.

        :param clause: number of a clause, from 1, that all of them pass
        """
        return SIFT(self._sets, *self._arguments(START, 0, 0, b''), clause, *pks)

    @property
    def _sets(self) -> list[bytes]:
        assert self.clauses is not None
        ranges = (self.keys.sorted(each.column.key) for each in self.clauses.ranges)
        others = self.keys.swapped, self.keys.incarnations, self.keys.all
        return [self.key, *others, *self.clauses.sets, *ranges]

    def _arguments(self, place: Place, skip: int, wanted: int, last: bytes) -> list[Any]:
        assert self.clauses is not None
        found: list[Any] = ['down' if self.by.descending else 'up', int(self.settled)]
        found += [skip, wanted, last, WALK_US, SMALL_SET]
        found += [len(self.segments), *(s for each in self.segments for s in each)]
        found += [*place, *self.clauses.numbers, len(self.clauses.ranges)]
        for each in self.clauses.ranges:
            found += score_bounds(each)
        return found


def plan_of(query: Query) -> Plan | None:
    """Return the walk that gives a query's order; None if no sorted set does."""
    by = query.order[0]
    if by.column is None or not by.column.sorted:
        return None
    settled = len(query.order) == 1 and by.column.field.hasExactScores
    plan = Plan(query.schema.keys, by, _whole(by), settled, None)
    clauses = clauses_of(query.schema.keys, query.filters)
    if clauses is None:
        return plan
    inexact = tuple(each for each in clauses.ranges if not is_exact(each))
    if any(each.column != by.column for each in inexact):
        return plan
    bounds = [each for each in clauses.ranges if each.column == by.column]
    others = tuple(each for each in clauses.ranges if each.column != by.column)
    return plan._replace(
        segments=_segments(by, bounds[0]) if bounds else plan.segments,
        clauses=clauses._replace(ranges=(*others, *bounds[1:])),
        inexact=inexact,
    )


def _segments(by: By, bounds: InRange) -> tuple[tuple[bytes, bytes], ...]:
    """Return the scores between bounds; null is part of them at most at the upper end."""
    low, high = score_bounds(bounds)
    if not bounds.null or low == b'inf':
        return ((low, high),)
    return _whole(by, low)


def _whole(by: By, low: bytes = LOWEST) -> tuple[tuple[bytes, bytes], ...]:
    if by.nulls_first == by.descending:
        return ((low, NULLS),)  # null has the highest score
    parts = (low, BELOW_NULLS), (NULLS, NULLS)
    return parts[::-1] if by.nulls_first else parts
