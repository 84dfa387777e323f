"""What a process knows of a model with partitions: the edition that it has learned last.

Another edition may be true by now, so each reply is compared with the pointer, or with a fence.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...mapping.schema import Schema
from ..layout import Shard
from .fence import Edition

__all__ = ('FIRST', 'known', 'learn', 'shards')

# The first edition, which begins empty.
FIRST = 1


class Known:
    """What this process knows of a model: its edition, the one before, and the shards."""

    def __init__(self, edition: Edition, previous: Edition | None) -> None:
        self.edition, self.previous = edition, previous
        self.shards: dict[int, Shard] = {}


def known(schema: Schema) -> Edition | None:
    """Return the edition that this process has learned last; None: it has learned of none."""
    return schema.known and schema.known.edition  # type: ignore[no-any-return]


def learn(schema: Schema, edition: Edition) -> None:
    """Note the true edition."""
    if known(schema) != edition:
        schema.known = Known(edition, known(schema))


def shards(schema: Schema, edition: Edition, numbers: Iterable[int] | None = None) -> list[Shard]:
    """Return shards of an edition, by default all."""
    state: Known = schema.known
    made = state.shards if state and state.edition == edition else {}
    found = []
    for number in range(edition.partitions) if numbers is None else numbers:
        if number not in made:
            made[number] = Shard(schema, number, edition.partitions, edition.number)
        found.append(made[number])
    return found
