"""One attempt at a run: objects go from the selects into the reset, which tells back their pks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

from .. import ResetObserver, resetChanged, resetMany
from .database import Snapshot
from .known import Known
from .layout import Layout
from .problems import Rules, Tally, refuse
from .report import ModelReport
from .rows import Rows
from .source import Source

__all__ = ('Attempt', 'Counts', 'Progress')

# Called with the name of a model, how many of its rows are read, and how many there are (None if
# nobody knows).
Progress = Callable[[str, int, 'int | None'], Any]
Counts = tuple[int, int, int, int]


class Attempt(ResetObserver):
    """Reads, converts, stages; refuses what the rules forbid just before the swap.

    :param taken: the transaction to read in
    :param sources: in the order in which they can be linked
    :param stored: how many objects there are now
    :param totals: how many rows there are, as far as known
    :param diff: whether only changes are to be written
    :param circles, careful: see :class:`~.rows.Rows`
    """

    def __init__(
        self,
        taken: Snapshot,
        sources: list[Source],
        stored: Mapping[Source, int],
        totals: Mapping[Source, int | None],
        rules: Rules,
        progress: Progress,
        diff: bool,
        circles: bool,
        careful: bool,
    ) -> None:
        self._taken, self._sources, self._totals = taken, sources, totals
        self._rules, self._progress = rules, progress
        self._circles, self._careful = circles, careful
        self.tallies = {source: Tally(source.model, stored[source]) for source in sources}
        self._by_name = {source.model.KEY_NAME: source for source in sources}
        self._known = {source: Known() for source in sources if diff or self._is_target(source)}
        self.seconds = dict.fromkeys(('read', 'convert', 'stage', 'swap'), 0.0)
        self._begun, self._swap_begun = perf_counter(), 0.0

    def _is_target(self, source: Source) -> bool:
        layouts = [each.links for each in self._sources]
        return any(
            getattr(model, 'KEY_NAME', None) == source.model.KEY_NAME
            for links in layouts
            for model in links.values()
        )

    def rehearse(self) -> None:
        """Do everything that writes nothing."""
        for source in self._sources:
            for number, _ in enumerate(self._objects(source), 1):
                if source in self._known:
                    self._known[source].assigned([number])
        self.swapping()

    def replace(self, stamp: str) -> dict[Source, Counts]:
        """Replace all data sets."""
        groups = [(source.model, self._objects(source)) for source in self._sources]
        resetMany(groups, self, stamp)
        self._note_times()
        return {source: (tally.made, 0, 0, tally.stored) for source, tally in self.tallies.items()}

    def change(self, stamp: str, most: int) -> dict[Source, Counts]:
        """Write what differs."""
        groups = [(source.model, self._objects(source)) for source in self._sources]
        keys = {source.model: source.key_field for source in self._sources}
        counts = resetChanged(groups, keys, most, self, stamp)  # type: ignore[arg-type]
        self._note_times()
        return {source: tuple(each) for source, each in zip(self._sources, counts, strict=True)}  # type: ignore[misc]

    def _note_times(self) -> None:
        now = perf_counter()
        self.seconds['swap'] = now - self._swap_begun
        self.seconds['stage'] = now - self._begun - sum(self.seconds.values())

    def assigned(self, model: Any, objs: Any, pks: Any) -> None:
        """The reset has taken a block."""
        source = self._by_name[model.KEY_NAME]
        if source in self._known:
            self._known[source].assigned(pks)

    def staged(self, model: Any, count: int, size: int) -> None:
        """The reset has encoded a chunk."""
        self.tallies[self._by_name[model.KEY_NAME]].size += size

    def swapping(self) -> None:
        """Everything is there: the last moment to refuse."""
        refuse([text for tally in self.tallies.values() for text in tally.refusals(self._rules)])
        self._swap_begun = perf_counter()

    def _objects(self, source: Source) -> Iterator[Any]:
        """The objects of one model; the time that making them takes is noted."""
        tally = self.tallies[source]
        stream = self._stream(source)
        while True:
            begun, read = perf_counter(), self.seconds['read']
            obj = next(stream, None)
            spent = perf_counter() - begun
            self.seconds['convert'] += spent - (self.seconds['read'] - read)
            if obj is None:
                return
            tally.made += 1
            yield obj

    def _stream(self, source: Source) -> Iterator[Any]:
        rows: Rows | None = None
        tally, total = self.tallies[source], self._totals[source]
        for names, chunk in self._chunks(source):
            if rows is None:
                layout = Layout(source, names, self._sources)
                refuse(layout.problems)
                rows = Rows(source, layout, tally, self._known, self._rules.dangling,
                            self._circles, self._careful)  # fmt: skip
            yield from rows.objects(chunk)
            tally.read += len(chunk)
            self._progress(source.name, tally.read, total)
        assert rows is not None
        yield from rows.late()

    def _chunks(self, source: Source) -> Iterator[Any]:
        chunks = self._taken.chunks(source.name, source.statement)
        while True:
            begun = perf_counter()
            chunk = next(chunks, None)
            self.seconds['read'] += perf_counter() - begun
            if chunk is None:
                self._taken.close()
                return
            yield chunk

    def report(self, counts: Mapping[Source, Counts]) -> dict[str, ModelReport]:
        """The figures of each model."""
        return {
            source.name: ModelReport(
                read=tally.read,
                written=counts[source][0] + counts[source][1],
                unchanged=counts[source][2],
                removed=counts[source][3],
                bad=tally.bad,
                skipped=tally.skipped,
                dangling=tally.dangling,
                bytes=tally.size,
            )
            for source, tally in self.tallies.items()
        }

    def warnings(self) -> list[str]:
        """What was left out, with examples."""
        bad = [(tally, 'bad', 'rows left out', tally.bad) for tally in self.tallies.values()]
        dangling = [
            (tally, 'dangling', 'links that lead to no row', tally.dangling)
            for tally in self.tallies.values()
        ]
        return [
            f'{tally.name}: {count:,} {what}:{tally.examples(kind)}'
            for tally, kind, what, count in (*bad, *dangling)
            if count
        ]
