"""Make the stored objects of models with partitions equal to new data sets, keeping their pks.

Each new object is compared with the stored one of its key, which is in one partition: the key tells
which. As long as all are equal, nothing is staged. From the first difference on, all rows of that
model are, the equal ones too, since a flip replaces an edition as a whole.

That nothing differs is true although others write meanwhile:

- The lock of the model is held from the first comparison to the last script, which checks lock and
  pointer. So no other reset came in between, and all rows that were compared are live.
- Each object was equal when its row was read, and no other object was listed when the set of all
  pks was scanned. A write that comes later counts as one after this call, as for a plain model.
- Fence and mark of the partition are read behind each answer. So a partition that has lost its
  data differs, and is staged again, even if the new data set has no object there.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from ....errors import ConflictError, UsageError
from ...column import Column
from ...flows import Flow, ask
from ...locking.locks import LockOwner, locked
from ...mapping.encoder import StoredRow
from ...objects.graph import knows_targets
from ...partitions.editions.pointer import BY, by_of
from ...partitions.values import partition_of
from ..comparing.blocks import check_targets
from ..comparing.merge import Counts, Merge
from ..comparing.stored import Stored
from ..diff import Keyed
from ..observer import ResetObserver
from ..promises import Promises
from ..staging import Staging
from .present import Present
from .record import Flip
from .reset import blocks, enter, flipped, settle_editions
from .staging import EditionStaging, assign, draw, encoded, stage

__all__ = ('change_editions',)


def change_editions(
    groups: Sequence[Keyed], token: bytes, observer: ResetObserver | None = None, stamp: str = ''
) -> Flow[list[Counts]]:
    """Make the stored objects of these models equal to the new data sets, in one moment.

    Parameters are those of :func:`~.diff.merge_all`.

    :raises UsageError: if the key of a model does not tell the partition, or only some of its
        objects are given
    :raises ConflictError: if others changed objects that had been compared, and the data set is an
        iterator, which cannot be read again
    """
    promises, observer = Promises(), observer or ResetObserver()
    changes = []
    for schema, objs, columns, removed in groups:
        staging = EditionStaging(schema, objs, token, promises, observer)
        _check_key(staging, columns)
        if removed is not None:
            raise UsageError(
                f'{schema.name}: changes of some objects of a model with PARTITIONS cannot go live '
                'in one moment. Give all objects, or save and delete those that have changed.'
            )
        changes.append(_Change(staging, columns))
    stagings = [change.staging for change in changes]
    owners = [staging.owner for staging in stagings]

    def fill(flips: list[Flip]) -> Flow[None]:
        for change in changes:
            yield from change.fill(flips, owners)

    yield from locked(owners, flipped(stagings, owners, stamp, fill))
    return [change.counts() for change in changes]


def _check_key(staging: EditionStaging, columns: tuple[Column, ...]) -> None:
    by = staging.schema.partition_by
    if columns and by not in columns:
        names = ', '.join(column.name for column in columns)
        raise UsageError(
            f'{staging.schema.name}: the key ({names}) does not tell the partition of an object, '
            f'so each key would have to be looked for in all of them. Set PARTITION_BY to '
            f'{columns[0].name!r}, or replace the data set by a reset.'
        )


class _Change:
    """The new data set of one model, and how much it differs.

    :param staging: the new data set
    :param columns: the key that identifies the objects; none: their pks do
    """

    def __init__(self, staging: EditionStaging, columns: tuple[Column, ...]) -> None:
        self.staging, self.schema, self.columns = staging, staging.schema, columns
        self._merges: dict[int, Merge] = {}
        self._inserted = self._updated = self._unchanged = self._removed = 0
        self._differs = False
        #: pks and rows of the blocks that were equal: of an iterator only hashes of the rows
        self._equal: list[tuple[Sequence[int], Sequence[StoredRow] | array[int]]] = []

    def counts(self) -> Counts:
        """Return the counts for the caller."""
        return Counts(self._inserted, self._updated, self._unchanged, self._removed)

    def fill(self, flips: list[Flip], owners: Sequence[LockOwner]) -> Flow[None]:
        """Compare the data set; stage it if it differs.

        :param flips: receives the change of the model
        """
        staging, schema = self.staging, self.schema
        before = yield from settle_editions(staging.owner)
        self._flips, self._owners = flips, owners
        self._present = Present(staging.owner, before, owners)
        if self.columns and before.partitions != schema.partitions:
            raise UsageError(
                f'{schema.name}: the number of PARTITIONS was changed, so no object could '
                'keep its pk. Replace the data set by a reset.'
            )
        by = yield from ask('HGET', schema.keys.editions, BY)
        if before.partitions != schema.partitions or by not in (None, by_of(schema)):
            yield from self._begin()
        for shard in self._present.shards:
            old = Staging(shard, [], staging.token, staging.promises, staging.observer)
            self._merges[shard.number] = Merge(old, self.columns)
        for block in blocks(staging):
            rows, pks = yield from self._compared(block)
            if self._differs:
                yield from stage(staging, rows, pks, owners)
            else:
                kept = rows if isinstance(staging.objs, list) else array('q', map(hash, rows))
                self._equal.append((pks, kept))
        self._removed = yield from self._present.count_others(self._merges[0].seen)
        if self._removed or not self._present.is_whole:
            yield from self._begin()
        if not self._differs:
            flips.append(Flip(schema, before, before))

    def _begin(self) -> Flow[None]:
        """Begin a new edition, and stage there what has been equal so far."""
        if self._differs:
            return
        self._differs, staging = True, self.staging
        staging.edition = yield from enter(staging.owner, self._present.edition, self._flips)
        for pks, kept in self._equal:
            rows = kept if not isinstance(kept, array) else (yield from self._again(pks, kept))
            yield from stage(staging, rows, pks, self._owners)
        self._equal.clear()

    def _again(self, pks: Sequence[int], hashes: array[int]) -> Flow[Sequence[StoredRow]]:
        """Return the stored rows of pks, which were equal to the new ones.

        :raises ConflictError: if they are not equal any more
        """
        rows: Sequence[Any] = yield from self._present.rows(pks)
        rows = [row and tuple(row) for row in rows]
        if array('q', map(hash, rows)) != hashes:
            raise ConflictError(
                f'{self.schema.name}: others changed objects after they had been compared, and the '
                'data set is an iterator, which cannot be read again. Nothing was changed; try '
                'again, or give a list.'
            )
        return rows

    def _compared(self, block: Sequence[Any]) -> Flow[tuple[Sequence[StoredRow], list[int]]]:
        """Return the rows of a block, and their pks: those of the stored objects, or fresh ones."""
        staging, merge = self.staging, self._merges[0]
        if staging.is_encoded:
            keys = merge.keys_of_rows(block)
        else:
            for obj in block:
                merge.check(obj)
            keys = [merge.key_of(obj) for obj in block]
        new = block if staging.is_encoded else None
        numbers = [self._number(item) for item in block]
        stored: list[Stored]
        stored = yield from self._present.under(self._merges, numbers, keys, new)
        for item, key, (pk, _) in zip(block, keys, stored, strict=True):
            merge.take(key, pk, *((None, item) if staging.is_encoded else (item,)))
        known = [pk for pk, _ in stored]
        if None in known:
            yield from self._begin()  # fresh pks are drawn for the new edition
        draw_each = self._drawn if staging.is_encoded else self._assigned
        pks = yield from draw_each(block, known)
        staging.note(block, pks)
        rows = encoded(staging, block)
        for row, (pk, old) in zip(rows, stored, strict=True):
            self._inserted += pk is None
            self._unchanged += pk is not None and old == row
            self._updated += pk is not None and old != row
        if any(old != row for row, (_, old) in zip(rows, stored, strict=True)):
            yield from self._begin()
        return rows, pks

    def _number(self, item: Any) -> int:
        """Return the partition of the stored object that a new one, or a row, is to replace."""
        before = self._present.edition
        if self.columns:
            return self.staging.place_of(item, before)
        return partition_of(item._id, before)

    def _drawn(self, rows: Sequence[Any], known: Sequence[int | None]) -> Flow[list[int]]:
        new = [row for row, pk in zip(rows, known, strict=True) if pk is None]
        fresh = iter((yield from draw(self.staging, new)))
        return [next(fresh) if pk is None else pk for pk in known]

    def _assigned(self, objs: Sequence[Any], known: Sequence[int | None]) -> Flow[list[int]]:
        promises = self.staging.promises
        for obj, pk in zip(objs, known, strict=True):
            if pk is not None:
                promises.assign(obj, pk)
                if not self.columns:
                    self.staging.check_given(obj)
        yield from assign(self.staging, [obj for obj in objs if id(obj) not in promises.pks])
        if knows_targets(objs):
            check_targets(self._merges[0], objs)
        return [promises.pks[id(obj)] for obj in objs]
