"""One attempt of a run: rows go from the selects into the reset, which assigns their pks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from time import perf_counter
from typing import Any, NamedTuple

from .. import ResetObserver, resetChanged, resetMany
from ..managers.resets import StoredRows
from .database import Snapshot
from .drivers.zero_dates import zero_date_problems
from .guards import ModelCounts, Rules, applies, refuse
from .keys.joins import JoinedKeys, joins_of
from .keys.key_map import KeyMap
from .keys.reading import folded, is_spelled_alike, parts_of
from .keys.stored import StoredPks
from .layout import Layout
from .lock import MirrorLock
from .order import target_of
from .report import ModelReport
from .rows import RowConverter
from .source import EMPTY, Source

__all__ = ('Attempt', 'Input', 'Outcome', 'Progress')

# Called with the model's name, the number of rows read, and of all rows (None if unknown).
Progress = Callable[[str, int, 'int | None'], Any]
# Queries that ask SQL for keys which it holds equal to those of links.
MAX_QUERIES = 1000
# How many objects were inserted, updated, left unchanged, removed.
Outcome = tuple[int, int, int, int]


class Input(NamedTuple):
    """What all attempts of a run work with.

    :param sources: in the order in which they are staged
    :param stored: how many objects each model stores before the run
    :param totals: how many rows each select gives, where the database can count them
    :param lock: that of the run; None in a dry run
    """

    snapshot: Snapshot
    sources: list[Source]
    stored: Mapping[Source, int]
    totals: Mapping[Source, int | None]
    rules: Rules
    progress: Progress
    lock: MirrorLock | None


class Attempt(ResetObserver):
    """Reads, converts and stages; refuses what the rules forbid just before the swap.

    :param diff: whether only changes are written
    :param circles: see :class:`~.rows.RowConverter`
    """

    def __init__(self, given: Input, diff: bool, circles: bool) -> None:
        self._input, self._diff, self._circles = given, diff, circles
        #: whether a select gives few rows
        self._at_once = False
        self.fence = given.lock.token if given.lock else b''
        self.counts = {
            source: ModelCounts(source.model, given.stored[source]) for source in given.sources
        }
        self._by_name = {source.model.KEY_NAME: source for source in given.sources}
        self._key_maps = {source: KeyMap() for source in given.sources if source.key}
        self._key_columns: dict[Source, list[str]] = {}
        #: what SQL holds equal to keys; the keys that it was asked for along with others
        self._equal: dict[tuple[Source, Any], Sequence[Any]] = {}
        self._asked: set[tuple[Source, Any]] = set()
        self._queries = 0
        #: seconds of each phase
        self.seconds = dict.fromkeys(('read', 'convert', 'stage', 'swap'), 0.0)
        self._begun, self._swap_begun = perf_counter(), 0.0

    def rehearse(self) -> None:
        """Do everything but writing."""
        for source in self._input.sources:
            for block in self._blocks(source):
                made = self.counts[source].made
                self.assigned(source.model, block, range(made + 1, made + len(block) + 1))
        self.swapping()

    def replace(self, stamp: str) -> dict[Source, Outcome]:
        """Replace all data sets.

        :param stamp: when reading began, in ISO 8601
        """
        resetMany(self._groups(), self, stamp)
        self._note_times()
        return {
            source: (counts.made, 0, 0, counts.stored) for source, counts in self.counts.items()
        }

    def change(self, stamp: str, most: int) -> dict[Source, Outcome]:
        """Write the differences.

        :param stamp: when reading began, in ISO 8601
        :param most: how many objects may differ
        """
        keys: Any = {source.model: source.key_fields for source in self._input.sources}
        how = (most, self, stamp, self._removed(), self._movable())
        outcomes = resetChanged(self._groups(), keys, *how)
        self._note_times()
        return dict(zip(self._input.sources, outcomes, strict=True))

    def _removed(self) -> Mapping[Any, Iterable[Any] | None] | None:
        """Return the keys of objects to remove; None: all whose keys no row has."""
        return None

    def _movable(self) -> list[Any]:
        """Return the models whose objects may get new pks if many change."""
        return []

    def _groups(self) -> list[tuple[Any, Iterator[Any]]]:
        return [(source.model, self._items(source)) for source in self._input.sources]

    def _note_times(self) -> None:
        now = perf_counter()
        self.seconds['swap'] = now - self._swap_begun
        self.seconds['stage'] = now - self._begun - sum(self.seconds.values())

    def assigned(self, model: Any, objs: Any, pks: Any) -> None:
        """Remember the pks of a block."""
        source = self._by_name[model.KEY_NAME]
        self.counts[source].made += len(pks)
        if source in self._key_maps:
            self._key_maps[source].assigned(pks)

    def staged(self, model: Any, count: int, size: int) -> None:
        """Count the bytes of a chunk."""
        self.counts[self._by_name[model.KEY_NAME]].size += size

    def swapping(self) -> None:
        """Refuse what the rules forbid: nothing is live yet."""
        self._check_lock()
        refuse([text for counts in self.counts.values() for text in self._refusals(counts)])
        self._swap_begun = perf_counter()

    def _refusals(self, counts: ModelCounts) -> list[str]:
        return counts.refusals(self._input.rules)

    def _check_lock(self) -> None:
        if self._input.lock:
            self._input.lock.check()

    def _items(self, source: Source) -> Any:
        """Return the stored rows of a model, or else its objects."""
        blocks = self._blocks(source)
        return StoredRows(blocks) if self._is_encoded(source) else chain.from_iterable(blocks)

    def _is_encoded(self, source: Source) -> bool:
        targets = (target_of(self._input.sources, model) for model in source.links.values())
        objects = source in targets or self._keeps(source)
        return not objects and not source.model._validated().has_own_constructor

    def _keeps(self, source: Source) -> bool:
        return applies(self._input.rules.keep_pks, source.model) and not self._diff

    def _blocks(self, source: Source) -> Iterator[list[Any]]:
        """Yield what is made of each chunk of rows, and measure how long making takes."""
        blocks = map(list, self._parts(source))
        while True:
            begun, read = perf_counter(), self.seconds['read']
            block = next(blocks, None)
            self.seconds['convert'] += perf_counter() - begun - (self.seconds['read'] - read)
            if block is None:
                return
            if block:
                yield block

    def _parts(self, source: Source) -> Iterator[Iterator[Any]]:
        converter: RowConverter | None = None
        counts, total = self.counts[source], self._input.totals[source]
        joined = self._joined(source)
        for columns, rows in self._chunks(source.name, self._rows_of(source)):
            self._check_lock()
            if converter is None:
                converter = self._converter(source, columns, joined)
            yield converter.objects(rows)
            counts.read += len(rows)
            self._input.progress(source.name, counts.read, total)
        assert converter is not None  # there is at least one chunk
        null_is_meant = self._input.rules.zero_dates == 'null'
        refuse(zero_date_problems(self._input.snapshot, source, columns, null_is_meant))
        yield converter.late_objects()
        for name, keys in joined.items():
            self._note_unused(source, name, keys.unused())

    def _rows_of(self, source: Source) -> Any:
        """Return the select whose rows are read."""
        return source.statement

    def _note_unused(self, source: Source, name: str, keys: Iterable[Any]) -> None:
        """Count the rows of a join table that lead from no row.

        :param name: of the link that the join table feeds
        :param keys: the keys that no row has
        """
        for key in keys:
            self.counts[source].add_dangling(f'{name}: a join of {key!r}, the key of no row')

    def _joined(self, source: Source) -> dict[str, JoinedKeys]:
        """Read the join tables of a model's multi links."""
        joined = {}
        for name, join in joins_of(source, self._input.sources).items():
            keys = joined[name] = JoinedKeys()
            for columns, rows in self._chunks(join.label, join.statement):
                self._check_lock()
                refuse(join.problems(columns))
                join.add(rows, keys)
        return joined

    def _converter(
        self, source: Source, columns: list[str], joined: dict[str, JoinedKeys]
    ) -> RowConverter:
        decoded = self._input.snapshot.json_columns()
        rule = self._input.rules.zero_dates if self._input.snapshot.has_zero_dates else ''
        layout = Layout(source, columns, self._input.sources, decoded, joined, rule)
        refuse(layout.problems)
        self._key_columns[source] = [columns[number] for number in layout.key]
        return RowConverter(
            source,
            layout,
            self.counts[source],
            self._find,
            self._key_maps,
            self._input.rules.dangling,
            self._circles,
            self._is_encoded(source),
            StoredPks(source) if self._keeps(source) else None,
            self._left_before(source),
        )

    def _left_before(self, source: Source) -> Mapping[Any, Any]:
        """Return the rows that were left out before, as of :class:`~.rows.RowConverter`."""
        return EMPTY

    def _find(self, target: Source, key: Any, others: Iterable[Any]) -> Any:
        """Return what a link to a key leads to; None if there is no such row.

        If Python finds no equal key, SQL is asked: a collation may ignore case or trailing spaces.
        """
        found = self._known(target, key, others)
        if found is None and any(isinstance(part, str) for part in parts_of(key)):
            if (target, key) not in self._equal:
                self._ask(target, key, others)
            equal = self._equal[target, key]
            if len(equal) == 1 and is_spelled_alike(key, equal[0]):
                found = self._known(target, equal[0], ())
        return found

    def _known(self, target: Source, key: Any, others: Iterable[Any]) -> Any:
        """Return the pk, or the object, of a key that is equal in Python; None if there is none."""
        return self._key_maps[target].find(key)

    def _ask(self, target: Source, key: Any, others: Iterable[Any]) -> None:
        """Ask SQL for the keys that it holds equal to a key, and for those of other keys."""
        known, asked = self._key_maps[target], self._asked
        texts = {each for each in others if isinstance(each, str) and each not in known}
        pairs = {(target, each) for each in (*texts, key)} - asked - self._equal.keys()
        if len(pairs) > 1 and not self._equal_keys(target, [each for _, each in pairs]):
            self._equal.update(dict.fromkeys(pairs, ()))
        asked |= pairs
        if (target, key) not in self._equal:
            self._equal[target, key] = self._equal_keys(target, [key])

    def _equal_keys(self, target: Source, keys: Sequence[Any]) -> list[Any]:
        """Return up to two keys of a model that SQL holds equal to one of these.

        :raises GuardRefusedError: if so many were looked up that the run would take too long
        """
        if self._queries == MAX_QUERIES:
            refuse([_too_many_spellings(target)])
        self._queries += 1
        columns, statement = self._key_columns[target], self._statement_of(target)
        found = self._input.snapshot.equal_keys(statement, columns, [*map(parts_of, keys)])
        keys = [each if len(columns) > 1 else each[0] for each in found]
        return [*map(folded, keys)] if target.fold else keys

    def _statement_of(self, target: Source) -> Any:
        """Return the select of all rows of a model."""
        return target.statement

    def _chunks(self, name: str, statement: Any) -> Iterator[Any]:
        chunks = self._input.snapshot.chunks(name, statement, self._at_once)
        while True:
            begun = perf_counter()
            chunk = next(chunks, None)
            self.seconds['read'] += perf_counter() - begun
            if chunk is None:
                self._input.snapshot.close()
                return
            yield chunk

    def report(self, outcomes: Mapping[Source, Outcome]) -> dict[str, ModelReport]:
        """Return the figures of each model."""
        return {
            source.name: ModelReport(
                read=counts.read,
                written=outcomes[source][0] + outcomes[source][1],
                unchanged=outcomes[source][2],
                removed=outcomes[source][3],
                bad=counts.bad,
                skipped=counts.skipped,
                dangling=counts.dangling,
                bytes=counts.size,
            )
            for source, counts in self.counts.items()
        }


def _too_many_spellings(target: Source) -> str:
    return (
        f'More than {MAX_QUERIES:,} keys of links to {target.name} are not spelled as in its rows, '
        f'and the database had to be asked for each. foldKeys=[{target.name}] ignores upper and '
        'lower case, and spaces at the end. If they differ in other ways, select them as they are '
        'in their rows.'
    )
