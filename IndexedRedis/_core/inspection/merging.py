"""Add up the statistics of the partitions of a model. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .model_info import TOP_VALUES, FieldInfo, IndexInfo, ModelInfo, SortedInfo

__all__ = ('merge',)


def merge(into: ModelInfo, parts: Sequence[ModelInfo]) -> None:
    """Set the statistics of a model from those of its partitions.

    The most frequent values are those of the most frequent ones of each partition.
    """
    into.rowsOfPartitions = [part.objects for part in parts]
    into.objects = sum(into.rowsOfPartitions)
    into.next = max((part.next for part in parts if part.next is not None), default=None)
    into.rowsSampled = sum(part.rowsSampled for part in parts)
    into.setsSampled = sum(part.setsSampled for part in parts)
    into.workKeys = sum(part.workKeys for part in parts)
    into.rowMemory = _sum(part.rowMemory for part in parts)
    into.keysMemory = _sum(part.keysMemory for part in parts)
    for part in parts:
        into.encodings.update(part.encodings)
        into.unused.update(part.unused)
    into.width = sum(p.width * p.rowsSampled for p in parts) / max(1, into.rowsSampled)
    for i, field in enumerate(into.fields):
        _merge_field(field, [part.fields[i] for part in parts])
    for names in parts[0].together if parts else ():
        index = into.together[names] = IndexInfo()
        _merge_indexes(index, [part.together[names] for part in parts])


def _merge_field(into: FieldInfo, parts: Sequence[FieldInfo]) -> None:
    into.longest = max((part.longest for part in parts), default=0)
    ordered = [part.sorted for part in parts if part.sorted is not None]
    if ordered:
        entries = sum(each.entries for each in ordered)
        into.sorted = SortedInfo(entries, _sum(each.memory for each in ordered))
    if into.index is not None:
        _merge_indexes(into.index, [part.index for part in parts if part.index is not None])


def _merge_indexes(into: IndexInfo, parts: Sequence[IndexInfo]) -> None:
    some = [part for part in parts if part.sets]
    into.sets = sum(part.sets for part in some)
    into.entries = sum(part.entries for part in some)
    into.smallest = min((part.smallest for part in some), default=0)
    into.longNames = sum(part.longNames for part in some)
    into.memory = _sum(part.memory for part in parts)
    top: Counter[bytes] = Counter()
    for part in some:
        top.update(dict(part.top))
    into.top = sorted(top.items(), key=lambda each: (-each[1], each[0]))[:TOP_VALUES]


def _sum(parts: Iterable[int | None]) -> int | None:
    found = [*parts]
    return None if None in found else sum(each or 0 for each in found)
