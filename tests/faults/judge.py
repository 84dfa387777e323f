"""What must be stored, told from the diaries of `lives.py` and from nothing else. The rule: a row
that was read, and one that was not, needs a write that explains it in real time.

A write happens at one moment between its beginning and its end. One that was killed, or whose reply
was lost, may have happened or not; a long list of it may be finished by others, later.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from faults.lives import text

# How long after a death the server may still carry out what it was sent.
SETTLED_SECONDS = 2
# Lists that are committed and then written in steps, if they are long.
IN_STEPS = ('insert_many', 'cascade', 'update_many', 'delete_many', 'delete_pks')

Row = tuple[str, int, int]  # name, n, edition


@dataclass
class Write:
    """One write; `rows` are pk (None: not known) and ``n`` of each of its objects."""

    number: int
    way: str
    began: float
    rows: list[list[Any]]
    gone: list[int]
    wipes: Any
    whole: bool
    outcome: str = 'unknown'
    ended: float = inf
    error: str = ''
    fresh: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fresh = [pk is None for pk, _ in self.rows]

    @property
    def settled(self) -> float:
        """When it has happened, or never will unless others finish it."""
        return self.ended if self.outcome == 'done' else self.ended + SETTLED_SECONDS

    @property
    def until(self) -> float:
        """When it has happened, or never will."""
        late = self.outcome == 'unknown' and self.way in IN_STEPS
        return inf if late else self.settled

    def __str__(self) -> str:
        rows = ' '.join(f'{pk}:{n}' for pk, n in self.rows)
        what = f'{self.number} {self.way}, rows {rows or "-"}, gone {self.gone}, wipes {self.wipes}'
        return f'{self.began:.4f} to {self.ended:.4f} {what}: {self.outcome} {self.error}'


class Read(NamedTuple):
    """What was read: rows by pk, pks that were not there."""

    way: str
    began: float
    ended: float
    rows: dict[int, Row]
    absent: list[int]
    every: bool


class Fault(NamedTuple):
    """What is wrong, with which pk, of which write."""

    what: str
    pk: int | None
    number: int


def load(diaries: Mapping[Path, float]) -> tuple[list[Write], list[Read]]:
    """Read diaries; each comes with the moment at which its writer was killed."""
    writes: dict[int, Write] = {}
    reads: list[Read] = []
    for path, died in diaries.items():
        mine = []
        for line in path.read_bytes().split(b'\n')[:-1]:
            told = json.loads(line)
            if 'write' in told:
                number = told.pop('write')
                mine.append(Write(number, **told))
                writes[number] = mine[-1]
            elif 'of' in told:
                write, pks = writes[told['of']], told['pks']
                write.outcome, write.ended = told['outcome'], told['ended']
                write.error = told['error']
                write.rows = (
                    [[pk, n] for pk, (_, n) in zip(pks, write.rows, strict=True)]
                    if (pks)
                    else write.rows
                )
            else:
                reads.append(_read(told))
        for write in mine:
            write.ended = min(write.ended, died)
    return [*writes.values()], reads


def _read(told: dict[str, Any]) -> Read:
    rows = {pk: (name, n, edition) for pk, name, n, edition in told['rows']}
    way = told['read'] + (' twice the same pk' if len(rows) < len(told['rows']) else '')
    return Read(way, told['began'], told['ended'], rows, told['absent'], told['every'])


class Removals:
    """The writes that remove rows they do not name, ordered by their beginning."""

    def __init__(self, writes: Iterable[Write]) -> None:
        self._writes = sorted(writes, key=lambda write: write.began)
        self._begins = [write.began for write in self._writes]
        latest, self._latest = -inf, []
        for write in self._writes:
            latest = max(latest, write.until)
            self._latest.append(latest)
        first, self._first = inf, [inf]
        for write in reversed(self._writes):
            first = min(first, write.ended if write.outcome == 'done' else inf)
            self._first.append(first)
        self._first.reverse()

    def done_after(self, moment: float) -> float:
        """The first end of those that began after a moment and were done."""
        return self._first[bisect_right(self._begins, moment)]

    def possible_from(self, moment: float) -> float:
        """The first beginning of those that may have happened after a moment."""
        at = bisect_right(self._latest, moment)
        return self._begins[at] if at < len(self._begins) else inf


class Judge:
    """Compares what was read with what was written."""

    def __init__(self, writes: list[Write]) -> None:
        self._writes = sorted(writes, key=lambda write: write.began)
        self._of = {write.number: write for write in writes}
        effective = [write for write in self._writes if write.outcome != 'nothing']
        kinds = ('all', *range(7))
        self._removals = {
            kind: Removals(write for write in effective if write.wipes == kind) for kind in kinds
        }
        self._by_pk: dict[int, list[Write]] = defaultdict(list)
        for write in effective:
            for pk in {*(pk for pk, _ in write.rows if pk is not None), *write.gone}:
                self._by_pk[pk].append(write)
        self._seen: dict[tuple[int, int], int] = {}

    def faults(self, reads: list[Read], final: dict[int, Row]) -> Iterator[Fault]:
        """All that is wrong.

        :param final: what is stored in the end, when nobody writes
        """
        end = Read('final', inf, inf, final, [], True)
        for read in (*reads, end):
            yield from self._wrong(read)
        yield from self._missing(sorted(reads, key=lambda read: read.began), end)
        yield from self._torn(final)
        yield from self._twice()

    # -- what is there -------------------------------------------------------------------------

    def _wrong(self, read: Read) -> Iterator[Fault]:
        if 'twice' in read.way:
            yield Fault(f'{read.way} at {read.began:.4f}', None, 0)
        for pk, row in read.rows.items():
            what = self._wrong_row(pk, row, read)
            if what:
                yield Fault(f'{what}: {row}, read by {read.way} at {read.began:.4f}', pk, row[2])

    def _wrong_row(self, pk: int, row: Row, read: Read) -> str:
        name, n, edition = row
        write, place = self._of.get(edition), int(name.split('/')[1])
        if write is None or name != text(edition, place, n):
            return 'a row that is not whole'
        if write.outcome == 'nothing':
            return 'a row of a write that raised'
        if write.began > read.ended or place >= len(write.rows):
            return 'a row that was not written yet'
        wanted, wanted_n = write.rows[place]
        # Links lead to rows that are not listed, as long as these are readable: of an old data set.
        if read.way == 'links':
            return ''
        if wanted not in (None, pk) or wanted_n != n:
            return 'a row under another pk'
        self._seen[edition, place] = pk
        if self._overwritten(pk, n, write) < read.began:
            return 'a row that was overwritten or deleted'
        return ''

    def _overwritten(self, pk: int, n: int, write: Write) -> float:
        """When a row certainly had been overwritten, or deleted."""
        later = [self._removals[kind].done_after(write.settled) for kind in ('all', n)]
        for other in self._by_pk[pk]:
            if other.outcome == 'done' and other.began > write.settled:
                later.append(other.ended)
        return min(later)

    # -- what is not ---------------------------------------------------------------------------

    def _may_be_gone(self, pk: int, write: Write, but: Write | None = None) -> float:
        """From when on a row that was written may be gone."""
        others = self._by_pk[pk]
        kinds = {'all', *(n for each in (write, *others) for p, n in each.rows if p in (pk, None))}
        moments = [self._removals[kind].possible_from(write.began) for kind in kinds]
        for other in others:
            if pk in other.gone and other is not but and other.until > write.began:
                moments.append(other.began)
        return min(moments)

    def _missing(self, reads: list[Read], final: Read) -> Iterator[Fault]:
        """Rows that must have been there."""
        kept = [
            (write.ended, self._may_be_gone(pk, write), pk, write)
            for write in self._writes
            for pk, _ in write.rows
            if write.outcome == 'done'
        ]
        kept.sort(key=lambda each: each[:2])
        there: list[tuple[float, float, int, Write]] = []
        at = 0
        for read in (*reads, final):
            while at < len(kept) and kept[at][0] < read.began:
                there.append(kept[at])
                at += 1
            there = [each for each in there if each[1] > read.began or each[1] == inf]
            absent = {*read.absent}
            for _, gone, pk, write in there:
                lacks = pk not in read.rows if read.every else pk in absent
                if lacks and gone >= read.ended:
                    what = f'a row is missing, read by {read.way} at {read.began:.4f}'
                    yield Fault(what, pk, write.number)

    def _torn(self, final: dict[int, Row]) -> Iterator[Fault]:
        """Lists of which only a part was written or deleted."""
        editions = {edition for edition, _ in self._seen}
        for write in self._writes:
            if write.outcome != 'unknown' or not write.whole or 'Conflict' in write.error:
                continue
            if write.number in editions:
                for place, (pk, n) in enumerate(write.rows):
                    known = self._seen.get((write.number, place), pk)
                    if self._lacks(final, known, n, write):
                        yield Fault(
                            f'a list that is written by half: row {place}', known, write.number
                        )
            if any(pk in final and self._before(final[pk], write) for pk in write.gone):
                for pk in write.gone:
                    if pk not in final and self._stays_without(pk, write):
                        yield Fault('a list that is deleted by half', pk, write.number)

    def _before(self, row: Row, write: Write) -> bool:
        return self._of[row[2]].settled < write.began

    def _lacks(self, final: dict[int, Row], pk: int | None, n: int, write: Write) -> bool:
        """Whether a row of a list that was written is not there, and nothing explains it."""
        if pk is None:
            kinds = ('all', n)
            return min(self._removals[kind].possible_from(write.began) for kind in kinds) == inf
        if pk in final:
            return self._before(final[pk], write)
        return self._may_be_gone(pk, write) == inf

    def _stays_without(self, pk: int, write: Write) -> bool:
        """Whether a row would be there without this deletion."""
        before = [each for each in self._by_pk[pk] if any(pk == own for own, _ in each.rows)]
        done = [each for each in before if each.outcome == 'done' and each.ended < write.began]
        return bool(done) and self._may_be_gone(pk, done[-1], but=write) == inf

    def _twice(self) -> Iterator[Fault]:
        """Pks that were handed out twice."""
        drawn: dict[int, Write] = {}
        for write in self._writes:
            for (pk, _), fresh in zip(write.rows, write.fresh, strict=True):
                if fresh and pk is not None:
                    if pk in drawn:
                        what = f'a pk that {drawn[pk].number} drew was drawn again'
                        yield Fault(what, pk, write.number)
                    drawn[pk] = write

    # -- for people ----------------------------------------------------------------------------

    def story(self, fault: Fault, lines: int = 30) -> str:
        """What was written around a fault, in the order of its beginning."""
        around = [
            write
            for write in self._writes
            if write.number == fault.number
            or (fault.pk is not None and write in self._by_pk[fault.pk])
            or write.wipes is not None
        ]
        at = next((i for i, write in enumerate(around) if write.number == fault.number), 0)
        return '\n'.join(f'  {write!s:.200}' for write in around[max(0, at - 10) : at + lines])
