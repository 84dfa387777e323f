"""The library without a part of the protocol, so that judges can show what they see."""

from __future__ import annotations

from typing import Any

from IndexedRedis._core.partitions import asking, reading
from IndexedRedis._core.partitions.asking import read_shards, true_edition


def each_partition_alone(schema: Any, make: Any, numbers: Any = None) -> Any:
    """Every partition is asked for the data set that it has just then."""
    edition = yield from true_edition(schema, writes=False)
    found = []
    for number in range(edition.partitions) if numbers is None else numbers(edition):
        found += yield from read_shards(
            schema,
            make,
            lambda now, number=number: [number] if number < now.partitions else [],
        )
    return found


def readers_that_ask_each_partition_alone(patch: Any) -> None:
    patch(reading, '_read_shards', each_partition_alone)


def readers_that_do_not_compare_the_pointer(patch: Any) -> None:
    patch(asking._Marks, 'fit', lambda self, pointer: True)


def writers_without_a_fence(patch: Any) -> None:
    patch(asking, 'guarded', lambda flow, shard: flow)


#: each with what it shows
NAIVE = {
    readers_that_ask_each_partition_alone: 'a mixture',
    readers_that_do_not_compare_the_pointer: 'again: Seen',
    writers_without_a_fence: 'is missing',
}
