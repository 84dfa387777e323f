"""The way of a conversation that only reads to a replica that is fresh enough."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from redis.exceptions import RedisError, TimeoutError

from ..._core.flows import Batch
from ..._core.logs import logger
from ..._core.replication import QUESTION, Freshness, Position, position_of
from ...errors import NoFreshReplicaError
from ..exchange import Conversation, Patience, ask_once
from .nodes import Node, Role
from .replicas import ANYWHERE, Copies
from .route import Place, Route

__all__ = ('ReplicaRoute',)

_QUESTION = Batch([QUESTION])


class ReplicaRoute(Route):
    """How a conversation finds a replica; if none is fresh enough, it goes to the primary.

    :param place: where the models of the conversation are
    :param fresh: how fresh the replica has to be; whether to wait for one instead
    """

    def __init__(self, place: Place, fresh: Freshness) -> None:
        super().__init__(place)
        self._fresh = fresh
        self._copies: Copies | None = None  # while it talks to a replica
        # What this process saw before it began to note that, it may have seen just now.
        if place.seen is None:
            place.seen = {ANYWHERE: time.monotonic()}
        self._seen = place.seen

    def begin(self) -> Conversation[Route]:
        """Go to a replica, or to the primary.

        :raises NoFreshReplicaError: if a replica is required, and none is fresh enough within the
            budget
        """
        patience = Patience(self.seconds)
        while True:
            primary = self._known.primary(self._slot)
            if primary is None:
                primary = yield from self._find()
            if primary != self._place.primary:
                # A replica of this primary may lack what others had of these models until now.
                self._place.primary, self._seen[ANYWHERE] = primary, time.monotonic()
            copies = self._place.replicas.of(primary)
            node = yield from self._choose(primary, copies)
            if node is not None:
                self._copies = copies
                yield from self._go(node, Role.REPLICA)
                return self
            pause = patience.pause() if self._fresh.required else None
            if pause is None:
                break
            yield ('sleep', pause)
        if self._fresh.required:
            raise self._stale(primary)
        logger.debug('no replica of %s:%s is fresh enough: the primary answers', *primary)
        yield from self._go(primary)
        return self

    def mend(self, failure: Exception) -> Conversation[bool]:
        """Leave a replica that failed for another node; see :meth:`Route.mend`."""
        if self._copies is None:
            return (yield from super().mend(failure))
        self.mends += 1
        assert self._node is not None
        logger.warning('the replica %s:%s failed (%s): another node', *self._node, failure)
        self._copies.forget(self._node)
        self.leave()
        before, self._copies = self._node, None
        with suppress(RedisError):
            yield from self._ask()
        yield from self.begin()
        return self._node != before

    def _choose(self, primary: Node, copies: Copies) -> Conversation[Node | None]:
        """Return a replica that is fresh enough; ask how far they are if that is due."""
        replicas = self._known.replicas(self._slot)
        node = copies.choose(replicas, self._fresh, self._seen)
        if node is not None or not copies.is_due():
            return node
        for each in (yield from self._to_ask(primary, copies, replicas)):
            copies.expect(each)
            try:
                copies.note_replica(each, (yield from self._told(each)))
            except TimeoutError:
                continue
            except RedisError:
                copies.forget(each)
            node = copies.choose(replicas, self._fresh, self._seen)
            if node is not None:
                return node
        if copies.is_list_due():
            with suppress(RedisError):
                yield from self._ask()
        return None

    def _to_ask(
        self, primary: Node, copies: Copies, replicas: Sequence[Node]
    ) -> Conversation[list[Node]]:
        """Ask how far the primary is; return the replicas to ask, none if it proves nothing."""
        if not replicas:
            return []
        asked_at = time.monotonic()
        try:
            told = yield from self._told(primary)
        except RedisError:
            return []
        if not told.is_primary:
            return []  # it was replaced, and may be behind others itself
        copies.note_primary(asked_at, told)
        return copies.to_ask(replicas)

    def _told(self, node: Node) -> Conversation[Position]:
        yield ('at', node, Role.GAUGE)
        (reply,) = yield from ask_once(_QUESTION)
        return position_of(reply)

    def _stale(self, primary: Node) -> NoFreshReplicaError:
        replicas = self._known.replicas(self._slot)
        return NoFreshReplicaError(
            f'None of the {len(replicas)} replicas of {primary.host}:{primary.port} is known to be '
            f'at most {self._fresh.max_lag:g} s behind and to have what this process has seen, '
            f'within {self.seconds:g} s. Allow more by replica(maxLag=...), add replicas, or have '
            "the primary answer then: REPLICA_READS = 'prefer'."
        )
