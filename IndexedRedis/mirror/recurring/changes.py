"""A run that reads the rows whose watermark moved, and finds those that went.

The rule: where that may not be all that changed, only a full run is right.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import DateTime, false, literal, or_, select

from ..attempt import Input
from ..follow.batch import Batch
from ..follow.dependents import keyed_sources
from ..follow.keyed import named_rows
from ..keys.reading import key_in
from ..source import Source
from .comparing import gone_keys
from .marks import Clock, FullRunError, Mark, marked
from .words import Words

__all__ = ('ChangedBatch',)


class ChangedBatch(Batch):
    """Reads what changed since the last run.

    :param given: what the run works with
    :param clock: when it begins
    :param compare_each: how many runs there are from one that compares all keys to the next
    :raises FullRunError: if a full run is needed
    """

    def __init__(self, given: Input, clock: Clock, compare_each: int) -> None:
        sources, snapshot = given.sources, given.snapshot
        stamp, words = Words.stored(sources, given.rules)
        known = keyed_sources(sources, snapshot, given.rules)
        super().__init__(given, known, dict.fromkeys(sources), stamp)
        self._clock = clock
        self._before = {source.name: given.stored[source] for source in sources}
        runs = (words.runs + 1) % compare_each
        marks = dict(words.marks)
        for source in self._changed:
            if source.watermark is not None:
                mark = marks.get(source.model.KEY_NAME, Mark())
                self._changed[source], mark = self._keys_of(source, mark, runs == 0)
                marks[source.model.KEY_NAME] = mark
        #: what to store with the data
        self.words = words._replace(marks=marks, runs=runs)

    def _keys_of(self, source: Source, mark: Mark, compare: bool) -> tuple[set[Any], Mark]:
        """Return the keys that changed, and the next mark.

        :param compare: whether to compare all keys in any case
        """
        live, dead = set[Any](), set[Any]()
        values = set[Any]()
        for watermark, is_dead, *parts in self._rows(source, mark.low(source.overlap, self._clock)):
            if None in parts:
                raise FullRunError(f'the key of a row of {source.name} is null')
            (dead if is_dead else live).add(key_in(parts))
            values.add(watermark)
        name = f'{source.name}.{source.watermark}'
        mark = marked(name, values, mark, source.overlap, self._clock)
        keys, before = live | dead, self._before[source.name]
        came = len(live) - self._number_stored(source, [*live])
        stored = before + came - self._number_stored(source, [*dead])
        rows = self._input.snapshot.count(self._whole[source.name].source.statement) or 0
        # A row that was left out for the unique value of another may fit since that one changed.
        may_fit = rows > stored and keys and source.model._validated().uniques
        if compare or may_fit or rows - stored != self._left_out(mark, before):
            came_too, gone = self._compared(source)
            stored -= len(gone - keys)
            keys |= came_too | gone
        mark = mark._replace(left=rows - stored, stored=stored)
        if self._is_too_many(source, keys):
            raise FullRunError(f'{len(keys):,} rows of {source.name} changed')
        return keys, mark

    def _rows(self, source: Source, low: Any) -> Any:
        """Return watermark, whether the tombstone is set, and key of rows that may have changed."""
        known = self._whole[source.name]
        _, by_name = named_rows(source.every_row, known.columns)
        watermark = by_name[source.named('changed', source.watermark, known.columns)]
        is_dead: Any = false()
        if source.tombstone is not None:
            is_dead = by_name[source.named('deleted', source.tombstone, known.columns)].is_not(None)
        found = select(watermark, is_dead, *(by_name[name] for name in known.key_columns))
        snapshot = self._input.snapshot
        connection = snapshot.connection
        if low is not None:
            if connection.dialect.name == 'sqlite' and isinstance(low, datetime.datetime):
                # It compares texts: that of a whole second is less than the same with a fraction.
                low -= datetime.timedelta(seconds=1)
            if connection.dialect.name == 'postgresql' and getattr(low, 'tzinfo', None):
                # Or it would be compared in the time zone of the connection.
                low = literal(low, DateTime(timezone=True))
            found = found.where(or_(watermark >= low, watermark.is_(None)))
        with snapshot.told(f'{source.name}.{source.watermark}'):
            return connection.execute(found).all()

    def _left_out(self, mark: Mark, before: int) -> int | None:
        """Return how many rows the last run left out; None if that is unknown."""
        if not self._input.rules.leaves_out:
            return 0
        if mark.left is None or mark.stored is None:
            return None
        return mark.left + mark.stored - before

    def _compared(self, source: Source) -> tuple[set[Any], set[Any]]:
        """Return the keys of rows that are not stored, and of stored objects without a row."""
        keys = self._whole[source.name].all_keys(self._input.snapshot)
        pks = self._pks_of(source, keys)
        came = {key for key, pk in zip(keys, pks, strict=True) if pk is None}
        return came, {*gone_keys(source, keys, pks)}

    def swapping(self) -> None:
        """Leave it to a full run to judge whether too many objects went."""
        most = self._input.rules.max_drop
        for source, keys in self._changed.items():
            stored, made = self._before[source.name], self._key_maps[source].pks
            if keys is None:
                gone = stored - len(made)
            else:
                gone = self._number_stored(source, [*keys.difference(made)])
            if gone > 0 and (gone >= stored or (most is not None and gone * 100 > most * stored)):
                raise FullRunError(f'{gone:,} of {stored:,} objects of {source.name} went')
        super().swapping()

    def _number_stored(self, source: Source, keys: Sequence[Any]) -> int:
        return sum(pk is not None for pk in self._pks_of(source, keys))
