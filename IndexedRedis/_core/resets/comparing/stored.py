"""Find the stored objects that have the keys of a new data set.

The stored rows are read by plain commands, and compared as bytes. A script that compares digests of
the rows would send less, but cost twice as much CPU: Lua makes a string of each value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from ...column import Column
from ...flows import Batch, Command, Flow, chunks
from ...locking.locks import lock_lost_error
from ...mapping.decoder import Row
from ...mapping.encoder import StoredRow
from ...mapping.index_keys import index_keys_of_values
from ...mapping.resp import get_members
from ...mapping.schema import Schema
from ...queries.by_pk import rows_of
from ...queries.query import pks_of
from .merge import Key, Merge, index_values

__all__ = ('Stored', 'pks_of_equal', 'pks_under', 'stored_under')

# Keys whose index sets one batch of commands reads.
KEYS_AT_ONCE = 500

# Pk and row of a stored object, or twice None.
Stored = tuple[int, Row] | tuple[None, None]


def stored_under(
    merge: Merge, keys: Sequence[Key], extend: Command, new: Iterable[Any] = repeat(None)
) -> Flow[list[Stored]]:
    """Return pk and row of the stored object with each key; of two with one key, the lower pk.

    The others are noted in :attr:`Merge.doubles`.

    :param new: the rows that these keys are going to have, if known; one that is stored as it is
        is returned itself
    """
    schema = merge.schema
    names = _index_sets(schema, merge.columns, keys)
    if len(merge.columns) == 1:
        reads = get_members(name for (name,) in names)
    else:
        reads = [('SINTER', *sets) for sets in names]
    held, *found = yield Batch([extend, *reads])
    if not held:
        raise lock_lost_error([merge.staging])
    if not merge.columns:
        listed = [[int(pk)] for (pk,) in keys]
    else:
        pairs = zip(found, names, strict=True)
        listed = [pks_of(schema, members, sets[0]) for members, sets in pairs]
    pks = sorted({*chain.from_iterable(listed)})
    rows = yield from rows_of(schema, pks, schema.all)
    there = {pk: tuple(row) for pk, row in zip(pks, rows, strict=True) if row is not None}
    items = zip(keys, listed, new, strict=False)
    return [_lowest(merge, there, key, some, row) for key, some, row in items]


def _lowest(
    merge: Merge, rows: Mapping[int, Row], key: Key, pks: Sequence[int], new: StoredRow | None
) -> Stored:
    """Return pk and row of the object with a key.

    :param rows: the rows of the objects that are stored
    :param pks: those that the index sets of the key list. A row that is listed only under another
        key would stay lost for queries, so it does not count.
    """
    found: Stored = None, None
    for pk in sorted(pks):
        row = rows.get(pk)
        if row is None or (row != new and merge.key_of_row(pk, row) != key):
            continue
        if found[0] is None:
            found = pk, new if row == new else row
        else:
            merge.doubles[pk] = row
    return found


def pks_of_equal(
    merge: Merge, keys: Sequence[Key], rows: Sequence[StoredRow], extend: Command
) -> Flow[list[int | None]]:
    """Return for each row the pk under which it is stored as it is; None if it differs.

    Two commands for all index sets, instead of one for each, save a tenth of a diff that finds
    nothing changed. They do not tell which set lists a pk. So none counts as equal if a key has no
    pk, or two rows, or if a row has another key: :func:`stored_under` reads set by set.

    :param keys: those of the rows
    :param extend: the command that extends the locks
    """
    schema = merge.schema
    none: list[int | None] = [None] * len(keys)
    if len(merge.columns) != 1:
        return none
    names = [name for (name,) in _index_sets(schema, merge.columns, keys)]
    held, used, members = yield Batch([extend, ('EXISTS', *names), ('SUNION', *names)])
    if not held:
        raise lock_lost_error([merge.staging])
    if used < len(names):
        return none
    pks = sorted(pks_of(schema, members, names[0]))
    stored = yield from rows_of(schema, pks, schema.all)
    there = [tuple(row) for row in stored if row is not None]
    ((_, at),) = merge.places
    places = {row[at]: place for place, row in enumerate(there)}
    given = [row[at] for row in rows]
    if len(places) < len(pks) or not places.keys() <= {*given}:
        return none
    found = zip(map(places.get, given), rows, strict=True)
    return [None if i is None or there[i] != row else pks[i] for i, row in found]


def pks_under(
    schema: Schema, columns: tuple[Column, ...], keys: Sequence[Any]
) -> Flow[list[int | None]]:
    """Return the pk of the stored object with each key; of two with one key, the lower pk.

    :param columns: the key
    :param keys: values of the columns, or tuples of them
    """
    found: list[int | None] = []
    for some in chunks(keys, KEYS_AT_ONCE):
        names = _index_sets(schema, columns, [index_values(columns, key) for key in some])
        for members in (yield Batch([('SINTER', *sets, schema.keys.all) for sets in names])):
            found.append(min(pks_of(schema, members), default=None))
    return found


def _index_sets(
    schema: Schema, columns: Sequence[Column], keys: Sequence[Key]
) -> list[tuple[bytes, ...]]:
    """Return for each key the index sets of its columns."""
    pairs = zip(columns, zip(*keys, strict=True), strict=True) if columns and keys else ()
    names = [index_keys_of_values(schema.keys, column, part) for column, part in pairs]
    return [*zip(*names, strict=True)]
