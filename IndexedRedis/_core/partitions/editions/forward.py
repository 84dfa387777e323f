"""Set a pointer forward to the edition of a fence, and fences to the edition of the pointer.

Both are idempotent, and anybody may do it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...flows import Batch, Flow, ask
from ...mapping.schema import Schema
from ...writes.acknowledging import check_acknowledged, wait_commands
from ..layout import Shard, lost
from ..spread import at_places
from .fence import Edition
from .known import learn, shards
from .pointer import edition_of
from .scripts import ADVANCE, ROLL

__all__ = ('advance', 'confirm_pointer', 'fences_of', 'roll_forward')


def fences_of(places: Sequence[Shard]) -> Flow[list[bytes | None]]:
    """Return the values of the fences of shards."""
    replies = yield from at_places([(s.keys.fence, [('GET', s.keys.fence)]) for s in places])
    return [text for (text,) in replies]


def confirm_pointer(schema: Schema, edition: Edition) -> Flow[None]:
    """Wait until replicas of the home slot have a pointer to this edition, or to a later one.

    A primary that was replaced may still answer. What it alone knows is not going to last.

    :raises NotAcknowledgedError: if too few replicas confirm it
    """
    if not schema.acknowledged_by:
        return
    waits = wait_commands([schema])
    text, *confirmed = yield Batch([('GET', schema.keys.edition), *waits])
    check_acknowledged([schema], waits, confirmed)
    if text is None or edition_of(schema, text) < edition:
        raise lost(shards(schema, edition, [0])[0])


def advance(places: Sequence[Shard], edition: Edition) -> Flow[None]:
    """Open the fences of shards for an edition, unless they tell a later one."""
    yield from at_places(
        [(s.keys.fence, [ADVANCE([s.keys.fence], edition.text(), edition.number)]) for s in places]
    )


def roll_forward(schema: Schema, edition: Edition) -> Flow[Edition]:
    """Set the pointer forward; return the edition that it names."""
    names = [schema.keys.edition, schema.keys.editions]
    text = yield from ask(*ROLL(names, edition.text(), edition.number))
    learn(schema, edition_of(schema, text))
    return edition_of(schema, text)
