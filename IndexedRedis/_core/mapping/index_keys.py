"""Which index sets list a row. No other file works out the key of an index set."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import chain
from typing import Any

from ..column import Column
from ..keys import Keys
from ..objects.state import UNKNOWN
from .decoder import Memo
from .encoder import StoredRow
from .schema import Schema
from .unique import Unique

__all__ = (
    'grouped_by_index',
    'grouped_by_sorted',
    'index_key',
    'index_keys_of',
    'index_keys_of_rows',
    'index_keys_of_values',
    'unique_key',
)


def index_key(schema: Schema, column: Column, stored: bytes | None) -> bytes:
    """Return the index set that has to list a row with these stored bytes."""
    return schema.keys.index(column.key, column.index_of_stored(stored))


def unique_key(schema: Schema, unique: Unique, stored: Sequence[bytes | None]) -> bytes:
    """Return the index set that lists the objects with these values of unique fields.

    Those of several fields stand in its key with their lengths, so that no two combinations meet.

    :param stored: the stored bytes of the columns
    """
    if not unique.is_composite:
        return index_key(schema, unique.columns[0], stored[0])
    pairs = zip(unique.columns, stored, strict=True)
    parts = (column.index_of_stored(value) for column, value in pairs)
    return schema.keys.index(unique.key, b''.join(b'%d:%b' % (len(each), each) for each in parts))


def index_keys_of(
    schema: Schema, column: Column, stored: bytes | None, rehash: bool = False
) -> list[bytes]:
    """Return the index sets that may list a row with these stored bytes.

    The first one has to; 6.0.3 may have added the row to the others by mistake.

    :param rehash: include the set under the other choice of ``hashIndex``
    """
    values = [column.index_of_stored(stored), *column.legacy_indexes(stored)]
    if rehash:
        values += column.rehashed(stored)
    return index_keys_of_values(schema.keys, column, values)


def index_keys_of_values(keys: Keys, column: Column, values: Iterable[bytes]) -> list[bytes]:
    """Return the index sets of these index values, such as those of a filter."""
    prefix = keys.index(column.key, b'')
    return [prefix + value for value in values]


def index_keys_of_rows(
    schema: Schema,
    pks: Sequence[bytes],
    rows: Iterable[Sequence[Any]],
    but: Container[bytes] = (),
) -> dict[bytes, list[bytes]]:
    """Return the index sets that may list rows, each with the pks of its rows.

    :param rows: the stored bytes of the indexed fields, or ``UNKNOWN``
    :param but: sets to leave out
    """
    listed: dict[bytes, list[bytes]] = {}
    listed_rows = [*rows]
    for column, values in zip(schema.indexed, zip(*listed_rows, strict=True), strict=True):
        lists: dict[Any, list[list[bytes]]] = {}
        for stored in dict.fromkeys(values):
            keys = () if stored is UNKNOWN else index_keys_of(schema, column, stored)
            lists[stored] = [listed.setdefault(key, []) for key in keys if key not in but]
        # A caller that leaves sets out leaves out nearly all sets of a large data set.
        if any(lists.values()):
            for pk, stored in zip(pks, values, strict=True):
                for members in lists[stored]:
                    members.append(pk)
    for unique in schema.composites:
        for pk, row in zip(pks, listed_rows, strict=True):
            parts = unique.values_in(dict(zip(schema.indexed_names, row, strict=True)))
            if UNKNOWN not in parts and (key := unique_key(schema, unique, parts)) not in but:
                listed.setdefault(key, []).append(pk)
    return listed


def grouped_by_index(
    schema: Schema, pks: Sequence[bytes], rows: Sequence[StoredRow]
) -> dict[bytes, list[bytes]]:
    """Return the index sets that have to list new rows, each with the pks of its rows.

    :param rows: whole rows
    """
    listed: dict[bytes, list[bytes]] = {}
    for place, column in schema.indexed_places:
        by_value: dict[bytes, list[bytes]] = {}
        for pk, row in zip(pks, rows, strict=True):
            by_value.setdefault(row[place], []).append(pk)
        for stored, members in by_value.items():
            listed.setdefault(index_key(schema, column, stored), []).extend(members)
    for unique in schema.composites:
        for pk, row in zip(pks, rows, strict=True):
            values = unique.values_in(dict(zip(schema.columns, row, strict=True)))
            listed.setdefault(unique_key(schema, unique, values), []).append(pk)
    return listed


def grouped_by_sorted(
    schema: Schema, pks: Sequence[bytes], rows: Sequence[StoredRow]
) -> dict[bytes, list[bytes]]:
    """Return the sorted sets of new rows, each with score and pk of each row, as ZADD takes them.

    :param rows: whole rows
    """
    listed: dict[bytes, list[bytes]] = {}
    for place, column in schema.sorted_places:
        scores = Memo(column.score_of_stored)
        pairs = ((scores[row[place]], pk) for pk, row in zip(pks, rows, strict=True))
        listed[schema.keys.sorted(column.key)] = [*chain.from_iterable(pairs)]
    return listed
