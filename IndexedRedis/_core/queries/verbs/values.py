"""Read the fields of the objects that match as plain values, without making objects."""

from __future__ import annotations

from typing import Any

from ...flows import Flow
from ..fetch import fetch
from ..query import Query, primary_keys

__all__ = ('values',)


def values(query: Query, names: tuple[str, ...], shape: str) -> Flow[list[Any]]:
    """Return the values of these names for each object that matches.

    :param names: names of fields, and of the pk
    :param shape: one of :class:`~....mapping.plain_values.Shape`
    :raises UnreadableValueError: if stored bytes cannot be decoded
    """
    decoder = query.schema.value_decoder(names, shape)
    if not decoder.columns:
        pks = yield from primary_keys(query)
        return decoder.items(pks, [()] * len(pks))
    return (yield from fetch(query, decoder.columns, build=decoder.items))
