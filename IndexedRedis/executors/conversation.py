"""Decide what to send, what to read, and what to do after a failure; without I/O.

A conversation is a generator like a flow, one level lower. It yields operations, which are tuples
of a name and arguments, and receives their results:

============================  ==================================================================
``('from_cache', batch)``     return the cached replies to a batch; None if there are none
``('send_now', batch)``       return the replies to a batch over a connection that is idle; None
                              if there is none, or it broke
``('ask_and_cache', batch)``  as ``send_now``, and cache the replies
``('open',)``                 borrow a connection from the pool, ready for use
``('send', data)``            write bytes
``('read', count)``           return that many replies; error replies come as exceptions
``('close', broken)``         give the connection back; a broken one is closed first
``('sleep', seconds)``        wait
``('elsewhere', m, f)``       run flow ``f`` on the connection of model ``m``
``('at', node, role)``        go to a node: where the other operations take their connections
``('lane', number)``          put the connection and the node aside, and take up those of another
                              number; of 0, with which it begins: close the others
``('keep', nodes)``           close the connections to primaries that are not among these nodes
============================  ==================================================================

Rules:

- All replies are read, even if a flow's own code fails meanwhile. So no command of a failed
  operation reaches the server after its flow has cleaned up.
- A broken connection, or one with unread replies, is closed.
- After a lost connection, the unanswered batches are retried for at most a second. Each answer
  starts that second again.
- A batch marked ``once`` is not repeated: the flow gets an ``AnswerLost``.
- Time-outs are not retried: the outcome is unknown, and the caller has waited long enough.
- A flow for everywhere runs on one primary after the other.
- Where there are several nodes, a route finds the right one: before the first operation, and after
  a node refused a batch, was lost or was silent. It takes up to the failover budget. After a
  time-out, a node that answers and is still in its place is sent the batch once more. An answer
  that came late counts only if the node is still in its place.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeVar

from redis.exceptions import RedisError, TimeoutError

from .._core.flows import (
    AnswerLost,
    Batch,
    Elsewhere,
    Everywhere,
    Flow,
    Parts,
    Pause,
    Step,
    Stream,
)
from .cache.reply_cache import is_cacheable
from .errors import MissingScript, Refused
from .exchange import Conversation, Route, Way, answer_to, check_lost, check_refused, exchange
from .recording import noted, recorders
from .topology.parts import ask_parts
from .wire import results, with_texts

__all__ = ('Conversation', 'converse')

T = TypeVar('T')

# An answer that took longer may be of a primary that was frozen, and replaced meanwhile. Servers
# and Sentinels wait longer before they replace one.
_DOUBTFUL_SECONDS = 0.5


def converse(flow: Flow[T], caches: bool = False, way: Way | None = None) -> Conversation[T]:
    """Run a flow: perform its steps and send it their outcomes.

    :param caches: whether its shared batches may be answered from the cache
    :param way: finds the node where there are several, or finds out whether there are
    """
    route = None
    try:
        step: Step = next(flow)  # a save plans here what it writes, at the moment of the call
        if way is not None:
            route = yield from way.begin()
        while True:
            try:
                outcome = yield from _perform(step, caches, route)
            except BaseException as exc:
                step = flow.throw(exc)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()
        if route is not None:
            route.leave()


def _perform(step: Step, caches: bool, route: Route | None) -> Conversation[Any]:
    cached = caches and isinstance(step, Batch) and step.shared and is_cacheable(step.commands)
    if cached:
        replies = yield ('from_cache', step)
        if replies is not None:
            return replies
    if recorders:
        step = noted(step, [*recorders])
    if isinstance(step, Batch):
        if route is None:
            return (yield from _answers(step, cached, None))
        return (yield from _lasting(step, cached, route))
    if isinstance(step, Stream):
        return (yield from exchange(iter(step.batches), step.consume, route))
    if isinstance(step, Parts):
        return (yield from ask_parts(step, route, _uncached, _DOUBTFUL_SECONDS))
    if isinstance(step, Elsewhere):
        return (yield ('elsewhere', step.model, step.flow))
    if isinstance(step, Everywhere):
        return (yield from _everywhere(step, route))
    assert isinstance(step, Pause)
    yield ('sleep', step.seconds)
    return None


def _uncached(batch: Batch, route: Route | None, failure: RedisError | None) -> Conversation[Any]:
    if route is None:
        return _answers(batch, False, None, failure)
    return _lasting(batch, False, route, failure)


def _lasting(
    batch: Batch, cached: bool, route: Route, failure: RedisError | None = None
) -> Conversation[Any]:
    """Return the results of a batch; ask again if they are of a node that had been replaced.

    A frozen primary that wakes up answers what was sent before it learns that another one took its
    place. What it has written is lost.

    :param failure: of a first try
    """
    while True:
        began = monotonic()
        answers = yield from _answers(batch, cached, route, failure)
        failure = None
        if monotonic() - began < _DOUBTFUL_SECONDS:
            return answers
        if not (yield from route.is_replaced()):
            return answers
        if batch.once:
            raise AnswerLost


def _answers(
    step: Batch, cached: bool, route: Route | None, failure: RedisError | None = None
) -> Conversation[Any]:
    try:
        if failure is None:
            replies = yield ('ask_and_cache' if cached else 'send_now', step)
            if replies is not None:
                return answer_to(step, results(replies), route)
    except MissingScript:
        step = with_texts(step)
    except Refused as refused:
        failure = check_refused(refused, [step], route)
    except TimeoutError as error:
        failure = check_lost(error, [step], route)
    answers: list[Any] = []
    yield from exchange(iter([step]), answers.append, route, failure)
    return answers[0]


def _everywhere(step: Everywhere, route: Route | None) -> Conversation[list[Any]]:
    """Run a flow on each primary; return the results."""
    if route is None:
        return [(yield from converse(step.make()))]
    results = []
    for way in (yield from route.shards()):
        results.append((yield from converse(step.make(), way=way)))
    yield from route.begin()
    return results
