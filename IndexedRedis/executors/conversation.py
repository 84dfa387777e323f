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
============================  ==================================================================

Rules:

- All replies are read, even if a flow's own code fails meanwhile. So no command of a failed
  operation reaches the server after its flow has cleaned up.
- A broken connection, or one with unread replies, is closed.
- After a lost connection, the unanswered batches are retried for at most a second. Each answer
  starts that second again.
- A batch marked ``once`` is not repeated: the flow gets an ``AnswerLost``.
- Time-outs are not retried: the outcome is unknown, and the caller has waited long enough.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,
    RedisError,
)

from .._core.flows import AnswerLost, Batch, Elsewhere, Flow, Pause, Step, Stream
from .cache.reply_cache import is_cacheable
from .errors import MissingScript, PoolExhaustedError
from .recording import noted, recorders
from .remedies import explained
from .wire import pack, results, with_texts

__all__ = ('Conversation', 'converse')

T = TypeVar('T')
Operation = tuple[Any, ...]
Conversation = Generator[Operation, Any, T]

# Batches of a stream on the wire at a time: two keep both ends busy, a third covers jitter.
BATCHES_IN_FLIGHT = 3
# How long batches are retried after a lost connection.
RETRY_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.2
# Connection errors that a retry cannot mend.
_FINAL = (AuthenticationError, AuthorizationError, PoolExhaustedError)


def converse(flow: Flow[T], caches: bool = False) -> Conversation[T]:
    """Run a flow: perform its steps and send it their outcomes.

    :param caches: whether its shared batches may be answered from the cache
    """
    try:
        step: Step = next(flow)
        while True:
            try:
                outcome = yield from _perform(step, caches)
            except BaseException as exc:
                step = flow.throw(exc)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _perform(step: Step, caches: bool) -> Conversation[Any]:
    cached = caches and isinstance(step, Batch) and step.shared and is_cacheable(step.commands)
    if cached:
        replies = yield ('from_cache', step)
        if replies is not None:
            return replies
    if recorders:
        step = noted(step, [*recorders])
    if isinstance(step, Batch):
        replies = yield ('ask_and_cache' if cached else 'send_now', step)
        if replies is not None:
            try:
                return results(replies)
            except MissingScript:
                step = with_texts(step)
        answers: list[list[Any]] = []
        yield from _exchange(iter([step]), answers.append)
        return answers[0]
    if isinstance(step, Stream):
        return (yield from _exchange(iter(step.batches), step.consume))
    if isinstance(step, Elsewhere):
        return (yield ('elsewhere', step.model, step.flow))
    assert isinstance(step, Pause)
    yield ('sleep', step.seconds)
    return None


class _Patience:
    """The time that is left to retry one exchange."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Start the time again, after an answer."""
        self._first: float | None = None
        self._pause = _FIRST_PAUSE_SECONDS

    def pause(self) -> float | None:
        """Return the seconds to wait after a lost connection; None if the time is over."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
        if now - self._first + self._pause > RETRY_SECONDS:
            return None
        from random import uniform

        pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        return pause * uniform(0.5, 1.0)


def _exchange(
    batches: Iterator[Batch | None], consume: Callable[[list[Any]], None]
) -> Conversation[None]:
    """Send all batches and give their results to ``consume``, in order."""
    waiting: deque[Batch] = deque()
    patience, texts = _Patience(), False
    while True:
        try:
            failure = yield from _on_one_connection(batches, waiting, consume, patience, texts)
        except _FINAL as error:
            raise explained(error)  # noqa: B904  (the same one)
        except ConnectionError as error:
            if any(batch.once for batch in waiting):
                raise AnswerLost from error
            pause = patience.pause()
            if pause is None:
                raise explained(error)  # noqa: B904
            yield ('sleep', pause)
            continue
        except RedisError as error:
            raise explained(error)  # noqa: B904
        if failure is None:
            return
        if not isinstance(failure, MissingScript):
            raise explained(failure)
        # Sent in full, scripts run even if another client keeps flushing the script cache.
        texts = True


def _on_one_connection(
    batches: Iterator[Batch | None],
    waiting: deque[Batch],
    consume: Callable[[list[Any]], None],
    patience: _Patience,
    texts: bool,
) -> Conversation[Exception | None]:
    """Talk, then read the replies that are left; return the result of :func:`_talk`."""
    yield ('open',)
    unread: deque[Batch] = deque()
    try:
        failure = yield from _talk(batches, waiting, unread, consume, patience, texts)
        yield from _drain(unread)
    except GeneratorExit:
        raise  # the executor closes the connection
    except BaseException:
        yield ('close', True)
        raise
    yield ('close', len(unread) > 0)
    return failure


def _talk(
    batches: Iterator[Batch | None],
    waiting: deque[Batch],
    unread: deque[Batch],
    consume: Callable[[list[Any]], None],
    patience: _Patience,
    texts: bool,
) -> Conversation[Exception | None]:
    """Send and read until all batches are answered; raise the errors of the connection.

    :param texts: whether batches that are sent again contain the texts of their scripts
    :returns: the error of a command, of the source of batches or of ``consume``, or None. The
        connection can still be used after it.
    """
    for batch in waiting:
        unread.append(batch)
        yield ('send', pack(with_texts(batch) if texts else batch))
    while True:
        while len(waiting) < BATCHES_IN_FLIGHT:
            try:
                following = next(batches, None)
                data = b'' if following is None else pack(following)
            except Exception as exc:
                return exc
            if following is None:
                break
            waiting.append(following)
            unread.append(following)
            yield ('send', data)
        if not waiting:
            return None
        replies = yield ('read', len(waiting[0].commands))
        unread.popleft()
        try:
            answer = results(replies)
            waiting.popleft()
            patience.renew()
            consume(answer)
        except Exception as exc:
            return exc


def _drain(unread: deque[Batch]) -> Conversation[None]:
    """Read and drop the replies to ``unread`` batches; after a failure, the others stay in it."""
    while unread:
        try:
            yield ('read', len(unread[0].commands))
        except Exception:
            return
        unread.popleft()
