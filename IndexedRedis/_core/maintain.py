"""The flows that keep a model in order: fill its indexes anew, or remove all of it."""

from __future__ import annotations

import re
from typing import Any

from .plan import Batch, Flow, ask, chunks
from .read import CHUNK, Query, primary_keys, rows_of
from .schema import Schema
from .write import UPDATE, Entry, compare_and_move

__all__ = ('destroy', 'reindex')

_GLOB = re.compile(rb'([*?\[\]\\^-])')
PAGE = 1000


def reindex(query: Query) -> Flow[int]:
    """Put the objects that match into the index sets of their stored values.

    Returns how many there were. Entries of other values stay, as do those of fields that are no
    longer indexed.
    """
    schema = query.schema
    pks = yield from primary_keys(query)
    count = 0
    for chunk in chunks(pks, CHUNK):
        rows = yield from rows_of(schema, chunk, schema.indexed) if schema.indexed else _none(chunk)
        entries = [
            Entry(pk, UPDATE, {}, dict(zip((c.name for c in schema.indexed), row, strict=True)))
            for pk, row in zip(chunk, rows, strict=True)
            if row is not None
        ]
        if entries:
            yield from compare_and_move(schema, entries, gone_is_fine=True)
        count += len(entries)
    return count


def _none(chunk: list[int]) -> Flow[list[Any]]:
    """No indexed fields: nothing to do."""
    return [None] * len(chunk)
    yield


def destroy(schema: Schema) -> Flow[int]:
    """Remove every key of the model, the pk counter too; returns how many keys there were.

    Keys are found by walking over the names in bounded steps, and only those of the exact shapes
    of this model are removed.
    """
    keys = schema.keys
    pattern = _GLOB.sub(rb'\\\1', keys.base) + b'*'
    removed = yield from ask('UNLINK', keys.all)
    cursor: Any = b'0'
    while cursor is not None:
        cursor, page = yield from ask('SCAN', cursor, 'MATCH', pattern, 'COUNT', PAGE)
        cursor = None if cursor in (b'0', 0) else cursor
        own = [key for key in page if keys.is_own(key)]
        if own:
            removed += sum((yield Batch([('UNLINK', *own)])))
    return int(removed)
