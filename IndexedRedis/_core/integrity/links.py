"""Find links that lead to no stored object, such as those whose target was deleted.

The rule: a link is reported only if two readings in a row find it leading nowhere. A reset of both
models may fall into one reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ...errors import PartitionLostError, UnreadableValueError
from ...fields.null import irNull
from ..column import Column
from ..flows import Batch, Elsewhere, Flow, chunks
from ..keys import is_pk
from ..locking.key_types import OTHER_TYPE
from ..mapping.schema import Schema
from ..partitions.asking import read_shards
from ..partitions.editions.fence import Edition
from ..partitions.layout import Shard
from ..partitions.values import partition_of
from .probe import Probe, probe_rows

__all__ = ('DanglingLink', 'dangling_links')

# Members that one command tests.
MEMBERS = 500


class DanglingLink(NamedTuple):
    """A link that leads to no stored object: the pk of its object, its field, its target."""

    pk: bytes
    field: str
    model: str
    target: int

    def __str__(self) -> str:
        pk = self.pk.decode()
        return f'{self.field} of pk {pk} leads to {self.model} {self.target}, which is not stored'


def dangling_links(schema: Schema, pks: Sequence[bytes]) -> Flow[list[DanglingLink]]:
    """Return the links of these objects that lead to no stored object."""
    columns = {column: model for column in schema.links if (model := _target(column)) is not None}
    if not columns:
        return []
    first = yield from _dangling(schema, columns, [pk for pk in pks if is_pk(pk)])
    again = yield from _dangling(schema, columns, [*dict.fromkeys(link.pk for link in first)])
    return [link for link in again if link in {*first}]


def _target(column: Column) -> Any:
    """Return the model that a link leads to; None if the program has not defined it."""
    try:
        return column.field.foreignModel
    except ValueError:
        return None


def _dangling(
    schema: Schema, columns: dict[Column, Any], pks: Sequence[bytes]
) -> Flow[list[DanglingLink]]:
    seen = yield from probe_rows(schema, [Probe(pk, [*columns]) for pk in pks])
    links = [
        (probe.pk, column, target)
        for probe, facts in seen
        if facts.stored and facts.row is not None
        for column, stored in zip(columns, facts.row, strict=True)
        for target in _targets(column, stored)
    ]
    found = []
    for model in {*columns.values()}:
        mine = [link for link in links if columns[link[1]] is model]
        wanted = sorted({target for *_, target in mine})
        missing = yield Elsewhere(model, _missing(model._validated(), wanted))
        found += [
            DanglingLink(pk, column.name, model.__name__, target)
            for pk, column, target in mine
            if target in missing
        ]
    return found


def _targets(column: Column, stored: bytes | None) -> Iterator[int]:
    try:
        data = column.decode(stored)
    except UnreadableValueError:
        return
    if data is not irNull:
        yield from (pk for pk in data.getPks() if pk is not None)


def _missing(schema: Schema, pks: Sequence[int]) -> Flow[set[int]]:
    """Return the pks under which no object is stored; none if the set of all pks is not a set."""
    if not pks:
        return set()
    if schema.partitions:
        return (yield from _missing_in_parts(schema, pks))
    (wrong,) = yield Batch([OTHER_TYPE([schema.keys.all], b'set')])
    if wrong:
        return set()
    parts = [*chunks(pks, MEMBERS)]
    replies = yield Batch([('SMISMEMBER', schema.keys.all, *part) for part in parts])
    return {
        pk
        for part, reply in zip(parts, replies, strict=True)
        for pk, stored in zip(part, reply, strict=True)
        if not stored
    }


def _missing_in_parts(schema: Schema, pks: Sequence[int]) -> Flow[set[int]]:
    """Return the same of a model with partitions; none if one of them has lost its data."""

    def missing(shard: Shard) -> Flow[set[int]]:
        stride, number = shard.keys.stride, shard.number
        return _missing(shard, [pk for pk in pks if pk % stride == number])

    def numbers(edition: Edition) -> list[int]:
        return sorted({partition_of(pk, edition) for pk in pks})

    with suppress(PartitionLostError):
        return set().union(*(yield from read_shards(schema, missing, numbers)))
    return set()
