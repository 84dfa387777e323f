"""The way of a conversation to the right node, before it begins and after a failure.

Rule: a node is asked where the others are over connections with a short time-out of their own; only
the budget of the route bounds for how long a conversation looks for its node.
"""

from __future__ import annotations

import time
import warnings
from contextlib import suppress

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,
    RedisError,
    ResponseError,
)

from ..._core.flows import Batch
from ..._core.logs import logger
from ...errors import FailoverWarning
from ..exchange import Conversation, Patience, ask_once
from ..remedies import explained
from .nodes import Node, Role, TopologyMap
from .redirects import is_passing, moved_to
from .replicas import Replicas

__all__ = ('FAILOVER_SECONDS', 'PartRoute', 'Place', 'Route')

# For how long an operation waits for the nodes to agree on a new primary.
FAILOVER_SECONDS = 8.0
# Errors that a node sent.
_ANSWERS = (AuthenticationError, AuthorizationError, ResponseError)
# How long electing a new primary takes after the old one is known to be gone.
_ELECTION_SECONDS = 2.0
# How long before they have to the nodes are asked again.
_EARLY_SECONDS = 0.1
_ANY_QUESTION = Batch([('PING',)])


class Place:
    """Where some models are; models of one place can be written in one step.

    :param known: what is known about the nodes
    :param slot: the slot of the models; None: any, and on Sentinel
    :param seconds: the failover budget
    :param replicas: what is known about the replicas
    """

    def __init__(
        self, known: TopologyMap, slot: int | None, seconds: float, replicas: Replicas | None = None
    ) -> None:
        self.known, self.slot, self.seconds = known, slot, seconds
        self.replicas = replicas or Replicas()
        #: when this process last ended a conversation with each node; None until a query may be
        #: asked of a replica
        self.seen: dict[Node, float] | None = None
        #: the primary when that was noted
        self.primary: Node | None = None

    def way(self, reading: bool) -> Route:
        """Return the way of a conversation to the node of the models.

        :param reading: whether it only reads
        """
        return Route(self)


class Route:
    """How one conversation finds its node.

    :param place: where the models of the conversation are
    """

    def __init__(self, place: Place) -> None:
        self._place, self._known, self._slot = place, place.known, place.slot
        self.seconds = place.seconds
        self.mends = 0
        self._node: Node | None = None
        self._role = Role.PRIMARY
        self._others: dict[int, Route] = {}

    def begin(self) -> Conversation[Route]:
        """Go to the node of the models; look for it if it is not known. Return this route.

        :raises redis.exceptions.ConnectionError: if it is not found within the budget
        """
        known = self._known
        if known.is_due(_EARLY_SECONDS) and known.primary(self._slot) is not None:
            yield from self._refresh()
        node = known.primary(self._slot)
        yield from self._go(node if node is not None else (yield from self._find()))
        return self

    def of(self, key: bytes) -> Route:
        """Return the route to a key, the same one each time; this one if all keys are there."""
        slot = self._known.slot_of(key)
        if slot is None:
            return self
        route = self._others.get(slot)
        if route is None:
            route = self._others[slot] = PartRoute(Place(self._known, slot, self.seconds))
        return route

    def target(self) -> Node | None:
        """Return the node that serves the slot; None if that is not known."""
        return self._known.primary(self._slot)

    def shards(self) -> Conversation[list[Route]]:
        """Return a route to each primary.

        :raises redis.exceptions.RedisError: if not all are known
        """
        yield from self._ask()
        slots = self._known.shards()
        return [Route(Place(self._known, slot, self.seconds)) for slot in slots]

    def mend(self, failure: Exception) -> Conversation[bool]:
        """Learn anew where the nodes are, and go to the right one.

        :returns: whether that is another node than before
        """
        self.mends += 1
        before = self._node
        assert before is not None  # `begin` found it
        with suppress(RedisError):  # the caller repeats what failed until its time is over
            yield from self._learn()
        moved = moved_to(failure)
        if moved is not None:
            self._known.learn_moved(self._slot, *moved, before)
        node = self._known.primary(self._slot) or before
        yield from self._go(node)
        return node != before

    def is_replaced(self) -> Conversation[bool]:
        """Find out whether another node took the place of the primary; if so, go to that one."""
        if self._role is Role.REPLICA:
            return False
        mends = self.mends
        replaced = yield from self.mend(ConnectionError('It was late.'))
        if not replaced:
            self.mends = mends
        return replaced

    def is_silent(self) -> Conversation[bool]:
        """Find out whether the node answers nothing at all, and go to it again."""
        node, role = self._node, self._role
        assert node is not None
        yield ('at', node, Role.GUIDE)
        try:
            yield from ask_once(_ANY_QUESTION)
            silent = False
        except RedisError as error:
            silent = not isinstance(error, _ANSWERS)
        yield from self._go(node, role)
        return silent

    def leave(self) -> None:
        """Note that this conversation with its node ends."""
        if self._place.seen is not None and self._node is not None:
            self._place.seen[self._node] = time.monotonic()

    def _go(self, node: Node, role: Role = Role.PRIMARY) -> Conversation[None]:
        self.leave()
        self._role = role
        self._node = node
        yield ('at', node, role)

    def _refresh(self) -> Conversation[None]:
        """Ask again. One conversation does so early, and the others go on as long as they may."""
        if self._known.is_due(0.0) or not self._known.turn.is_taken():
            try:
                yield from self._learn()
            except RedisError:  # what is known may still be right
                self._known.put_off()

    def _find(self) -> Conversation[Node]:
        patience = Patience(self.seconds)
        while True:
            failure: RedisError = ConnectionError('No node of the cluster serves the slot.')
            try:
                if (yield from self._learn()):
                    yield from self._warn()
            except RedisError as exc:
                failure = exc
            node = self._known.primary(self._slot)
            if node is not None:
                return node
            refused = isinstance(failure, _ANSWERS) and not is_passing(failure)
            pause = None if refused else patience.pause()
            if pause is None:
                raise explained(failure)
            yield ('sleep', pause)

    def _learn(self) -> Conversation[bool]:
        """Ask, or wait until the conversation that is asking has its answer; return which.

        :raises redis.exceptions.RedisError: if no node answers the question of this conversation
        """
        return self._known.turn.ask(self._ask)

    def _ask(self) -> Conversation[None]:
        """Ask one node after the other where all are, until one answers.

        :raises redis.exceptions.RedisError: of the last one, if none does
        """
        failure: RedisError = ConnectionError('No node is known.')
        # The node that has just failed comes last.
        for node in sorted(self._known.candidates(), key=lambda each: each == self._node):
            yield ('at', node, Role.GUIDE)
            before = self._known.primaries()
            try:
                replies = yield from ask_once(self._known.question)
                self._known.learn(replies, node)
                _log_change(before, self._known.primaries())
            except RedisError as exc:
                failure = exc
            else:
                yield ('keep', self._known.primaries())
                return
        raise failure

    def _warn(self) -> Conversation[None]:
        """Warn if the nodes take longer to replace a lost primary than the budget."""
        try:
            replies = yield from ask_once(self._known.patience_question)
            needed = self._known.seconds_to_notice(replies) + _ELECTION_SECONDS
        except RedisError:
            return
        if needed > self.seconds:
            warnings.warn(
                f'The nodes take up to {needed:g} s to replace a lost primary, so operations may '
                f'fail meanwhile: they wait {self.seconds:g} s. Set cluster-node-timeout, or '
                'down-after-milliseconds of Sentinel, to a few seconds, or failover_seconds of the '
                'connection parameters higher.',
                FailoverWarning,
                stacklevel=2,
            )


class PartRoute(Route):
    """How a conversation finds the node of another slot than that of its models.

    It lasts as long as the conversation, and counts each change of the node. So a scan that goes on
    later begins anew if its node was replaced.
    """

    def target(self) -> Node | None:
        """Return the node that serves the slot; None if that is not known."""
        node = super().target()
        if node is not None:
            self._note(node)
        return node

    def _go(self, node: Node, role: Role = Role.PRIMARY) -> Conversation[None]:
        self._note(node)
        yield from super()._go(node, role)

    def _note(self, node: Node) -> None:
        if self._node not in (None, node):
            self.mends += 1
        self._node = node


def _log_change(before: list[Node], now: list[Node]) -> None:
    """Log a failover, or a slot that moved to a new node; the first answer is no news."""
    if before and {*before} != {*now}:
        logger.warning('the primary is %s now, it was %s', _addresses(now), _addresses(before))


def _addresses(nodes: list[Node]) -> str:
    return ', '.join(f'{node.host}:{node.port}' for node in nodes) or 'none'
