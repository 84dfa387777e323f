"""Run flows on the partitions of the true edition of a model.

Reading: all partitions are asked for the edition that this process knows, and the home slot for the
pointer, in one trip. If the pointer names that edition, and no partition has begun to drop it, the
answers are of one data set. Otherwise the flows run again, on the edition of the pointer.

Writing: a fence refuses writes to any other edition than the true one. Then the write runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ...errors import ConflictError
from ..flows import Fenced, Flow, ask_quick
from ..mapping.schema import Schema
from .editions.fence import Edition, Fence
from .editions.known import FIRST, known, shards
from .editions.opening import open_model
from .editions.pointer import pointer_of
from .editions.settling import settle
from .layout import Shard, lost
from .spread import Outcome, guarded, spread, witnessed

__all__ = ('read_shards', 'true_edition', 'write_shards')

T = TypeVar('T')
Make = Callable[[Shard], Flow[T]]

# How often flips may come in the way of one operation.
ATTEMPTS = 100
# The name of the question for the pointer among the flows of partitions.
_HOME = -1


def true_edition(schema: Schema, writes: bool) -> Flow[Edition]:
    """Return the edition that this process knows; ask for it if it knows none.

    :param writes: open the first edition of a model that has none
    """
    edition = known(schema)
    if edition is not None:
        return edition
    found = yield from pointer_of(schema)
    if found is not None:
        return found
    return (yield from open_model(schema)) if writes else Edition(FIRST, schema.partitions)


def read_shards(
    schema: Schema, make: Make[T], numbers: Callable[[Edition], Iterable[int]] | None = None
) -> Flow[list[T]]:
    """Run a flow that reads on partitions; return the results, all of one data set.

    :param make: gives the flow for a shard
    :param numbers: gives the partitions to ask, in order; None: all
    :raises ConflictError: if flips come faster than reads
    :raises PartitionLostError: if a partition has lost its data
    """
    lacks = None
    for _ in range(ATTEMPTS):
        edition = yield from true_edition(schema, writes=False)
        wanted = shards(schema, edition, None if numbers is None else numbers(edition))
        marks = _Marks(edition)
        note = marks.note
        flows: dict[int, tuple[bytes, Flow[Any]]] = {_HOME: _pointer(schema)}
        for shard in wanted:
            flows[shard.number] = shard.keys.fence, witnessed(make(shard), shard, note)
        outcomes = yield from spread(flows)
        if marks.fit(outcomes.pop(_HOME).result):
            return [outcomes[shard.number].result for shard in wanted]
        now = yield from settle(schema, {*marks.ahead, *marks.gone}, writes=False)
        if now == edition and marks.gone:
            if lacks == edition:  # not only while the model was being opened
                raise lost(next(iter(marks.gone.values())))
            lacks = edition
    raise _conflict(schema)


class _Marks:
    """What the partitions said of an edition, besides their answers."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        #: partitions whose fence is at a later edition
        self.ahead = set[int]()
        #: partitions without the edition
        self.gone: dict[int, Shard] = {}
        self._fences = 0

    def note(self, shard: Shard, text: bytes | None, kept: bytes | None) -> None:
        """Note fence and kept mark, behind an answer."""
        if kept is None:
            self.gone[shard.number] = shard
        if text is not None:
            self._fences += 1
        if text != shard.open:
            fence = Fence.of(text)
            if fence is not None and fence.edition > self._edition:
                self.ahead.add(shard.number)

    def fit(self, pointer: bytes | None) -> bool:
        """Whether the answers are of the true edition, as a whole.

        :param pointer: read in the first trip
        """
        if pointer is None:  # the model has never been written, unless a partition was
            return not self._fences
        return pointer == self._edition.text() and not (self.ahead or self.gone)


def _pointer(schema: Schema) -> tuple[bytes, Flow[Any]]:
    return schema.keys.edition, ask_quick('GET', schema.keys.edition)


def write_shards(
    schema: Schema, make: Callable[[Edition], Mapping[int, Make[T]]]
) -> Flow[dict[int, Outcome[T]]]:
    """Run flows that write on partitions; return what became of each, by partition.

    Flows that a fence has refused run again, on the edition that is true then.

    :param make: gives the flows for an edition, by partition: of those that have not run yet
    """
    done: dict[int, Outcome[T]] = {}
    for _ in range(ATTEMPTS):
        edition = yield from true_edition(schema, writes=True)
        makes = {number: each for number, each in make(edition).items() if number not in done}
        flows = {
            shard.number: (shard.keys.fence, guarded(makes[shard.number](shard), shard))
            for shard in shards(schema, edition, makes)
        }
        outcomes = yield from spread(flows)
        fenced = {n for n, outcome in outcomes.items() if isinstance(outcome.error, Fenced)}
        done |= {n: outcome for n, outcome in outcomes.items() if n not in fenced}
        if not fenced:
            _tell_of_others(schema, done)
            return done
        now = yield from settle(schema, fenced, writes=True)
        if now.partitions != edition.partitions and done:
            raise ConflictError(
                f'{schema.name}: the number of partitions was changed by a reset while a list was '
                'being written; what was written before was replaced by it. Write it again.'
            )
    raise _conflict(schema)


def _tell_of_others(schema: Schema, outcomes: Mapping[int, Outcome[Any]]) -> None:
    """Note on each error that it tells of one partition, if others were written."""
    errors = [outcome.error for outcome in outcomes.values() if outcome.error is not None]
    for error in errors if len(errors) < len(outcomes) else ():
        error.add_note(
            f'{schema.name}: this is about the objects of one partition. Those of '
            f'{len(outcomes) - len(errors)} other partitions were written.'
        )


def _conflict(schema: Schema) -> ConflictError:
    return ConflictError(
        f'{schema.name}: {ATTEMPTS} resets went live during one operation. Try again, or reset '
        'less often.'
    )
