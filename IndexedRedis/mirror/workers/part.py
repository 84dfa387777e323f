"""The part of a run that one worker carries out: an attempt that reads a part of each select."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any

from ...managers.editions import stageEdition
from ..attempt import Attempt, Input
from ..keys.joins import JoinedKeys
from ..rows import RowConverter
from ..source import Source
from .cuts import Cut, part_of
from .messages import Load

__all__ = ('Part',)


class Part(Attempt):
    """Reads, converts and stages the rows of one worker.

    :param number: that of the worker
    :param load: what it loads
    """

    def __init__(self, given: Input, number: int, load: Load) -> None:
        super().__init__(given, diff=False, circles=True)
        self._number, self._edition = number, load.edition
        self.cuts: dict[Source, Cut] = dict(zip(given.sources, load.cuts, strict=True))
        self._unused: dict[str, list[Any]] = {}
        self._converters: dict[Source, RowConverter] = {}

    def load(self, source: Source) -> dict[str, list[Any]]:
        """Stage the part of a source; return the keys in its join tables that no row here has."""
        self._unused = {}
        if self.cuts[source].has_part(self._number):
            begun, before = perf_counter(), self.seconds['read'] + self.seconds['convert']
            stageEdition(self._edition, [(source.model, self._items(source))], self)
            others = self.seconds['read'] + self.seconds['convert'] - before
            self.seconds['stage'] += perf_counter() - begun - others
        return self._unused

    def figures(
        self, source: Source
    ) -> tuple[dict[str, int], dict[str, list[str]], dict[str, float]]:
        """Return the counts of a source, examples, and the seconds so far."""
        counts = self.counts[source]
        return counts.figures(), counts.all_examples(), dict(self.seconds)

    def keys(self, source: Source, size: int) -> Iterator[tuple[list[Any], list[int], list[Any]]]:
        """Yield keys, their pks, and keys as they are stored where they differ, in blocks.

        No keys of other workers may be taken before.
        """
        converter = self._converters.get(source)
        stored: Iterator[Any] = iter(converter.stored_keys if converter else ())
        pks = self._key_maps[source].pks if source in self._key_maps else {}
        rest = iter(pks.items())
        while True:
            pairs, more = [*islice(rest, size)], [*islice(stored, size)]
            if not pairs and not more:
                return
            yield [key for key, _ in pairs], [pk for _, pk in pairs], more

    def take_keys(self, source: Source, keys: Iterable[Any], pks: Sequence[int]) -> None:
        """Take over the keys of the rows of another worker."""
        self._key_maps[source].pks.update(zip(keys, pks, strict=True))

    def swapping(self) -> None:
        """Leave it to the run to judge all parts together."""

    def _rows_of(self, source: Source) -> Any:
        dialect = self._input.snapshot.connection.dialect.name
        return part_of(source, self.cuts[source], self._number, dialect)

    def _note_unused(self, source: Source, name: str, keys: Iterable[Any]) -> None:
        self._unused[name] = [*keys]

    def _converter(
        self, source: Source, columns: list[str], joined: dict[str, JoinedKeys]
    ) -> RowConverter:
        converter = self._converters[source] = super()._converter(source, columns, joined)
        return converter
