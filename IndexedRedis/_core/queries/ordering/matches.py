"""The matches of a walk along a sorted set, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from math import inf
from operator import itemgetter
from typing import Any

from ...flows import Batch, Flow, Stream, ask, ask_quick, chunks
from ...mapping.decoder import Row
from ...overlap import together
from ..fetch import read_markers
from ..query import Query, pks_of, primary_keys
from .order import Entry
from .plan import START, Place, Plan

__all__ = ('WITNESSES', 'Matches', 'count_matches', 'score_of')

# Members of the smallest set, up to which all matches are gathered if they do not come up soon on
# the way. Reading so many members takes the server a millisecond, intersecting them a few.
GATHERED_MEMBERS = 10_000
# Members that one command tests, or whose scores it reads: about a millisecond.
GATHERED_AT_ONCE = 500
# Matches that a count asks for at a time.
COUNTED_MATCHES = 5000
# Pks that tell whether a reset has replaced the data set: then none of them exists.
WITNESSES = 100


class Matches:
    """The matches of a walk so far."""

    def __init__(self, query: Query, plan: Plan) -> None:
        self._query, self._plan = query, plan
        self.markers: list[Any] = []
        #: how many of the first matches to leave out, once they are in order
        self.left = 0
        self.pks: list[int] = []
        self.scores: list[bytes] = []
        #: the rows, if all came along in the first step
        self.rows: list[Row] = []
        #: whether one step gave all of it, so that it is of one moment
        self.at_once = False
        #: pks of the data set that was read; after a reset none of them exists
        self.witnesses: list[int] = []
        #: whether more objects may match behind these
        self.unfinished = False
        self._seen: set[int] = set()

    def read(
        self, skip: int, wanted: int, after: Entry | None, fields: Sequence[bytes]
    ) -> Flow[None]:
        """Read so many matches, and all that have the score of the last one."""
        place, need = _place_of(self._plan, after), None
        if self._plan.clauses is None:
            pairs = yield from self._scored_pks()
            self._gather(pairs, skip, skip + wanted, after)
            return
        while True:
            last = self.scores[-1] if self.scores else b''
            # The object at the place itself is among those of its score, if that settles no order.
            more = int(need is None and place != START and not place.member)
            step = self._plan.step(place, skip, wanted + more, last, fields)
            reply = yield from ask_quick(*step)
            markers, left, pks, scores, self.rows, behind, enough, fewest, witnesses = reply
            clause, members = fewest
            self.at_once = need is None
            if need is None:
                self.markers, self.left, need = markers, left, left + wanted
                self._witness([*pks, *witnesses])
            self._add(pks_of(self._query.schema, pks), scores)
            # Some of these may be left out.
            need += sum(self._is_doubtful(float(score), after) for score in scores)
            self.unfinished = behind is not None
            if behind is None or (enough and len(self.pks) >= need):
                return
            if not enough and clause and members <= GATHERED_MEMBERS:
                pairs = yield from self._sifted(clause)
                self._gather(pairs, self.left, need, after)
                return
            place, fields = Place(*behind), ()
            skip, wanted = 0, max(0, need - len(self.pks))

    def _add(self, pks: Sequence[int], scores: Sequence[bytes]) -> None:
        """Add the matches of a step. Those that moved on since an earlier step are here now."""
        if not self._seen.isdisjoint(pks):
            moved = set(pks)
            stay = [i for i, pk in enumerate(self.pks) if pk not in moved]
            self.pks, self.scores = [self.pks[i] for i in stay], [self.scores[i] for i in stay]
        self._seen.update(pks)
        self.pks += pks
        self.scores += scores

    def _scored_pks(self) -> Flow[Iterable[tuple[int, Any]]]:
        """Return the pks that match, and their scores or None."""
        schema, plan = self._query.schema, self._plan
        flows: list[Flow[Any]] = [ask(*read_markers(schema.keys)), primary_keys(self._query)]
        markers, pks = yield from together(flows)
        if not self.witnesses:
            self.markers = markers
            self._witness(pks)
        scores: list[Any] = []
        batches = [Batch([('ZMSCORE', plan.key, *some)]) for some in chunks(pks, GATHERED_AT_ONCE)]
        yield Stream(batches, lambda replies: scores.extend(replies[0]))
        return zip(pks, scores, strict=True)

    def _sifted(self, clause: int) -> Flow[Iterable[tuple[int, Any]]]:
        """Return the pks that match, and their scores, by the members of the sets of a clause."""
        plan = self._plan
        assert plan.clauses is not None
        if len(self._query.filters) == len(plan.clauses.clauses) == 1:
            return (yield from self._scored_pks())
        # Thousands of members are not intersected in one go: that would take 5 to 10 ms.
        (literal,) = plan.clauses.clauses[clause - 1]
        replies = yield Batch([('SMEMBERS', key) for key in literal.sets])
        found: list[tuple[bytes, Any]] = []
        every = chunks(dict.fromkeys(chain.from_iterable(replies)), GATHERED_AT_ONCE)
        batches = (Batch([plan.sift(clause, some)]) for some in every)
        yield Stream(batches, lambda replies: found.extend(zip(*replies[0], strict=True)))
        pks = pks_of(self._query.schema, [pk for pk, _ in found])
        return zip(pks, (score for _, score in found), strict=True)

    def _gather(
        self, pairs: Iterable[tuple[int, Any]], skip: int, need: int, after: Entry | None
    ) -> None:
        """Sort all matches, given their pks and scores."""
        plan = self._plan
        self.left, self.rows, self.at_once = skip, [], False
        found = [
            (plan.segment_of(float(score)), float(score), str(pk), pk)
            for pk, score in pairs
            if score is not None
        ]
        down = plan.by.descending
        found.sort(key=itemgetter(2), reverse=down)
        found.sort(key=itemgetter(1), reverse=down)
        found.sort(key=itemgetter(0))
        if after is not None:
            found = [each for each in found if not _comes_before(plan, each, after)]
        need += sum(self._is_doubtful(score, after) for _, score, _, _ in found)
        self.unfinished = need < len(found)
        while need < len(found) and found[need][1] == found[need - 1][1]:
            need += 1
        self.pks = [pk for _, _, _, pk in found[:need]]
        self.scores = [b'%.17g' % score for _, score, _, _ in found[:need]]

    def _witness(self, pks: Sequence[Any]) -> None:
        self.witnesses = pks_of(self._query.schema, pks[-WITNESSES:])

    def _is_doubtful(self, score: float, after: Entry | None) -> bool:
        return self._plan.is_end(score) or (
            after is not None and score == score_of(after) and not self._plan.settles(score)
        )


def score_of(entry: Entry) -> float:
    """Return the score of the first field of the order."""
    key = entry.keys[0]
    return inf if key is None else key[0]


def _place_of(plan: Plan, after: Entry | None) -> Place:
    """Return where a walk begins to find what comes behind a place."""
    if after is None:
        return START
    score = score_of(after)
    member = b'%d' % after.pk if plan.settles(score) else b''
    return Place(plan.segment_of(score), b'%.17g' % score, member)


def _comes_before(plan: Plan, found: tuple[int, float, str, int], after: Entry) -> bool:
    """Return whether a match comes before a place, or at it, as far as its score tells."""
    segment, score, text, _ = found
    place = _place_of(plan, after)
    if (segment, score) != (place.segment, float(place.score)):
        lower = score < float(place.score)
        return segment < place.segment or (segment == place.segment and lower != plan.by.descending)
    member = place.member.decode('ascii')
    return bool(member) and (text == member or (text < member) != plan.by.descending)


def count_matches(query: Query, plan: Plan, most: int) -> Flow[int]:
    """Return how many objects match, at most ``most``, in steps that each take milliseconds."""
    place: Place | None = START
    marker, total, known = None, 0, b''
    while place is not None and total < most:
        commands = [plan.step(place, 0, COUNTED_MATCHES)]
        if known:
            commands.append(('SISMEMBER', query.schema.keys.all, known))
        (now, _, pks, _, _, behind, *_, witnesses), *listed = yield Batch(commands, shared=True)
        if known and (now != marker or listed == [0]):
            place, total, known = START, 0, b''  # a reset replaced the data set, most likely
            continue
        marker, total = now, total + len(pks)
        place = None if behind is None else Place(*behind)
        known = known or next(iter(witnesses), b'')
    return min(total, most)
