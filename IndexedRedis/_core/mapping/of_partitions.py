"""The validation of ``PARTITIONS`` and ``PARTITION_BY``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...fields.base import IRField

__all__ = ('MOST_PARTITIONS', 'partition_problems')

# More partitions than a cluster of a thousand nodes needs; each costs a query some microseconds.
MOST_PARTITIONS = 1024


def partition_problems(
    cls: Any, fields: Sequence[IRField], indexed: Any, unique: Any
) -> Iterator[str]:
    """Yield what is wrong with the partitions of a model, each problem with its remedy."""
    count, by = getattr(cls, 'PARTITIONS', 0), getattr(cls, 'PARTITION_BY', None)
    if isinstance(count, bool) or not isinstance(count, int) or count == 1 or count < 0:
        yield f'PARTITIONS is {count!r}; it must be a whole number above 1, such as 48, or 0.'
        return
    if count > MOST_PARTITIONS:
        yield f'PARTITIONS is {count}; at most {MOST_PARTITIONS} are possible. 48 do for most.'
    if by is not None:
        yield from _by_problems(by, count, fields, indexed)
    if not count:
        return
    if getattr(cls, 'CLIENT_SIDE_CACHE', 0):
        yield (
            'CLIENT_SIDE_CACHE does not work with PARTITIONS: an answer comes from many nodes. '
            'Leave one of both out.'
        )
    if getattr(cls, 'REPLICA_READS', 'never') != 'never':
        yield (
            'REPLICA_READS does not work with PARTITIONS: replicas of several nodes never have the '
            'data of one moment. Leave one of both out.'
        )
    for item in unique if isinstance(unique, (list, tuple)) else ():
        names = item if isinstance(item, (list, tuple)) else (item,)
        if by is None or by not in names:
            yield (
                f'UNIQUE_FIELDS holds {item!r}, which is checked within a partition only. Make the '
                'fields unique together with one that decides the partition, and name that in '
                'PARTITION_BY.'
            )


def _by_problems(by: Any, count: int, fields: Sequence[IRField], indexed: Any) -> Iterator[str]:
    if not count:
        yield f'PARTITION_BY is {by!r}, and the model has no PARTITIONS. Set PARTITIONS, to 48.'
    elif by not in [field.name for field in fields]:
        yield f'PARTITION_BY is {by!r}, and the model lacks such a field. Name an indexed one.'
    elif isinstance(indexed, (list, tuple, set, frozenset)) and by not in indexed:
        yield f'PARTITION_BY is {by!r}, which is not indexed. Add it to INDEXED_FIELDS.'
