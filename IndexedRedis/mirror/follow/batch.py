"""One batch of changes: the rows of some keys are read again, and go live in one script.

The rule: what the selects give for these keys in one snapshot is what Redis holds for them
afterwards, together with the position of the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import chain
from typing import Any

from ...errors import ResetLostError, TooManyChangesError
from ..attempt import Attempt, Input
from ..guards import ModelCounts, applies
from ..recurring.comparing import gone_keys
from ..source import EMPTY, Source
from .dependents import keys_of_linking
from .keyed import KeyedSource
from .stamp import stored_words

__all__ = ('Batch', 'Clashing', 'Keys')

# The keys that changed, by select. None: all rows are read, and what no row has is removed.
Keys = Mapping[Source, 'set[Any] | None']
# By the name of a model: by key of a row that is left out, the key of the row that has its unique
# value; None if that is not known.
Clashing = Mapping[str, Mapping[Any, Any]]
# Values of keys that one select takes; for more, all rows are read. PostgreSQL takes up to 65,535
# parameters, SQLite 32,766.
MOST_VALUES = 60_000
MOST_VALUES_OF_SQLITE = 30_000
# Keys whose rows come at once.
FEW_KEYS = 500


class Batch(Attempt):
    """Reads, converts and stages the rows of some keys.

    :param given: as of an attempt of a run; it works on restricted copies of the sources
    :param keyed: what is known of each select
    :param keys: the keys that changed
    :param continues: the time stamp that the stored data has so far
    :param clashing: the rows that were left out so far, by the name of their model. They are read
        again with each change of their model, since they may fit.
    """

    def __init__(
        self,
        given: Input,
        keyed: Mapping[Source, KeyedSource],
        keys: Keys,
        continues: str,
        clashing: Clashing = EMPTY,
    ) -> None:
        self._whole = {source.name: keyed[source] for source in given.sources}
        #: the keys that changed, by the select that is restricted to them before it is read
        self._changed = {
            copy(source): None if (some := keys[source]) is None else {*some}
            for source in given.sources
        }
        #: the pks of stored objects that were looked up
        self._stored: dict[tuple[str, Any], int | None] = {}
        sources = [*self._changed]
        none = dict.fromkeys(sources, 0)
        given = given._replace(sources=sources, stored=none, totals=none)
        super().__init__(given, diff=True, circles=False)
        self.continues, self._clashing = continues, clashing
        for source in sources:
            self._key_columns[source] = self._whole[source.name].key_columns

    def _removed(self) -> dict[Any, Iterator[Any] | None]:
        return {
            source.model: None if keys is None else self._gone(source, keys)
            for source, keys in self._changed.items()
        }

    def _movable(self) -> list[Any]:
        targets = [model for source in self._changed for model in source.links.values()]
        return [
            source.model
            for source in self._changed
            if not applies(self._input.rules.keep_pks, source.model)
            and not any(source.model._is_variant(target) for target in targets)
        ]

    def _gone(self, source: Source, keys: set[Any]) -> Iterator[Any]:
        """Yield the keys that no row has any more; it is called when all rows were read."""
        made, whole = self._key_maps[source].pks, self._whole[source.name]
        for key in keys:
            if key not in made:
                values = whole.values(key, self._pks_of)
                if values is not None:
                    yield values

    def _blocks(self, source: Source) -> Iterator[list[Any]]:
        """Yield what is made of the rows; the targets of links to other models are done by then."""
        whole, keys = self._whole[source.name], self._changed[source]
        if keys is None:
            self._at_once = False
            yield from super()._blocks(source)
            return
        self._add_linking(source, whole, keys)
        if self._is_too_many(source, keys):
            raise TooManyChangesError(f'{len(keys):,} keys of {source.name} changed')
        self._at_once = len(keys) <= FEW_KEYS
        if keys:
            whole.restrict(source, keys)
            yield from super()._blocks(source)

    def _add_linking(self, source: Source, whole: KeyedSource, keys: set[Any]) -> None:
        """Add the keys of rows that link to rows which come or go."""
        connection, rules = self._input.snapshot.connection, self._input.rules
        own = []
        for name, target in whole.uncertain:
            if target.name == source.name:
                own.append(name)
            elif moved := [*self._moved(target)]:
                keys |= keys_of_linking(connection, whole, name, moved)
        if keys:
            left_out = self._left_before(source)
            keys |= {*left_out, *left_out.values()} - {None}
        moved = [*self._moved_of_own(source, whole, keys)] if own else []
        while moved:
            linking = (keys_of_linking(connection, whole, name, moved) for name in own)
            new = {*chain.from_iterable(linking)} - keys
            keys |= new
            moved = [*new] if rules.dangling == 'skip' else []  # they may be skipped in turn

    def _left_before(self, source: Source) -> Mapping[Any, Any]:
        return self._clashing.get(source.name, EMPTY)

    def clashing(self) -> Clashing:
        """Return the rows that are left out by now for the unique value of another row."""
        read = [source for source, keys in self._changed.items() if keys is None or keys]
        new = {source.name: self.counts[source].clashing for source in read}
        return {**self._clashing, **new}

    def _is_too_many(self, source: Source, keys: set[Any]) -> bool:
        """Return whether one select cannot take so many keys."""
        lite = self._input.snapshot.connection.dialect.name == 'sqlite'
        return len(keys) * source.key_width > (MOST_VALUES_OF_SQLITE if lite else MOST_VALUES)

    def _moved(self, target: Source) -> Iterator[Any]:
        """Yield the keys of another model whose objects come or go; all its rows were read."""
        (restricted,) = (each for each in self._changed if each.name == target.name)
        keys = self._changed[restricted]
        if keys is None:
            yield from self._moved_of_all(restricted)
            return
        changed, made = [*keys], self._key_maps[restricted].pks
        for key, pk in zip(changed, self._pks_of(target, changed), strict=True):
            if (key in made) != (pk is not None):
                yield key

    def _moved_of_own(self, source: Source, whole: KeyedSource, keys: set[Any]) -> Iterator[Any]:
        """Yield the keys whose rows come or go, of the model whose rows are read next."""
        changed = [*keys]
        if self._input.rules.leaves_out or not changed:  # each row may be left out, or not any more
            yield from changed
            return
        there = whole.existing(self._input.snapshot.connection, changed)
        for key, pk in zip(changed, self._pks_of(source, changed), strict=True):
            if (key in there) != (pk is not None):
                yield key

    def _moved_of_all(self, target: Source) -> Iterator[Any]:
        """Yield the keys whose rows come or go, of a select whose rows are all read."""
        keys = [*self._key_maps[target].pks]
        pks = self._pks_of(target, keys)
        yield from (key for key, pk in zip(keys, pks, strict=True) if pk is None)
        yield from gone_keys(target, keys, pks)

    def swapping(self) -> None:
        """Refuse what the rules forbid, if it is seen in the data that this batch continues: in a
        Redis that was emptied meanwhile, all links seem to lead nowhere."""
        if any(self._refusals(counts) for counts in self.counts.values()):
            stored = stored_words([source.model for source in self._input.sources])
            if stored is None or stored[0] != self.continues:
                raise ResetLostError('The data of this mirror was replaced or deleted meanwhile.')
        super().swapping()

    def _refusals(self, counts: ModelCounts) -> list[str]:
        return counts.misfits(self._input.rules)

    def _statement_of(self, target: Source) -> Any:
        return self._whole[target.name].source.statement

    def _known(self, target: Source, key: Any, others: Iterable[Any]) -> Any:
        found, changed = super()._known(target, key, others), self._changed[target]
        if found is None and changed is not None and key not in changed:
            if (target.name, key) not in self._stored:  # one look-up for all that come next
                wanted = {each for each in others if each is not None}
                self._look_up(target, [*wanted - changed, key])
            found = self._stored[target.name, key]
        return found

    def _look_up(self, target: Source, keys: Iterable[Any]) -> None:
        new = [key for key in dict.fromkeys(keys) if (target.name, key) not in self._stored]
        pks = self._whole[target.name].pks(new, self._pks_of)
        self._stored.update(zip(((target.name, key) for key in new), pks, strict=True))

    def _pks_of(self, target: Source, keys: Sequence[Any]) -> list[int | None]:
        """Return the stored pks of keys of another model."""
        self._look_up(target, keys)
        return [self._stored[target.name, key] for key in keys]
