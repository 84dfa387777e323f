"""Advise on the fields and indexes of a model. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..text import bytes_text, shown
from .model_info import FieldInfo, IndexInfo, ModelInfo

__all__ = ('LONG_NAME', 'advice')

# Bytes from which on a value makes the name of its index set a burden.
LONG_NAME = 200
# Objects of the smallest model for which indexes matter.
WORTHWHILE_OBJECTS = 100
# The share of all objects from which on an index set is not selective.
NEVER_SELECTIVE = 0.9
# How much larger than the average a partition may be.
UNEVEN = 2
# Bytes: the default of hash-max-listpack-value. A longer value takes a row out of compact form.
COMPACT_VALUE = 64


def advice(info: ModelInfo) -> list[str]:
    """Return sentences of advice."""
    found: list[str] = []
    for field in info.fields:
        if field.index is not None and field.index.sets:
            found += _about_index(info, field, field.index)
        elif field.index is not None and info.objects:
            found.append(
                f'{field.name}: no index sets, so filters on it find nothing; call '
                'objects.reindex().'
            )
    for field in info.fields:
        if field.sorted is not None and field.sorted.entries != info.objects:
            found += _about_sorted(info, field.name, field.sorted.entries)
    return [*found, *_about_partitions(info), *_about_rows(info), *_about_keys(info)]


def _about_sorted(info: ModelInfo, name: str, entries: int) -> Iterator[str]:
    if not entries:
        yield f'{name}: its sorted set is empty; call objects.reindex().'
    elif abs(entries - info.objects) > 0.01 * info.objects:
        yield (
            f'{name}: its sorted set has {entries:,} entries for {info.objects:,} objects; call '
            'objects.check(), and if it finds anything, objects.repair().'
        )


def _about_index(info: ModelInfo, field: FieldInfo, index: IndexInfo) -> Iterator[str]:
    name, many = field.name, info.objects >= WORTHWHILE_OBJECTS
    if index.longNames and not field.hashIndex:
        yield (
            f'{name}: {index.longNames:,} values of more than {LONG_NAME} bytes are in the names '
            'of index sets; hashIndex=True makes them short '
            '(then call objects.compat_convertHashedIndexes()).'
        )
    if many and index.largest == 1 and index.entries >= 0.99 * info.objects:
        cost = '' if index.memory is None else f', {bytes_text(index.memory)} in all'
        hashing = '' if field.hashIndex else '; hashIndex=True keeps long ones short'
        yield (
            f'{name}: every value is unique, so each object has an index set of its own{cost}. '
            f'Remove it from INDEXED_FIELDS if no filter uses it{hashing}.'
        )
    if many and index.sets == 1:
        yield f'{name}: all objects have the same value, so filters by it are not selective.'
    elif many and index.largest >= NEVER_SELECTIVE * info.objects:
        value, count = index.top[0]
        yield (
            f'{name}: {shown(value)} has {count / info.objects:.0%} of all objects, so filters by '
            'it are not selective.'
        )
    if abs(index.entries - info.objects) > 0.01 * info.objects:
        yield (
            f'{name}: its index sets have {index.entries:,} entries for {info.objects:,} objects; '
            'call objects.check(), and if it finds anything, objects.repair().'
        )


def _about_partitions(info: ModelInfo) -> Iterator[str]:
    rows = info.rowsOfPartitions
    mean = info.objects / max(1, len(rows))
    if rows and mean >= WORTHWHILE_OBJECTS and max(rows) > UNEVEN * mean:
        yield (
            f'The largest partition has {max(rows):,} objects, {max(rows) / mean:.1f} times the '
            'average, so its node has more to do than others. With PARTITION_BY, a frequent value '
            'does that: choose a field with more values.'
        )


def _about_rows(info: ModelInfo) -> Iterator[str]:
    large = info.encodings['hashtable']
    if info.rowsSampled and large > 0.1 * info.rowsSampled:
        long = sorted(
            (field for field in info.fields if field.longest > COMPACT_VALUE),
            key=lambda field: -field.longest,
        )
        named = ', '.join(f'{field.name} ({field.longest:,})' for field in long[:3])
        share = f'{large / info.rowsSampled:.0%} of the rows are hash tables'
        if long:
            yield (
                f'{share}, as a value in them has more than {COMPACT_VALUE} bytes: {named}. A '
                'higher hash-max-listpack-value in the configuration of the server would keep '
                'them in the compact form.'
            )
        else:
            yield (
                f'{share}, as they have {info.width:,.0f} fields; a higher '
                'hash-max-listpack-entries would keep them in the compact form.'
            )


def _about_keys(info: ModelInfo) -> Iterator[str]:
    if info.unused:
        named = ', '.join(f'{name} ({count:,})' for name, count in info.unused.most_common(5))
        yield f'Index sets of fields that are not indexed: {named}. Call objects.repair().'
    if info.objects and info.next is None:
        yield 'The counter of pks is missing or damaged; call objects.repair().'
