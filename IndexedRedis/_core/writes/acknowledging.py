"""Wait until replicas have confirmed a write: of models with ``ACKNOWLEDGED_BY``.

The wait goes out with the last write of an operation, before objects count as saved. ``WAIT``
counts the replicas that have what its own connection wrote last. That may be nothing: a script that
finds its own earlier attempt writes nothing, and the attempt came over another connection. So a
marker is written before each ``WAIT``: a replica that has the marker has everything that the
primary had until then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ...errors import NotAcknowledgedError
from ..flows import Batch, Command, Flow
from ..mapping.schema import Schema

__all__ = ('NOT_REPLACED', 'WAIT_MS', 'acknowledge', 'check_acknowledged', 'wait_commands')

# How long a write waits for replicas: within the 5 s that a connection waits for a reply.
WAIT_MS = 1000
# What such an error says of the data.
SAVE_AGAIN = (
    'The primary has carried it out; whether it outlives a failover is unknown. Save or delete the '
    'same objects again: that writes nothing twice, and waits for the replicas again.'
)
NOT_REPLACED = (
    'So the new data set did not go live, and the old one stays. Reset again when the replicas are '
    'there.'
)
# How long the marker stays.
MARKER_SECONDS = 60


def wait_commands(schemas: Collection[Schema]) -> list[Command]:
    """Return the commands that wait for the replicas of a write; none if no model asks for it.

    :param schemas: the models that are written
    """
    by = max(schema.acknowledged_by for schema in schemas)
    if not by:
        return []
    marker = min(schema.keys.marker for schema in schemas)
    return [('SET', marker, b'', 'EX', MARKER_SECONDS), ('WAIT', by, WAIT_MS)]


def check_acknowledged(
    schemas: Collection[Schema],
    waits: Sequence[Command],
    replies: Sequence[Any],
    state: str = SAVE_AGAIN,
) -> None:
    """Check that enough replicas have confirmed a write.

    :param waits: of :func:`wait_commands`
    :param replies: to the batch that ended in them
    :param state: the sentences of the error about the data, and what to do
    :raises NotAcknowledgedError: if fewer have
    """
    if waits and replies[-1] < waits[-1][1]:
        by = waits[-1][1]
        names = ', '.join(sorted({schema.name for schema in schemas}))
        raise NotAcknowledgedError(
            f'{names}: {replies[-1]} of {by} replicas confirmed the write within {WAIT_MS} ms. '
            f'{state}'
        )


def acknowledge(schemas: Iterable[Schema]) -> Flow[None]:
    """Wait until the replicas have everything that was written so far.

    :param schemas: the models that were written
    :raises NotAcknowledgedError: if fewer replicas than these models ask for confirm it
    """
    models = [*schemas]
    if waits := wait_commands(models):
        check_acknowledged(models, waits, (yield Batch(waits)))
