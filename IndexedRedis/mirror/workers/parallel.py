"""A run with workers, in the process that was asked for it: it cuts, listens, judges and commits.

The rule: the rules of the mirror judge all parts together, once all rows are staged.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, perf_counter
from typing import Any, NamedTuple

from ... import ResetObserver
from ...managers.editions import beginEdition, commitEdition, dropEdition, keepEdition
from ..attempt import Attempt, Input, Outcome
from ..database import Snapshot
from ..guards import refuse
from ..order import targets_of
from ..source import Source
from .blueprint import Blueprint
from .cuts import Cut, cut_of
from .messages import All, Begin, Done, Keys, Load, Rows
from .moment import one_moment
from .seen import SeenKeys
from .team import Team
from .worker import Order

__all__ = ('Parallel', 'Workers')

# How often the locks of the edition are extended.
KEEP_SECONDS = 1.0


class Workers(NamedTuple):
    """How many workers a run has, and what they make the mirror from."""

    number: int
    blueprint: Blueprint


class _Fence(ResetObserver):
    """Has the flip check the lock of the run."""

    def __init__(self, fence: bytes) -> None:
        self.fence = fence


class Parallel(Attempt):
    """Has workers read, convert and stage, and makes what they staged live.

    :param workers: see :class:`Workers`
    """

    def __init__(self, given: Input, workers: Workers) -> None:
        super().__init__(given, diff=False, circles=True)
        self._workers = workers
        self._kept = 0.0
        self._cuts: dict[Source, Cut] = {}
        #: what each worker said last of its seconds
        self._seconds_of: dict[int, dict[str, float]] = {}
        #: for each source, the workers that have not staged their parts
        self._waiting = {source: {*range(workers.number)} for source in given.sources}
        #: for each source and link, the keys in the join table that no worker's rows have
        self._unused: dict[tuple[Source, str], list[Any]] = {}
        self._seen: dict[Source, SeenKeys] = {}

    def replace(self, stamp: str) -> dict[Source, Outcome]:
        """Replace all data sets.

        :param stamp: when reading began, in ISO 8601
        :raises MirrorError: if a worker fails
        """
        with Team(self._orders()) as team:
            self._cuts = self._begin(team)
            edition = beginEdition([source.model for source in self._input.sources])
            try:
                self._load(team, edition)
                self.swapping()
            except BaseException:
                team.kill()  # so that nobody stages any more
                with suppress(Exception):  # then the next reset drops it
                    dropEdition(edition)
                raise
            staged = {source.model: counts.made for source, counts in self.counts.items()}
            # If it fails, it drops the edition, unless that is live.
            commitEdition(edition, staged, _Fence(self.fence), stamp)
            self._note_seconds()
        return {
            source: (counts.made, 0, 0, counts.stored) for source, counts in self.counts.items()
        }

    def _orders(self) -> list[bytes]:
        rules, snapshot = self._input.rules, self._input.snapshot
        orders = (
            Order(number, self._workers.blueprint, rules.skip_bad, snapshot.is_careful)
            for number in range(self._workers.number)
        )
        return [*map(pickle.dumps, orders)]

    def _begin(self, team: Team) -> dict[Source, Cut]:
        """Begin all transactions at one moment; return how the selects are cut."""
        sources, snapshot = self._input.sources, self._input.snapshot
        team.await_ready()
        with one_moment(snapshot, sources) as moment:
            team.tell(Begin(moment))
            team.await_ready()
        return cuts_of(sources, snapshot, self._workers.number)

    def _load(self, team: Team, edition: Any) -> None:
        team.tell(Load(edition, [*self._cuts.values()]))
        while any(self._waiting.values()):
            if monotonic() - self._kept > KEEP_SECONDS:
                self._keep(edition)
            self._check_lock()
            heard = team.hear(KEEP_SECONDS)
            if heard:
                self._take(team, *heard)

    def _keep(self, edition: Any) -> None:
        self._kept = monotonic()
        keepEdition(edition)

    def _take(self, team: Team, number: int, message: Any) -> None:
        """Take a message of a worker."""
        if isinstance(message, Rows):
            self._note_rows(message)
        elif isinstance(message, Keys):
            self._take_keys(team, number, message)
        elif isinstance(message, Done):
            self._note_done(team, number, message)

    def _note_rows(self, message: Rows) -> None:
        source = self._input.sources[message.source]
        counts = self.counts[source]
        counts.read += message.rows
        self._input.progress(source.name, counts.read, self._cuts[source].rows)

    def _take_keys(self, team: Team, number: int, message: Keys) -> None:
        source = self._input.sources[message.source]
        if not self._cuts[source].apart:
            seen = self._seen.setdefault(source, SeenKeys(source))
            keys, _ = pickle.loads(message.packed)
            refuse(seen.problems(number, keys, pickle.loads(message.stored)))
        if self._is_target(source):
            team.tell(message._replace(stored=b''), but=number)

    def _is_target(self, source: Source) -> bool:
        sources = self._input.sources
        return any(source in targets_of(other, sources) for other in sources)

    def _note_done(self, team: Team, number: int, message: Done) -> None:
        source = self._input.sources[message.source]
        self.counts[source].add(message.figures, message.examples)
        self._seconds_of[number] = message.seconds
        if self._cuts[source].has_part(number):
            for name, keys in message.unused.items():
                self._join_unused(source, name, keys)
        self._waiting[source].discard(number)
        if not self._waiting[source]:
            self._judge(source)
            self._seen.pop(source, None)
            team.tell(All(message.source))

    def _join_unused(self, source: Source, name: str, keys: Sequence[Any]) -> None:
        """Keep the keys that no worker's rows have: each worker reads the whole join table."""
        known = self._unused.get((source, name))
        others = None if known is None else {*keys}
        left = keys if known is None or others is None else [k for k in known if k in others]
        self._unused[source, name] = [*left]

    def _judge(self, source: Source) -> None:
        """Check what only all parts together show."""
        read, rows = self.counts[source].read, self._cuts[source].rows
        if read != rows:
            refuse(
                [
                    f'{source.name}: the workers read {read:,} rows together, and the select has '
                    f'{rows:,}. It gives other rows whenever it runs: one with LIMIT needs '
                    'ORDER BY a unique key. Or load with workers=1.'
                ]
            )
        for (named, name), keys in self._unused.items():
            if named is source:
                self._note_unused(source, name, keys)

    def _note_seconds(self) -> None:
        """Note the times of the phases: those of all workers together, but for the swap."""
        for phase in ('read', 'convert', 'stage'):
            self.seconds[phase] = sum(each[phase] for each in self._seconds_of.values())
        self.seconds['swap'] = perf_counter() - self._swap_begun


def cuts_of(sources: Sequence[Source], snapshot: Snapshot, workers: int) -> dict[Source, Cut]:
    """Return how each select is cut; those that are not go to the workers in turn."""
    return {
        source: cut_of(source, sources, snapshot, workers, place % workers)
        for place, source in enumerate(sources)
    }
