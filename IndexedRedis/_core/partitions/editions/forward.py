"""Set a pointer forward to the edition of a fence, and fences to the edition of the pointer.

Both are idempotent, and anybody may do it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...flows import Batch, Flow, ask
from ...mapping.schema import Schema
from ...writes.acknowledging import check_acknowledged, wait_commands
from ..layout import Shard
from ..spread import at_places
from .fence import Edition
from .known import learn
from .pointer import edition_of
from .scripts import ADVANCE, ROLL

__all__ = ('advance', 'confirmed_pointer', 'fences_of', 'roll_forward')


def fences_of(places: Sequence[Shard]) -> Flow[list[bytes | None]]:
    """Return the values of the fences of shards."""
    replies = yield from at_places([(s.keys.fence, [('GET', s.keys.fence)]) for s in places])
    return [text for (text,) in replies]


def confirmed_pointer(schema: Schema) -> Flow[Edition | None]:
    """Return the edition that the pointer names, once replicas of the home slot have it.

    A primary that was replaced may still answer. What it alone knows is not going to last, so the
    pointer may name an earlier edition than it did a moment ago.

    :raises NotAcknowledgedError: if too few replicas confirm it
    """
    waits = wait_commands([schema])
    text, *confirmed = yield Batch([('GET', schema.keys.edition), *waits])
    check_acknowledged([schema], waits, confirmed)
    return None if text is None else edition_of(schema, text)


def advance(places: Sequence[Shard], edition: Edition) -> Flow[None]:
    """Open the fences of shards for an edition, unless they tell it or a later one."""
    yield from at_places(
        [(s.keys.fence, [ADVANCE([s.keys.fence], edition.text(), edition.number)]) for s in places]
    )


def roll_forward(schema: Schema, edition: Edition) -> Flow[Edition]:
    """Set the pointer forward; return the edition that it names."""
    names = [schema.keys.edition, schema.keys.editions]
    text = yield from ask(*ROLL(names, edition.text(), edition.number))
    learn(schema, edition_of(schema, text))
    return edition_of(schema, text)
