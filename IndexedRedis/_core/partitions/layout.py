"""The keys of partitions, and the schema of one of them.

Each edition of each partition is a key space of its own, so the flows for a whole model run on it
unchanged. Its names begin with ``{TAG}:keys:``, which extends a reserved segment, so that no
``KEY_NAME`` leads there. Edition 0 holds what all editions of a partition share.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count as numbers_from
from typing import Any

from ...errors import PartitionLostError
from ..keys import Keys
from ..mapping.encoder import RowEncoder
from ..mapping.schema import Schema

__all__ = ('Shard', 'ShardKeys', 'lost', 'tags')

# Hash slots of a cluster.
SLOTS = 16384
SHARED = 0  # the edition that stands for all


@lru_cache
def tags(count: int) -> tuple[bytes, ...]:
    """Return the hash tags of so many partitions, in order: their slots are spread evenly.

    The slot of each is in the middle half of its share of the slots. Nodes have equal runs of
    slots, so each gets its share of the partitions, give or take one. Other counts have other tags,
    so no two of them share a counter of pks.
    """
    found: dict[int, bytes] = {}
    for number in numbers_from():
        tag = b'%d.%d' % (count, number)
        place, rest = divmod((crc_hqx(tag, 0) % SLOTS) * count, SLOTS)
        if place not in found and SLOTS <= 4 * rest <= 3 * SLOTS:
            found[place] = tag
            if len(found) == count:
                return tuple(found[place] for place in range(count))
    raise AssertionError


class ShardKeys(Keys):
    """The keys of one edition of one partition, and those that its editions share.

    :param key_name: the ``KEY_NAME`` of the model
    :param number: of the partition
    :param count: of all partitions
    :param edition: number of the edition
    """

    __slots__ = ('fence', 'offset', 'stride')

    def __init__(self, key_name: str, number: int, count: int, edition: int) -> None:
        begin = f'{{{tags(count)[number].decode("ascii")}}}:keys:'
        super().__init__(f'{begin}{edition}:{key_name}')
        shared = Keys(f'{begin}{SHARED}:{key_name}')
        self.next, self.incarnations, self.marker = shared.next, shared.incarnations, shared.marker
        #: tells which edition may be written
        self.fence = shared.edition
        self.stride, self.offset = count, number

    def is_own(self, key: bytes) -> bool:
        """Whether a key is of this edition, or the fence or the counter of the partition."""
        return key == self.fence or super().is_own(key)

    def type_of(self, key: bytes) -> bytes:
        """The Redis type that a key should have; ``b''`` for an unknown work key."""
        return b'string' if key == self.fence else super().type_of(key)


class Shard(Schema):
    """The schema of one edition of one partition. It shares all but the keys with its model.

    :param home: the schema of the model
    :param number: of the partition
    :param count: of all partitions
    :param edition: number of the edition
    """

    def __init__(self, home: Schema, number: int, count: int, edition: int) -> None:
        _ = home.pack_rows, home.set_rows  # compiled once for all partitions
        self.__dict__.update(home.__dict__)
        self.home, self.number, self.edition = home, number, edition
        #: the value of the fence while this edition may be written
        self.open = b'%d %d' % (edition, count)
        self.partitions = 0
        self.keys: ShardKeys = ShardKeys(home.key_name, number, count, edition)
        self.sorted_keys = tuple(self.keys.sorted(column.key) for column in self.sorted)

    @property
    def encoder(self) -> RowEncoder:
        """The encoder of whole objects."""
        return self.home.encoder

    def row_encoder(
        self, names: Sequence[str | None], converters: Any, called: Any = ()
    ) -> Callable[[Sequence[Any]], Any]:
        """Return what the model returns."""
        return self.home.row_encoder(names, converters, called)


def lost(shard: Shard) -> PartitionLostError:
    """Return the error for a partition whose data is gone."""
    count = shard.keys.stride
    tag = tags(count)[shard.number].decode('ascii')
    return PartitionLostError(
        f'{shard.name}: partition {shard.number} of {count} (keys with {{{tag}}}) has '
        f'lost edition {shard.edition}: its node was emptied, or replaced by one without the data. '
        f'Other partitions are whole. Load the data set again by {shard.name}.reset(), or from '
        f'its mirror; {shard.name}.deleter.destroyModel() begins anew.'
    )
