"""How a slot moves from one primary to another: key by key, or as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import redis

from ...errors import EmbeddedServerError
from ..group import until
from ..nodes import Node

__all__ = ('Stage', 'Step', 'atomic', 'classic', 'nothing')

Stage = Literal['marked', 'moved', 'emptied']
Step = Callable[[Stage], object]

MIGRATE_MS = 5000
ATOMIC_SECONDS = 30.0
FAILURES = (b'failed', b'canceled', b'cancelled')


def nothing(stage: Stage) -> None:
    """Do nothing at a stage."""


def classic(
    slot: int, source: Node, to: Node, primaries: Iterable[Node], step: Step, batch: int
) -> None:
    """Move the keys of a slot with MIGRATE; see :meth:`Cluster.migrate`."""
    source_id, target_id = (node.call('CLUSTER', 'MYID') for node in (source, to))
    to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source_id)
    source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target_id)
    step('marked')
    while keys := source.call('CLUSTER', 'GETKEYSINSLOT', slot, batch):
        source.call('MIGRATE', *to.address, '', 0, MIGRATE_MS, 'KEYS', *keys)
        step('moved')
    step('emptied')
    # The target first: a slot that its owner gave away already would have none.
    for node in (to, source, *(node for node in primaries if node not in (to, source))):
        node.call('CLUSTER', 'SETSLOT', slot, 'NODE', target_id)


def atomic(slot: int, source: Node, to: Node, target_id: str) -> None:
    """Move a slot with CLUSTER MIGRATESLOTS; see :meth:`Cluster.migrate_atomic`."""
    try:
        source.call('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', slot, slot, 'NODE', target_id)
    except redis.ResponseError as error:
        if 'unknown subcommand' not in str(error).lower():
            raise
        raise EmbeddedServerError(
            'this server cannot move a slot as a whole: CLUSTER MIGRATESLOTS is new in Valkey 9. '
            'migrate() moves it key by key.'
        ) from error
    until(f'slot {slot} moves to {to!r}', ATOMIC_SECONDS, lambda: _is_done(source))


def _is_done(source: Node) -> bool:
    """Return whether the newest job of a node is done."""
    newest = source.call('CLUSTER', 'GETSLOTMIGRATIONS')[0]
    job = dict(zip(newest[::2], newest[1::2], strict=True))
    if job[b'state'] in FAILURES:
        raise EmbeddedServerError(f'the slot did not move: {job[b"message"].decode()}')
    return bool(job[b'state'] == b'success')
