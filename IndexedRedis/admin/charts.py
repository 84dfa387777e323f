"""Figures of a model as the bars of charts. Pure: templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..fields import IR_NULL_STR
from ..utils import bytes_text

__all__ = ('Bar', 'Field', 'bars', 'memory_parts')

# Values of a field that its chart shows.
TOP = 5


class Bar(NamedTuple):
    """One bar: its label, its length in percent of the longest one, and its figure."""

    label: str
    percent: float
    figure: str


class Field(NamedTuple):
    """The index of a field.

    :param bar: the number of its values, as a part of the number of objects
    :param top: the most frequent values
    """

    name: str
    kind: str
    bar: Bar
    range: str
    top: list[Bar]


def bars(report: Any) -> list[Field]:
    """Return a chart for each indexed field.

    :param report: a :class:`~IndexedRedis.ModelInfo`
    """
    indexed = [(each.name, each.type, each.index) for each in report.fields if each.index]
    together = [(name, 'unique together', index) for name, index in report.together.items()]
    rows = [(name, kind, index.asDict()) for name, kind, index in [*indexed, *together]]
    most = max((index['sets'] for _, _, index in rows), default=0)
    return [
        Field(
            name,
            kind,
            Bar(name, _percent(index['sets'], most), f'{index["sets"]:,}'),
            _range(index['smallest'], index['largest']),
            _top(index['top']) if index['largest'] > 1 else [],
        )
        for name, kind, index in rows
    ]


def memory_parts(report: Any) -> list[Bar]:
    """Return the parts of the memory; none if the server does not tell."""
    parts: Sequence[tuple[str, int | None]] = [
        ('rows', report.rowMemory),
        ('index sets', report.indexMemory),
        ('sorted sets', report.sortedMemory),
        ('set of all pks', report.keysMemory),
    ]
    if report.memory is None:
        return []
    return [
        Bar(label, _percent(size, report.memory), bytes_text(size)) for label, size in parts if size
    ]


def _range(smallest: int, largest: int) -> str:
    if smallest == largest:
        return f'{largest:,} object{"" if largest == 1 else "s"} each'
    return f'{smallest:,} to {largest:,} objects each'


def _top(values: list[dict[str, Any]]) -> list[Bar]:
    most = values[0]['objects']
    return [
        Bar(_label(each['value']), _percent(each['objects'], most), f'{each["objects"]:,}')
        for each in values[:TOP]
    ]


def _label(value: str) -> str:
    return 'null' if value == IR_NULL_STR else value


def _percent(part: int | None, whole: int | None) -> float:
    return round(100 * (part or 0) / whole, 1) if whole else 0.0
