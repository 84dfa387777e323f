"""Open a model with partitions: the first edition of one that has none, or has lost its keys."""

from __future__ import annotations

from ...flows import Batch, Flow
from ...mapping.schema import Schema
from ..spread import at_places
from .fence import Edition, Fence
from .forward import advance, fences_of, roll_forward
from .known import FIRST, known, learn, shards
from .pointer import by_of, edition_of
from .scripts import ADVANCE, NOTE_BY, OPEN

__all__ = ('open_model', 'reopen')


def open_model(schema: Schema) -> Flow[Edition]:
    """Open the first edition of a model that has none, with all its fences; return the true one.

    If the home slot alone has lost its keys, the partitions tell the edition.
    """
    first = Edition(FIRST, schema.partitions)
    places = shards(schema, known(schema) or first)
    told = [Fence.of(text) for text in (yield from fences_of(places))]
    latest = max((fence.edition for fence in told if fence is not None), default=None)
    if latest is not None and latest >= first:
        return (yield from roll_forward(schema, latest))
    opening = shards(schema, first)
    begun = Edition(0, schema.partitions).text()
    yield from at_places(
        [(s.keys.fence, [OPEN([s.keys.fence, s.keys.edition], begun)]) for s in opening]
    )
    noted = NOTE_BY([schema.keys.editions], by_of(schema))
    _, text = yield Batch([noted, ADVANCE([schema.keys.edition], first.text(), first.number)])
    edition = edition_of(schema, text)
    if edition == first:
        yield from advance(opening, first)
    learn(schema, edition)
    return edition


def reopen(schema: Schema, writes: bool) -> Flow[Edition]:
    """Open a model that has lost its pointer, or all its keys."""
    first = Edition(FIRST, schema.partitions)
    if writes or any((yield from fences_of(shards(schema, known(schema) or first)))):
        return (yield from open_model(schema))
    schema.known = None
    return first
