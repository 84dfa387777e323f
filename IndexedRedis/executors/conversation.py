"""What is sent, what is read, and what is done when that fails: written once, without I/O.

A conversation is a generator like a flow, one level lower. It yields operations, tuples of a
name and arguments, and is sent their results:

=====================  =========================================================
``('open',)``          take a connection from the pool, ready for use
``('send', data)``     write bytes
``('read', count)``    read that many replies; error replies come as exceptions
``('close', broken)``  give the connection back; a broken one is closed first
``('sleep', seconds)`` wait
=====================  =========================================================

Rules: a connection that was left with unread replies is closed. Lost connections are tried again
for at most a second, with the batches that were not answered; every batch is safe to repeat.
Time-outs are not tried again: their outcome is unknown and the caller has waited long enough.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from redis.exceptions import AuthenticationError, AuthorizationError, ConnectionError

from .._core.plan import Batch, Flow, Pause, Step, Stream
from .._core.scripts import BY_SHA
from .wire import MissingScript, expected, pack, results

__all__ = ('Conversation', 'converse')

T = TypeVar('T')
Operation = tuple[Any, ...]
Conversation = Generator[Operation, Any, T]

# Batches of a stream on the wire at a time: two keep both ends busy, a third covers jitter.
IN_FLIGHT = 3
RETRY_SECONDS = 1.0
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.2
_HOPELESS = (AuthenticationError, AuthorizationError)


def converse(flow: Flow[T]) -> Conversation[T]:
    """Run a flow: perform its steps and send it what came of them."""
    try:
        step: Step = next(flow)
        while True:
            try:
                outcome = yield from _perform(step)
            except BaseException as exc:
                step = flow.throw(exc)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _perform(step: Step) -> Conversation[Any]:
    if isinstance(step, Batch):
        answers: list[list[Any]] = []
        yield from _exchange(iter([step]), answers.append)
        return answers[0]
    if isinstance(step, Stream):
        return (yield from _exchange(iter(step.batches), step.consume))
    assert isinstance(step, Pause)
    yield ('sleep', step.seconds)
    return None


def _exchange(batches: Iterator[Batch], consume: Callable[[list[Any]], None]) -> Conversation[None]:
    """Send all batches and give their results to ``consume``, in order."""
    waiting: deque[Batch] = deque()
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            return (yield from _on_one_connection(batches, waiting, consume))
        except MissingScript as missing:
            yield from _load(missing.args[0])
        except _HOPELESS:
            raise
        except ConnectionError:
            if time.monotonic() - began + pause > RETRY_SECONDS:
                raise
            yield ('sleep', pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST_PAUSE)


def _on_one_connection(
    batches: Iterator[Batch], waiting: deque[Batch], consume: Callable[[list[Any]], None]
) -> Conversation[None]:
    yield ('open',)
    unread = 0
    try:
        for batch in waiting:
            unread += 1
            yield ('send', pack(batch))
        while True:
            while len(waiting) < IN_FLIGHT and (batch := next(batches, None)) is not None:  # type: ignore[assignment]
                waiting.append(batch)
                unread += 1
                yield ('send', pack(batch))
            if not waiting:
                return
            replies = yield ('read', expected(waiting[0]))
            unread -= 1
            answer = results(waiting[0], replies)
            waiting.popleft()
            consume(answer)
    finally:
        yield ('close', unread > 0)


def _load(command: Any) -> Conversation[None]:
    """Make a script known to the server."""
    script = BY_SHA[command[1]]
    yield from _exchange(iter([Batch([('SCRIPT', 'LOAD', script.text)])]), lambda _: None)
