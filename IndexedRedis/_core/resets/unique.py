"""Refuse a new data set that has a unique value twice."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import UniqueError
from ..flows import Batch, Flow
from ..mapping.resp import get_rows
from ..mapping.unique import Unique
from .staging import Staging

__all__ = ('refuse_staged_repeats',)


def refuse_staged_repeats(staging: Staging, keys: Iterable[bytes]) -> Flow[None]:
    """Check that staged index sets of unique values list one object each.

    :param keys: the keys that they are going to have; others are left out
    :raises UniqueError: naming two objects
    """
    schema = staging.schema
    start = len(schema.keys.index_prefix)
    sets = [
        (unique, staging.staged(key))
        for key in keys
        if schema.keys.is_index(key)
        for unique in schema.uniques
        if unique.lists(key[start:])
    ]
    if sets:
        sizes = yield Batch([('SCARD', name) for _, name in sets])
        for (unique, name), size in zip(sets, sizes, strict=True):
            if size > 1:
                yield from _refuse(staging, unique, name)


def _refuse(staging: Staging, unique: Unique, name: bytes) -> Flow[None]:
    (pks,) = yield Batch([('SRANDMEMBER', name, 2)])
    if len(pks) < 2:
        return
    keys, fields = staging.schema.keys, staging.schema.keys_of(unique.columns)
    (stored,) = yield Batch(get_rows(keys.data_prefix, pks[:1], fields))
    if int(pks[0]) in staging.occupied:
        (stored,) = yield Batch([('HMGET', staging.staged(keys.data(int(pks[0]))), *fields)])
    if not unique.is_null(stored):
        raise UniqueError(
            f'{unique.label}: two objects of the new data set have {unique.shown(stored)}, and '
            'UNIQUE_FIELDS allows each value once. Nothing was replaced. Give one of them another '
            'value.',
            unique.names,
        )
