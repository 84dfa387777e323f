"""Read the true edition of a model, in order to compare a new data set with it.

The reader holds the lock of the model, and each of its rounds extends it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar

from ...flows import Batch, Flow, scan
from ...locking.locks import LockOwner, extend_command, lock_lost_error
from ...mapping.decoder import Row
from ...partitions.editions.fence import Edition
from ...partitions.editions.known import shards
from ...partitions.layout import Shard
from ...partitions.spread import spread, witnessed
from ...partitions.values import partition_of
from ...queries.by_pk import rows_of
from ...queries.query import pks_of
from ..comparing.merge import Key, Merge
from ..comparing.stored import Stored, stored_under

__all__ = ('Present',)

T = TypeVar('T')

# The name of the flow that extends the locks among those of partitions.
_HOME = -1


class Present:
    """The true edition, as a process reads it that holds the lock of the model.

    :param owners: who holds the locks of all models of the reset
    """

    def __init__(self, owner: LockOwner, edition: Edition, owners: Sequence[LockOwner]) -> None:
        self.schema, self.edition, self._owners = owner.schema, edition, owners
        self.shards = shards(owner.schema, edition)
        #: whether all partitions that were read have their data, and can be written
        self.is_whole = True

    def _note(self, shard: Shard, fence: bytes | None, kept: bytes | None) -> None:
        self.is_whole = self.is_whole and fence == shard.open and kept is not None

    def _read(self, flows: Mapping[int, Flow[T]]) -> Flow[dict[int, T]]:
        """Run flows that read partitions, and extend the locks in each round; return the results.

        :raises ResetLostError: if a lock is lost
        """
        running = len(flows)

        def counted(number: int) -> Flow[T]:
            nonlocal running
            try:
                return (yield from witnessed(flows[number], self.shards[number], self._note))
            finally:
                running -= 1

        def extend() -> Flow[Any]:
            while running:
                (held,) = yield Batch([extend_command(self._owners, retake=1)])
                if not held:
                    raise lock_lost_error(self._owners)

        reading: dict[int, tuple[bytes, Flow[Any]]] = {
            number: (self.shards[number].keys.fence, counted(number)) for number in flows
        }
        # It goes last, so that it ends in the round in which the others do.
        reading[_HOME] = self.schema.keys.lock, extend()
        outcomes = yield from spread(reading)
        _ = outcomes.pop(_HOME).result
        return {number: outcome.result for number, outcome in outcomes.items()}

    def under(
        self,
        merges: Mapping[int, Merge],
        numbers: Sequence[int],
        keys: Sequence[Key],
        rows: Sequence[Any] | None,
    ) -> Flow[list[Stored]]:
        """Return pk and row of the stored object with each key.

        :param merges: of each partition
        :param numbers: the partition of each key
        :param rows: the rows that the keys are going to have, if known
        """
        places: dict[int, list[int]] = {}
        for place, number in enumerate(numbers):
            places.setdefault(number, []).append(place)
        flows = {}
        for number, mine in places.items():
            new: Iterable[Any] = repeat(None) if rows is None else [rows[i] for i in mine]
            probe = ('EXISTS', self.shards[number].keys.fence)  # the locks are in another slot
            flows[number] = stored_under(merges[number], [keys[i] for i in mine], probe, new)
        found: list[Stored] = [(None, None)] * len(keys)
        for number, results in (yield from self._read(flows)).items():
            for place, each in zip(places[number], results, strict=True):
                found[place] = each
        return found

    def rows(self, pks: Sequence[int]) -> Flow[list[Row | None]]:
        """Return the rows of ``pks`` in order; None for one that is not stored."""
        mine: dict[int, list[int]] = {}
        for pk in pks:
            mine.setdefault(partition_of(pk, self.edition), []).append(pk)
        flows = {n: rows_of(self.shards[n], some, self.schema.all) for n, some in mine.items()}
        found: dict[int, Row | None] = {}
        for number, rows in (yield from self._read(flows)).items():
            found.update(zip(mine[number], rows, strict=True))
        return [found[pk] for pk in pks]

    def count_others(self, seen: Collection[int]) -> Flow[int]:
        """Return how many objects are stored whose pks are not among ``seen``."""
        others = set[int]()  # a scan may repeat a pk

        def find(shard: Shard) -> Flow[None]:
            def act(page: list[bytes]) -> tuple[()]:
                others.update(pk for pk in pks_of(shard, page) if pk not in seen)
                return ()

            return scan(act, shard.keys.all)

        yield from self._read({shard.number: find(shard) for shard in self.shards})
        return len(others)
