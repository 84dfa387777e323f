"""Which pks are stored, for the command line and mirrors. Other programs save the import."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

from .._core.flows import Flow, ask, scan
from .._core.keys import is_allowed_pk
from .._core.mapping.schema import Schema
from .._core.partitions.asking import read_shards
from .._core.partitions.editions.fence import Fence
from .._core.partitions.editions.known import FIRST
from .._core.partitions.layout import Shard
from .._core.resets.comparing.stored import pks_under
from .manager import executor_of

__all__ = ('edition_of', 'pks_of_keys', 'pks_of_partitions')


def pks_of_keys(model: Any, names: Sequence[str], keys: Sequence[Any]) -> list[int | None]:
    """Return the pks of the stored objects with some keys; None for a key that no object has.

    :param names: the indexed fields that are the key
    :param keys: values of the fields, or tuples of them

    Redis: ``SINTER`` of the index sets of each key and of ``:keys``, 500 keys in a trip.
    """
    schema = model._validated()
    columns = tuple(schema.columns[name] for name in names)
    run = executor_of(model).run
    if not schema.partitions:
        found: list[int | None] = run(pks_under(schema, columns, keys))
        return found
    parts = run(read_shards(schema, lambda shard: pks_under(shard, columns, keys)))
    some = ([pk for pk in pks if pk is not None] for pks in zip(*parts, strict=True))
    return [min(pks, default=None) for pks in some]


def pks_of_partitions(model: Any) -> tuple[int, array[int]]:
    """Return the edition of a model with partitions, and its pks, eight bytes each.

    The sets may hold members that are not pks; these are left out.

    Redis: ``SSCAN`` in pages of 500 of each partition, all in one trip.
    """
    schema, edition = model._validated(), 0

    def pks(shard: Shard) -> Flow[array[int]]:
        nonlocal edition
        edition, found = shard.edition, array('q')

        def take(page: list[bytes]) -> tuple[()]:
            found.extend(map(int, filter(is_allowed_pk, page)))
            return ()

        yield from scan(take, shard.keys.all)
        return found

    parts = executor_of(model).run(read_shards(schema, pks))
    return edition, array('q', dict.fromkeys(chain.from_iterable(parts)))


def edition_of(model: Any) -> int:
    """Return the edition that is true of a model with partitions.

    Redis: ``GET``.
    """

    def asked(schema: Schema) -> Flow[int]:
        fence = Fence.of((yield from ask('GET', schema.keys.edition)))
        return FIRST if fence is None else fence.edition.number

    found: int = executor_of(model).run(asked(model._validated()))
    return found
