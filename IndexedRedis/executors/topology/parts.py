"""Send the batches of ``Parts``: one write for each node, all of them before the first read.

Rules:

- The batches whose scripts a node lacks are sent once more, with the texts, in one write a node.
- What a node does not answer at once goes the ordinary way, batch by batch, to where the slot of
  each is then. The first one waits for the node, or finds the one that took its place. If that
  fails, so do the others of the node: they do not wait anew.
- On one server they go out as one batch. Only if that fails in any way, they go the way of a node.
- Connections are opened in the order of the nodes, so no two conversations wait for each other.
- A node's replies are read after all is written. Servers take commands while replies wait to be
  read, so nothing is blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from time import monotonic
from typing import Any

from redis.exceptions import ConnectionError, NoScriptError, RedisError, TimeoutError

from ..._core.flows import AnswerLost, Batch, Parts
from ..errors import MissingScript, Refused
from ..exchange import Conversation, Route, answer_to, check_lost, check_refused
from ..remedies import explained
from ..wire import pack, results, with_texts
from .nodes import Node, Role
from .redirects import is_passing

__all__ = ('ask_parts',)

# Batches that are quick together if each of them is.
_QUICK = 4

# The ordinary way of a batch: its outcome, given its route and the failure of a first try.
Ask = Callable[[Batch, Route | None, RedisError | None], Conversation[Any]]


def ask_parts(
    step: Parts, route: Route | None, ask: Ask, doubtful: float
) -> Conversation[list[Any]]:
    """Return the outcome of each batch: its results, or an exception.

    :param route: of the conversation; None: there is one server
    :param ask: sends one batch the ordinary way
    :param doubtful: an answer that takes so many seconds may be of a node that was replaced
    """
    if route is None and step.batches:
        answers = yield from _at_once([batch for _, batch in step.batches])
        if answers is not None:
            return answers
    parts = [_Part(batch, None if route is None else route.of(key)) for key, batch in step.batches]
    groups = _groups([part for part in parts if part.outcome is None], route)
    try:
        yield from _exchange(groups, doubtful)
        again = [group.without_scripts() for group in groups]
        again = [group for group in again if group.parts]
        yield from _exchange(again, doubtful)
        for group in (*groups, *again):
            yield from group.settle(ask)
    except GeneratorExit:
        raise  # the executor closes the connections
    except BaseException:
        yield ('lane', 0)
        raise
    if any(group.lane for group in groups):
        yield ('lane', 0)
    return [part.outcome for part in parts]


def _at_once(batches: Sequence[Batch]) -> Conversation[list[Any] | None]:
    """Return the replies to batches of one server; None if they have to be sent again.

    An idle connection takes them in one step. For an object by its pk that takes a quarter off the
    CPU time of the client. On asyncio, others may use the connection meanwhile if all is quick.
    """
    if any(batch.once for batch in batches):
        return None
    shared = len(batches) <= _QUICK and all(batch.shared for batch in batches)
    commands = [command for batch in batches for command in batch.commands]
    try:
        replies = yield ('send_now', Batch(commands, shared=shared))
    except TimeoutError as error:  # the caller has waited long enough
        return [explained(error)] * len(batches)
    except Exception:
        return None
    if replies is None or any(isinstance(reply, Exception) for reply in replies):
        return None
    found = iter(replies)
    return [list(islice(found, len(batch.commands))) for batch in batches]


def _exchange(groups: list[_Group], doubtful: float) -> Conversation[None]:
    """Send all batches, then read all replies."""
    for group in groups:
        yield from group.send()
    for group in groups:
        yield from group.read(doubtful)


class _Part:
    """A batch, its route, and its outcome as soon as that is known."""

    def __init__(self, batch: Batch, route: Route | None) -> None:
        self.batch, self.route = batch, route
        self.replies: list[Any] = []
        self.outcome: Any = None
        try:
            self.data = pack(batch)
        except Exception as error:
            self.outcome = error

    def lacks_script(self) -> bool:
        """Whether its node does not have one of its scripts."""
        errors = (reply for reply in self.replies if isinstance(reply, Exception))
        return isinstance(next(errors, None), NoScriptError)

    def add_texts(self) -> None:
        """Have it contain the texts of its scripts."""
        self.batch = with_texts(self.batch)
        self.data, self.replies = pack(self.batch), []


def _groups(parts: list[_Part], route: Route | None) -> list[_Group]:
    """Return the parts of each node, in the order of the nodes."""
    if not parts or parts[0].route is route:
        return [_Group(0, None, parts)] if parts else []
    found: dict[Any, list[_Part]] = {}
    for part in parts:
        assert part.route is not None
        found.setdefault(part.route.target(), []).append(part)
    nodes = sorted(found, key=lambda node: node or ())
    return [_Group(lane, node, found[node]) for lane, node in enumerate(nodes, 1)]


class _Group:
    """The parts of one node.

    :param lane: the number of the connection; 0: that of the conversation, at whose node they are
    :param node: the node; None: that of the conversation, or it is not known
    :param parts: the parts
    """

    def __init__(self, lane: int, node: Node | None, parts: list[_Part]) -> None:
        self.lane, self._node, self.parts = lane, node, parts
        self._began = monotonic()
        # what kept the node from answering, and whether it may have got the batches
        self._failure: RedisError | None = None
        self._sent = self._late = False
        # whether a part that failed went the ordinary way, and the error of a node that it met
        self._tried = False
        self._given_up: RedisError | None = None

    def send(self) -> Conversation[None]:
        """Send all batches."""
        if self.lane and self._node is None:
            self._failure = ConnectionError('No node of the cluster serves the slot.')
            self._tried = True  # the ordinary way begins by finding it
            return
        if self.lane:
            yield ('lane', self.lane)
            yield ('at', self._node, Role.PRIMARY)
        try:
            yield ('open',)
            self._sent = True
            yield ('send', b''.join([part.data for part in self.parts]))
        except GeneratorExit:
            raise
        except BaseException as error:
            yield from self._fail(error)

    def read(self, doubtful: float) -> Conversation[None]:
        """Read all replies."""
        if self._failure is not None:
            return
        if self.lane:
            yield ('lane', self.lane)
        try:
            replies = yield ('read', sum(len(part.batch.commands) for part in self.parts))
        except GeneratorExit:
            raise
        except BaseException as error:
            yield from self._fail(error)
            return
        yield ('close', False)
        self._late = monotonic() - self._began >= doubtful
        at = 0
        for part in self.parts:
            until = at + len(part.batch.commands)
            part.replies, at = replies[at:until], until

    def without_scripts(self) -> _Group:
        """Take out the parts whose scripts the node lacks; return them, with the texts."""
        again = _Group(self.lane, self._node, [each for each in self.parts if each.lacks_script()])
        again._began = self._began  # a late answer is doubtful, and so is what follows it
        if again.parts:
            self.parts = [each for each in self.parts if not each.lacks_script()]
        for part in again.parts:
            part.add_texts()
        return again

    def _fail(self, error: BaseException) -> Conversation[None]:
        """Note that the connection broke; raise other errors."""
        yield ('close', True)
        if not isinstance(error, RedisError):
            raise error
        self._failure = error
        for part in self.parts:
            if self.lane and part.route is not None:
                part.route.mends += 1  # a scan begins anew

    def settle(self, ask: Ask) -> Conversation[None]:
        """Find the outcome of each part; send again what was not answered."""
        replaced = self._late and (yield from self._is_replaced())
        for part in self.parts:
            try:
                part.outcome = yield from self._outcome(part, replaced, ask)
            except Exception as error:
                part.outcome = error

    def _is_replaced(self) -> Conversation[bool]:
        """Find out whether another node took the place of this one."""
        route = self.parts[0].route if self.parts else None
        if route is None:
            return False
        if self.lane:
            yield from route.begin()
        replaced = yield from route.is_replaced()
        return replaced or not self._is_there(route)

    def _is_there(self, route: Route | None) -> bool:
        """Whether a part is still served by this node, as far as is known."""
        return not self.lane or route is None or route.target() == self._node

    def _outcome(self, part: _Part, replaced: bool, ask: Ask) -> Conversation[Any]:
        batch, route = part.batch, part.route
        failure: RedisError | None = None
        try:
            if self._failure is not None:
                failure = check_lost(self._failure, [batch] if self._sent else [], route)
            elif not replaced:
                return answer_to(batch, results(part.replies), route)
            elif batch.once:
                raise AnswerLost
        except MissingScript:
            batch = with_texts(batch)
        except Refused as refused:
            failure = check_refused(refused, [batch], route)
        return (yield from self._ask_alone(batch, route, failure, ask))

    def _ask_alone(
        self, batch: Batch, route: Route | None, failure: RedisError | None, ask: Ask
    ) -> Conversation[Any]:
        """Send one batch the ordinary way, unless another one failed there."""
        if failure is not None:
            if self._given_up is not None and self._is_there(route):
                raise self._given_up
            if self._tried:
                if batch.once and self._sent and isinstance(failure, TimeoutError):
                    raise AnswerLost from failure
                failure = None  # it may be over
            self._tried = True
        try:
            if self.lane and route is not None:
                yield from route.begin()
            return (yield from ask(batch, route, failure))
        except RedisError as error:
            if isinstance(error, (ConnectionError, TimeoutError)) or is_passing(error):
                self._given_up = error
            raise
