"""The judge of a random history over partitions. The rule: it knows what was asked for, and what
was answered, and when; what is true in between follows from that alone.

Moments are numbers of steps. Data sets are named by their number, and each becomes true at most
once, so an answer of one that was seen before another is an error if it comes after that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

from partitions.rows import edition_of


@dataclass
class Act:
    """What a process has done.

    :param kind: ``read``, ``count``, ``reset``, ``destroy``, ``wipe`` or ``write``
    :param values: of a write: name of each object -> its `n`, None: it is deleted; of a reset: the
        number of the data set
    """

    kind: str
    began: float
    values: Any = None
    ended: float = inf
    #: ``done``, ``unknown`` (it died, or said so), or ``nothing``
    outcome: str = 'unknown'
    result: Any = None
    error: str = ''
    #: of a write that was done, if it is known: name of each object -> its pk
    pks: dict[str, int] = field(default_factory=dict)


@dataclass
class Seen:
    """An answer: one data set, and the objects besides, by name."""

    began: float
    ended: float
    edition: int
    others: dict[str, int] = field(default_factory=dict)
    #: their pks, by name
    pks: dict[str, int] = field(default_factory=dict)


class Court:
    """Compares the answers of a history with its writes.

    :param failover: when primaries were being replaced: begin and end; None: never. A primary
        carries out a write, and shows it to readers, before replicas confirm it. So what nobody has
        acknowledged may be read and then be lost:

        - a pk may be drawn again, unless a write that was done has told it. A save that goes on at
          the new primary gets another pk, so this is about the pk, not about the object;
        - a data set whose reset was not done may be seen, and then the one before again. Only the
          old primary shows it, until it learns that it was replaced.
    """

    def __init__(self, acts: list[Act], failover: tuple[float, float] | None = None) -> None:
        self._acts, self._failover = acts, failover
        self._resets = {act.values: act for act in acts if act.kind == 'reset'}
        self._wipes = [a for a in acts if a.kind == 'wipe' and a.outcome != 'nothing']
        self._destroyed = [a for a in acts if a.kind == 'destroy' and a.outcome != 'nothing']
        self._writes: dict[str, list[tuple[int | None, Act]]] = defaultdict(list)
        for act in acts:
            if act.kind == 'write' and act.outcome != 'nothing':
                for name, n in act.values.items():
                    self._writes[name].append((n, act))
        self._owners: dict[int, str] = {}
        self._told = {pk for act in acts if act.outcome == 'done' for pk in act.pks.items()}

    def faults(self) -> Iterator[str]:
        """All that is wrong."""
        answers = []
        for act in self._acts:
            seen = self._seen(act) if act.kind == 'read' and act.outcome == 'done' else None
            if seen:
                answers.append(seen)
        sights = answers + [
            Seen(act.began, act.ended, act.values)
            for act in self._resets.values()
            if act.outcome == 'done'
        ]
        yield from self._back_again([seen for seen in sights if self._is_to_last(seen)])
        first_end: dict[int, float] = defaultdict(lambda: inf)
        for seen in sights:
            first_end[seen.edition] = min(first_end[seen.edition], seen.ended)
        for seen in answers:
            yield from self._wrong(seen)
            yield from self._missing(seen, first_end[seen.edition])
        yield from self._twice()

    def _seen(self, act: Act) -> Seen | None:
        """The answer of a read.

        :raises AssertionError: if it is a mixture
        """
        saved = [row for row in act.result if not row.edition]
        others = {row.name: row.n for row in saved}
        assert len(others) == len(saved), f'an object twice: {saved}'
        if len(others) == len(act.result):
            assert any(each.began < act.ended for each in self._destroyed), f'nothing: {act}'
            return None
        edition = edition_of(act.result)
        reset = self._resets[edition]
        assert reset.began < act.ended, 'a data set from the future'
        assert reset.outcome != 'nothing', f'{edition} was refused, and is there: {reset}'
        pks = {row.name: row._id for row in saved}
        return Seen(act.began, act.ended, edition, others, pks)

    def _is_to_last(self, seen: Seen) -> bool:
        """Whether a data set that was seen must not be followed by the one before."""
        if self._failover is None or self._resets[seen.edition].outcome == 'done':
            return True
        began, ended = self._failover
        return seen.ended < began or seen.began > ended

    def _back_again(self, sights: list[Seen]) -> Iterator[str]:
        """Data sets that were seen, then another one, then they again."""
        spans: dict[int, tuple[float, float]] = {}
        for seen in sights:
            first, last = spans.get(seen.edition, (inf, -inf))
            spans[seen.edition] = min(first, seen.ended), max(last, seen.began)
        for edition, (first, last) in spans.items():
            for seen in sights:
                if seen.edition != edition and first < seen.began and seen.ended < last:
                    yield f'data set {edition}, then {seen.edition}, then {edition} again: {seen}'

    def _wrong(self, seen: Seen) -> Iterator[str]:
        """Objects that must not be there, or not so."""
        reset = self._resets[seen.edition]
        for name, n in seen.others.items():
            possible = [
                act
                for value, act in self._writes.get(name, ())
                if value == n and act.began < seen.ended and not act.ended < reset.began
            ]
            if not possible:
                yield f'{name} = {n} in data set {seen.edition} is explained by nothing: {seen}'
                continue
            since = max(act.ended for act in possible)
            for value, act in self._writes.get(name, ()):
                if act.outcome == 'done' and act.began > since and act.ended < seen.began:
                    yield f'{name} = {n} was overwritten by {value}: {seen}'

    def _missing(self, seen: Seen, true_since: float) -> Iterator[str]:
        """Objects that must be there.

        :param true_since: when the data set certainly was true
        """
        for name, writes in self._writes.items():
            n, last = writes[-1]
            if last.outcome != 'done' or n is None or not true_since < last.began:
                continue
            wiped = any(w.began < seen.ended and w.ended > last.began for w in self._wipes)
            if not last.ended < seen.began or wiped:
                continue
            if seen.others.get(name) != n:
                yield f'{name} = {n} is missing: {last}, {seen}'
            elif seen.pks[name] != last.pks.get(name, seen.pks[name]):
                yield f'{name} has a pk that its writer was not told: {last}, {seen}'

    def _twice(self) -> Iterator[str]:
        """Pks that two objects have."""
        for act in self._acts:
            for row in act.result if act.kind == 'read' and act.outcome == 'done' else ():
                is_told = row.edition or (row.name, row._id) in self._told
                if self._failover is not None and not is_told:
                    continue
                if self._owners.setdefault(row._id, row.name) != row.name:
                    yield f'pk {row._id} is of {row.name} and of {self._owners[row._id]}'

    def story(self, fault: str) -> str:
        """What was done to the object that a fault begins with."""
        name = ' '.join(fault.split()[:2])
        return '\n'.join(
            f'    {act.began} to {act.ended}: {act.values}, {act.outcome} {act.error}'
            for act in self._acts
            if act.kind == 'write' and name in act.values
        )
