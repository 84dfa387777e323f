"""Statistics of a model's stored data, as text and as plain data. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from ..text import bytes_text, shown, text_of

__all__ = ('TOP_VALUES', 'FieldInfo', 'IndexInfo', 'ModelInfo', 'SortedInfo', 'scaled')

# The most frequent values of an index that are reported, and of these in the text.
TOP_VALUES = 10
NAMED_VALUES = 3


class IndexInfo:
    """The index sets of one field."""

    def __init__(self) -> None:
        #: number of sets, one for each value; of a value in several partitions, one in each
        self.sets = 0
        #: number of entries of all sets
        self.entries = 0
        #: entries of the smallest set
        self.smallest = 0
        #: the most frequent values with their numbers of objects; for a field with ``hashIndex``,
        #: the md5 of the values
        self.top: list[tuple[bytes, int]] = []
        #: number of sets whose name holds a value of more than 200 bytes
        self.longNames = 0
        #: bytes of memory, estimated; None: the server does not allow MEMORY USAGE
        self.memory: int | None = None

    @property
    def largest(self) -> int:
        """Entries of the largest set."""
        return self.top[0][1] if self.top else 0

    @property
    def average(self) -> float:
        """Entries of a set, on average."""
        return self.entries / self.sets if self.sets else 0.0

    def frequent(self) -> list[tuple[str, int]]:
        """Return the three most frequent values as text, with their numbers of objects.

        It is empty if every value is unique.
        """
        top = self.top[:NAMED_VALUES] if self.largest > 1 else []
        return [(shown(value), count) for value, count in top]

    def asDict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            'sets': self.sets,
            'entries': self.entries,
            'smallest': self.smallest,
            'average': round(self.average, 3),
            'largest': self.largest,
            'top': [{'value': text_of(value), 'objects': count} for value, count in self.top],
            'longNames': self.longNames,
            'memory': self.memory,
        }


class SortedInfo(NamedTuple):
    """The sorted set of one field.

    :param entries: number of entries, one for each object
    :param memory: bytes of memory; None: the server does not allow MEMORY USAGE
    """

    entries: int
    memory: int | None


class FieldInfo:
    """One field.

    :param name: its name
    :param kind: its class, and the type of its values
    :param index: its index sets; None: the field is not indexed
    """

    def __init__(self, name: str, kind: str, index: IndexInfo | None, hashed: bool) -> None:
        self.name, self.type, self.index = name, kind, index
        #: its sorted set; None: the field is not sorted
        self.sorted: SortedInfo | None = None
        #: whether index keys end in the md5 of the value
        self.hashIndex = hashed
        #: bytes of the longest stored value in the sample
        self.longest = 0

    def asDict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            'name': self.name,
            'type': self.type,
            'indexed': self.index is not None,
            'hashIndex': self.hashIndex,
            'longest': self.longest,
            'sorted': None if self.sorted is None else self.sorted._asdict(),
            'index': None if self.index is None else self.index.asDict(),
        }


class ModelInfo:
    """What :meth:`~IndexedRedis.IndexedRedisQuery.info` found."""

    def __init__(self, model: str, keyName: str, fields: Iterable[FieldInfo]) -> None:
        #: name and ``KEY_NAME`` of the model
        self.model, self.keyName = model, keyName
        #: number of stored objects
        self.objects = 0
        #: number of objects in each partition, and the edition; empty and None without partitions
        self.rowsOfPartitions: list[int] = []
        self.edition: int | None = None
        #: the last reserved pk, with partitions the highest of these; None: there is none
        self.next: int | None = None
        #: when the data was mirrored; None: it was not mirrored
        self.mirroredAt: datetime | None = None
        #: the fields, in the order of the model
        self.fields = list(fields)
        #: number of rows and of index sets in the samples
        self.rowsSampled = self.setsSampled = 0
        #: encodings of the sampled rows, such as ``listpack`` or ``hashtable``
        self.encodings: Counter[str] = Counter()
        #: number of fields of a row, on average
        self.width = 0.0
        #: bytes of memory of all rows, estimated, and of the set of all pks; None as above
        self.rowMemory: int | None = None
        self.keysMemory: int | None = None
        #: the index sets of fields that are unique together, by their names: ``'shop, sku'``
        self.together: dict[str, IndexInfo] = {}
        #: number of index sets of fields that are not indexed, by field
        self.unused: Counter[str] = Counter()
        #: number of work keys of resets
        self.workKeys = 0
        #: sentences about what could be better
        self.advice: list[str] = []

    @property
    def indexMemory(self) -> int | None:
        """Bytes of memory of all index sets, estimated; None: MEMORY USAGE is not allowed."""
        parts = [field.index.memory for field in self.fields if field.index is not None]
        parts += (index.memory for index in self.together.values())
        return None if None in parts else sum(part or 0 for part in parts)

    @property
    def sortedMemory(self) -> int | None:
        """Bytes of memory of all sorted sets; None: MEMORY USAGE is not allowed."""
        parts = [field.sorted.memory for field in self.fields if field.sorted is not None]
        return None if None in parts else sum(part or 0 for part in parts)

    @property
    def memory(self) -> int | None:
        """Bytes of memory of the model, estimated; None: MEMORY USAGE is not allowed."""
        parts = (self.rowMemory, self.keysMemory, self.indexMemory, self.sortedMemory)
        return None if None in parts else sum(part or 0 for part in parts)

    def asDict(self) -> dict[str, Any]:
        """Return it as plain data, for json."""
        return {
            'model': self.model,
            'keyName': self.keyName,
            'objects': self.objects,
            'partitions': self._partitions(),
            'next': self.next,
            'mirroredAt': self.mirroredAt.isoformat() if self.mirroredAt else None,
            'fields': [field.asDict() for field in self.fields],
            'memory': {
                'total': self.memory,
                'rows': self.rowMemory,
                'keys': self.keysMemory,
                'indexes': self.indexMemory,
                'sorted': self.sortedMemory,
                'rowsSampled': self.rowsSampled,
                'setsSampled': self.setsSampled,
            },
            'encodings': dict(self.encodings),
            'together': {names: index.asDict() for names, index in self.together.items()},
            'unused': dict(self.unused),
            'workKeys': self.workKeys,
            'advice': list(self.advice),
        }

    def _partitions(self) -> dict[str, Any] | None:
        rows = self.rowsOfPartitions
        if not rows:
            return None
        return {
            'edition': self.edition,
            'count': len(rows),
            'smallest': min(rows),
            'largest': max(rows),
            'average': round(sum(rows) / len(rows), 3),
            'rows': list(rows),
        }

    def __str__(self) -> str:
        spread = bool(self.rowsOfPartitions)
        fields = [line for field in self.fields for line in _field_lines(field, spread)]
        return '\n'.join(filter(None, [self.head(), '  fields:', *fields, self.tail()]))

    def head(self) -> str:
        """Return the text above the list of fields."""
        return '\n'.join(self._head())

    def tail(self) -> str:
        """Return the text below the list of fields, which may be empty."""
        return '\n'.join(self._tail())

    def _head(self) -> Iterator[str]:
        last = 'none' if self.next is None else f'{self.next:,}'
        yield f'{self.model} (KEY_NAME {shown(self.keyName)})'
        yield f'  objects: {self.objects:,}, last pk handed out: {last}'
        if self.rowsOfPartitions:
            yield f'  {self.partitions_text}'
        if self.mirroredAt:
            yield f'  mirrored: {self.mirroredAt.isoformat(" ", "seconds")}'
        yield f'  memory: {self.memory_text}'
        if self.encodings:
            of = f'{self.rowsSampled:,} sampled'
            rows = ', '.join(f'{count:,} {name}' for name, count in self.encodings.most_common())
            yield f'  rows: {rows} ({of})'

    def _tail(self) -> Iterator[str]:
        for names, index in self.together.items():
            yield f'  unique together: {names}: {index.sets:,} values'
        yield from (f'  not indexed, but has {n:,} index sets: {f}' for f, n in self.unused.items())
        if self.workKeys:
            yield f'  work keys: {self.workKeys:,}'
        if self.advice:
            yield '  advice:'
            yield from (f'    - {text}' for text in self.advice)

    @property
    def partitions_text(self) -> str:
        """The partitions, and how evenly they are filled, in a sentence; empty without any."""
        rows = self.rowsOfPartitions
        if not rows:
            return ''
        return (
            f'{len(rows):,} partitions of {min(rows):,} to {max(rows):,} objects, '
            f'{sum(rows) / len(rows):,.1f} on average; edition {self.edition}'
        )

    @property
    def memory_text(self) -> str:
        """The memory, in a sentence."""
        if self.memory is None:
            return 'not known, as the server does not allow MEMORY USAGE'
        ordered = f'sorted sets {bytes_text(self.sortedMemory)}, ' if self.sortedMemory else ''
        return (
            f'about {bytes_text(self.memory)}: rows {bytes_text(self.rowMemory)}, index sets '
            f'{bytes_text(self.indexMemory)}, {ordered}set of all pks '
            f'{bytes_text(self.keysMemory)} (from {self.rowsSampled:,} rows and '
            f'{self.setsSampled:,} index sets)'
        )

    def __repr__(self) -> str:
        return f'<ModelInfo {self.model}: {self.objects:,} objects>'


def _field_lines(field: FieldInfo, spread: bool) -> Iterator[str]:
    index = field.index
    ordered = '' if field.sorted is None else f', sorted: {field.sorted.entries:,} entries'
    if index is None:
        yield f'    {field.name}: {field.type}{ordered}'
        return
    hashed = ', hashIndex' if field.hashIndex else ''
    sizes = f'values of {index.smallest:,} to {index.largest:,} objects,'
    if spread:  # a value has a set in each of several partitions
        sizes = 'index sets in partitions, objects in each:'
    yield (
        f'    {field.name}: {field.type}{ordered}, indexed{hashed}: {index.sets:,} {sizes} '
        f'{index.average:,.1f} on average'
    )
    top = [f'{value} {count:,}' for value, count in index.frequent()]
    if top:
        yield f'      most frequent: {", ".join(top)}'


def scaled(measured: int, sampled: int, count: int) -> int:
    """Extrapolate from a sample to ``count`` things."""
    return measured if sampled >= count else round(measured / max(sampled, 1) * count)
