"""info(): statistics of a model.

Each step only reads: one page of ``SCAN`` or ``SSCAN``, or a script over at most a hundred keys.
Sizes of index sets are exact. Memory, encodings and lengths come from a sample.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import partial
from typing import Any

from ...fields.base import IRField
from ..column import Column
from ..flows import Batch, Flow, Progress, ask, chunks, scan, whole
from ..mapping.schema import Schema
from .advice import LONG_NAME, advice
from .eviction import eviction_warnings
from .model_info import TOP_VALUES, FieldInfo, IndexInfo, ModelInfo, SortedInfo, scaled
from .scripts import MEASURE

__all__ = ('Measured', 'draw', 'empty', 'info', 'measure')

# Bounds of one script: the keys it measures, and the commands it runs for them.
MEASURED_KEYS = 100
MEASURE_CALLS = 250
# Members that one SRANDMEMBER draws, and draws for each wanted member, since members repeat.
DRAWN_MEMBERS = 500
DRAWS_A_MEMBER = 4


def info(schema: Schema, sample: int, progress: Progress | None = None) -> Flow[ModelInfo]:
    """Return statistics of a model.

    :param sample: how many rows, and how many index sets of each field, to measure
    :param progress: called with the name of the step, how much of it is done, and of how much
    """
    return (yield from whole(lambda: _info(schema, sample, progress)))


def _info(schema: Schema, sample: int, progress: Progress | None) -> Flow[ModelInfo]:
    measured, tell = Measured(schema, sample), progress or (lambda step, done, total: None)
    found = measured.found
    yield from measured.count()
    tell('rows', 0, sample)
    yield from measured.rows()
    tell('rows', found.rowsSampled, found.rowsSampled)
    pattern = schema.keys.pattern_but_rows
    yield from scan(measured.page, match=pattern, tell=partial(tell, 'keys'), strict=True)
    yield from measured.rest()
    found.advice += advice(found) + (yield from eviction_warnings())
    return found


def empty(schema: Schema) -> ModelInfo:
    """Return statistics of a model that has stored nothing."""
    return ModelInfo(schema.name, schema.key_name, map(_field, schema.all))


class Measured:
    """The statistics of a model, or of one of its partitions, while they are being collected.

    :param sample: how many rows, and how many index sets of each field, to measure
    """

    def __init__(self, schema: Schema, sample: int) -> None:
        self.found = empty(schema)
        self._schema, self._sample = schema, sample
        self._indexes = _Indexes(schema, self.found, sample)

    def count(self) -> Flow[None]:
        """Count the objects."""
        keys, found = self._schema.keys, self.found
        found.objects, last = yield Batch([('SCARD', keys.all), ('GET', keys.next)])
        found.next = int(last) if last is not None and last.isdigit() else None

    def rows(self) -> Flow[None]:
        """Measure a sample of the rows."""
        return _measure_rows(self._schema, self.found, self._sample)

    def page(self, names: Sequence[bytes]) -> Flow[None]:
        """Take in index sets and work keys."""
        return self._indexes.page(names)

    def rest(self) -> Flow[None]:
        """Measure the largest index sets, when all are taken in, and the sorted sets."""
        yield from self._indexes.finish()
        yield from _measure_sorted(self._schema, self.found)


def _field(column: Column) -> FieldInfo:
    field = column.field
    kind = type(field).__name__
    if type(field) is IRField:
        kind += f'({getattr(field.valueType, "__name__", field.valueType)})'
    hashed = bool(column.indexed and field.isIndexHashed)
    return FieldInfo(column.name, kind, IndexInfo() if column.indexed else None, hashed)


def _measure_rows(schema: Schema, found: ModelInfo, sample: int) -> Flow[None]:
    keys, fields = schema.keys, [column.key for column in schema.all]
    ((_, memory, _),) = yield from measure([keys.all], True)
    found.keysMemory = memory if memory >= 0 else None
    pks = yield from draw(keys.all, found.objects, sample)
    rows = yield from measure([keys.data_prefix + pk for pk in pks], True, fields)
    there = [row for row in rows if row[0] >= 0]
    found.rowsSampled = len(there)
    found.encodings.update(row[2].decode('ascii') for row in there if row[2])
    found.width = sum(row[0] for row in there) / max(1, len(there))
    for i, field in enumerate(found.fields, 3):
        field.longest = max((row[i] for row in there), default=0)
    if all(row[1] >= 0 for row in there):
        found.rowMemory = scaled(sum(row[1] for row in there), len(there), found.objects)


def _measure_sorted(schema: Schema, found: ModelInfo) -> Flow[None]:
    if not schema.sorted:
        return
    seen = yield from measure(schema.sorted_keys, True, sorts=True)
    fields = {field.name: field for field in found.fields}
    for column, (size, memory, _) in zip(schema.sorted, seen, strict=True):
        fields[column.name].sorted = SortedInfo(max(0, size), memory if memory >= 0 else None)


def measure(
    keys: Sequence[bytes], closely: bool, fields: Sequence[bytes] = (), sorts: bool = False
) -> Flow[list[Sequence[Any]]]:
    """Return for each key its size, memory, encoding and lengths of fields; see MEASURE.

    :param closely: whether to measure memory and encoding
    :param sorts: whether these are the keys of sorted sets
    """
    seen: list[Sequence[Any]] = []
    size = max(1, min(MEASURED_KEYS, MEASURE_CALLS // (2 + 2 * closely + len(fields))))
    for some in chunks(keys, size):
        seen += yield from ask(*MEASURE.of(sorts)(some, int(closely), *fields))
    return seen


def draw(key: bytes, size: int, wanted: int) -> Flow[list[bytes]]:
    """Return random members of a set; all of them if it has at most ``wanted``."""
    members: dict[bytes, None] = {}
    if size <= wanted:

        def add(page: list[bytes]) -> tuple[()]:
            members.update(dict.fromkeys(page))
            return ()

        yield from scan(add, key)
        return list(members)[:wanted]  # the set may have grown meanwhile
    for _ in range(DRAWS_A_MEMBER * wanted // DRAWN_MEMBERS + 1):
        members.update(dict.fromkeys((yield from ask('SRANDMEMBER', key, DRAWN_MEMBERS))))
        if len(members) >= wanted:
            break
    return list(members)[:wanted]


class _Indexes:
    """Goes through all index sets and work keys."""

    def __init__(self, schema: Schema, found: ModelInfo, sample: int) -> None:
        self._keys, self._found, self._sample = schema.keys, found, sample
        self._by_field = {
            field.name.encode('utf-8'): _OneIndex(field.index)
            for field in found.fields
            if field.index is not None
        }
        for unique in schema.composites:
            index = found.together[', '.join(unique.names)] = IndexInfo()
            self._by_field[unique.key] = _OneIndex(index)

    def finish(self) -> Flow[None]:
        """Measure the largest sets."""
        for index in self._by_field.values():
            top = [self._keys.index_prefix + name for name in index.largest()]
            index.extrapolate((yield from measure(top, True)))
            self._found.setsSampled += index.measured

    def page(self, names: Sequence[bytes]) -> Flow[None]:
        """Take in index sets and work keys."""
        prefix = self._keys.index_prefix
        work = [name for name in names if self._keys.is_work(name)]
        self._found.workKeys += sum(not self._keys.is_of_counter(name) for name in work)
        wanted: dict[bool, list[tuple[_OneIndex, bytes]]] = {True: [], False: []}
        for name in (name[len(prefix) :] for name in names if name.startswith(prefix)):
            field, _, _ = name.partition(b':')
            index = self._by_field.get(field)
            if index is None:
                self._found.unused[field.decode('utf-8', 'backslashreplace')] += 1
            else:
                wanted[index.closely(self._sample)].append((index, name))
        for closely, some in wanted.items():
            seen = yield from measure([prefix + name for _, name in some], closely)
            for (index, name), (size, memory, *_) in zip(some, seen, strict=True):
                index.note(name, size, memory if closely else None)


class _OneIndex:
    """Collects statistics of the index sets of one field."""

    def __init__(self, index: IndexInfo) -> None:
        self._index = index
        self._memory: dict[bytes, int] = {}
        self._begun = 0
        # Sizes and names; the largest sets are among them.
        self._top: list[tuple[int, bytes]] = []

    def closely(self, sample: int) -> bool:
        """Return whether to measure the memory of the next set."""
        self._begun += 1
        return self._begun <= sample

    @property
    def measured(self) -> int:
        """Number of sets whose memory was measured."""
        return len(self._memory)

    def note(self, name: bytes, size: int, memory: int | None) -> None:
        """Take in one set.

        :param name: its key without the prefix of index sets
        """
        if size <= 0:  # it vanished meanwhile, or is another type
            return
        index = self._index
        index.smallest = min(size, index.smallest) if index.sets else size
        index.sets += 1
        index.entries += size
        index.longNames += len(name.partition(b':')[2]) > LONG_NAME
        if memory is not None:
            self._memory[name] = memory
        self._top.append((size, name))
        if len(self._top) > 50 * TOP_VALUES:
            self.largest()

    def largest(self) -> list[bytes]:
        """Return the names of the largest sets; among equals, the first by name."""
        self._top = heapq.nsmallest(TOP_VALUES, self._top, key=lambda each: (-each[0], each[1]))
        return [name for _, name in self._top]

    def extrapolate(self, measured_top: Sequence[Sequence[Any]]) -> None:
        """Add the measured memory of the largest sets to that of the others, extrapolated."""
        index = self._index
        for (_, name), (_, memory, *_) in zip(self._top, measured_top, strict=True):
            self._memory[name] = memory
        index.top = [(name.partition(b':')[2], size) for size, name in self._top]
        if all(memory >= 0 for memory in self._memory.values()):
            largest = sum(self._memory[name] for _, name in self._top)
            others = sum(self._memory.values()) - largest
            sampled, count = len(self._memory) - len(self._top), index.sets - len(self._top)
            index.memory = largest + (scaled(others, sampled, count) if sampled > 0 else 0)
