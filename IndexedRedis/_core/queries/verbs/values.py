"""Read the fields of the objects that match as plain values, without making objects."""

from __future__ import annotations

from typing import Any

from ...flows import Flow
from ..query import Query
from ..read import pks_of_part, read

__all__ = ('values',)


def values(query: Query, names: tuple[str, ...], shape: str) -> Flow[list[Any]]:
    """Return the values of these names for each object that matches.

    :param names: names of fields, and of the pk
    :param shape: one of :class:`~....mapping.plain_values.Shape`
    :raises UnreadableValueError: if stored bytes cannot be decoded
    """
    decoder = query.schema.value_decoder(names, shape)
    if not decoder.columns:
        pks = yield from pks_of_part(query)
        return decoder.items(pks, [()] * len(pks), b'')
    return (yield from read(query, decoder.columns, build=decoder.items))
