"""info() of a model, whether it has partitions or not.

With partitions, rows are measured in each, and the keys of all come from one scan of each server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from ...errors import ConflictError
from ..flows import Everywhere, Flow, Progress, chunks, whole
from ..inspection import statistics
from ..inspection.advice import advice
from ..inspection.eviction import eviction_warnings
from ..inspection.merging import merge
from ..inspection.model_info import ModelInfo
from ..mapping.schema import Schema
from .asking import read_shards
from .editions.fence import Edition
from .layout import Shard
from .walking import walk_keys

__all__ = ('info',)

# How often resets may go live meanwhile.
ATTEMPTS = 20
# Partitions that are measured side by side.
AT_ONCE = 4


def info(schema: Schema, sample: int, progress: Progress | None = None) -> Flow[ModelInfo]:
    """Return statistics of a model.

    :param sample: how many rows, and how many index sets of each field, to measure
    :param progress: called with the name of the step, how much of it is done, and of how much
    """
    if not schema.partitions:
        return (yield from statistics.info(schema, sample, progress))
    for _ in range(ATTEMPTS):
        with suppress(_Replaced):
            found: ModelInfo = yield from whole(lambda: _Statistics(schema, sample, progress).run())
            return found
    raise ConflictError(
        f'{schema.name}: {ATTEMPTS} resets went live while the model was being measured. Try '
        'again while nobody resets it.'
    )


class _Replaced(Exception):
    """A reset went live."""


class _Statistics:
    """The statistics of the partitions of one edition."""

    def __init__(self, schema: Schema, sample: int, progress: Progress | None) -> None:
        self._schema, self._sample = schema, sample
        self._tell: Progress = progress or (lambda step, done, total: None)
        self._edition: Edition | None = None
        self._measured: dict[int, statistics.Measured] = {}

    def run(self) -> Flow[ModelInfo]:
        """Measure all partitions, and add up."""
        shards: list[Shard] = []

        def begin(shard: Shard) -> Flow[None]:
            shards.append(shard)
            share = -(-self._sample // shard.keys.stride)  # rounded up
            self._measured[shard.number] = statistics.Measured(shard, share)
            return self._measured[shard.number].count()

        self._tell('rows', 0, self._sample)
        yield from read_shards(self._schema, begin, self._numbers())
        yield from self._each(shards, statistics.Measured.rows)
        self._tell('rows', self._sample, self._sample)
        yield from walk_keys(
            self._schema,
            shards,
            lambda shard, names: self._measured[shard.number].page(names),
            kinds=b'it',
            tell=partial(self._tell, 'keys'),
        )
        yield from self._each(shards, statistics.Measured.rest)
        found = statistics.empty(self._schema)
        assert self._edition is not None  # of the first question
        found.edition = self._edition.number
        merge(found, [each.found for each in self._measured.values()])
        warnings = yield Everywhere(eviction_warnings)
        found.advice += advice(found)
        found.advice += dict.fromkeys(text for each in warnings for text in each)
        return found

    def _each(
        self, shards: Sequence[Shard], measure: Callable[[statistics.Measured], Flow[None]]
    ) -> Flow[None]:
        """Run a step of each partition."""
        for some in chunks([shard.number for shard in shards], AT_ONCE):
            yield from read_shards(
                self._schema,
                lambda shard: measure(self._measured[shard.number]),
                self._numbers(some),
            )

    def _numbers(self, some: Sequence[int] | None = None) -> Callable[[Edition], Sequence[int]]:
        """Return what gives the partitions to ask, once: what is asked again is counted twice."""
        asked = list[Edition]()

        def numbers(edition: Edition) -> Sequence[int]:
            if asked or edition != (self._edition or edition):
                raise _Replaced
            asked.append(edition)
            self._edition = edition
            return range(edition.partitions) if some is None else some

        return numbers
