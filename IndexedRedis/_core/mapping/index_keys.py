"""Which index sets list a row: the one place that says so."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from ..column import Column
from ..objects.state import UNKNOWN
from .encoder import StoredRow
from .schema import Schema

__all__ = (
    'grouped_by_index',
    'index_keys_of_rows',
)


def index_keys_of(schema: Schema, column: Column, stored: bytes | None) -> list[bytes]:
    """The index sets that list an object with this stored value, rightly or by 6.0.3's mistake."""
    values = [column.index_of_stored(stored), *column.legacy_indexes(stored)]
    return [schema.keys.index(column.key, value) for value in values]


def index_keys_of_rows(
    schema: Schema,
    pks: Sequence[bytes],
    rows: Iterable[Sequence[Any]],
    but: Container[bytes] = (),
) -> dict[bytes, list[bytes]]:
    """The index sets that list these objects, by their stored values as far as known, and the pks
    in each.

    :param but: sets to leave out
    """
    listed: dict[bytes, list[bytes]] = {}
    for column, values in zip(schema.indexed, zip(*rows, strict=True), strict=True):
        by_value: dict[Any, list[list[bytes]]] = {}
        for stored in dict.fromkeys(values):
            keys = () if stored is UNKNOWN else index_keys_of(schema, column, stored)
            by_value[stored] = [listed.setdefault(key, []) for key in keys if key not in but]
        # Of a large data set nearly all are left out.
        if any(by_value.values()):
            for pk, stored in zip(pks, values, strict=True):
                for some in by_value[stored]:
                    some.append(pk)
    return listed


def grouped_by_index(
    schema: Schema, pks: Sequence[bytes], rows: Sequence[StoredRow]
) -> dict[bytes, list[bytes]]:
    """The index sets that are to list rows, with the pks that each is to get."""
    grouped: dict[bytes, list[bytes]] = {}
    for place, column in schema.indexed_places:
        by_value: dict[bytes, list[bytes]] = {}
        for pk, row in zip(pks, rows, strict=True):
            by_value.setdefault(row[place], []).append(pk)
        for stored, members in by_value.items():
            key = schema.keys.index(column.key, column.index_of_stored(stored))
            grouped.setdefault(key, []).extend(members)
    return grouped
