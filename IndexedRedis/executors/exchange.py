"""Send batches over one connection after the other until all are answered; without I/O.

Its generators yield the operations that :mod:`~IndexedRedis.executors.conversation` lists.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import Any, Protocol, TypeVar

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,
    RedisError,
    TimeoutError,
)

from .._core.flows import AnswerLost, Batch
from .._core.logs import logger
from .errors import MissingScript, PoolExhaustedError, Refused
from .remedies import explained, is_unsent
from .wire import pack, results, with_texts

__all__ = (
    'Conversation',
    'Patience',
    'Route',
    'Way',
    'answer_to',
    'ask_once',
    'check_lost',
    'check_refused',
    'exchange',
)

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


class Way(Protocol):
    """How a conversation begins."""

    def begin(self) -> Conversation[Route | None]: ...


class Route(Protocol):
    """How a conversation finds its node, where there are several."""

    seconds: float
    #: how often it has looked for its node again
    mends: int

    def begin(self) -> Conversation[Any]: ...

    def of(self, key: bytes) -> Route: ...

    def target(self) -> Any: ...

    def shards(self) -> Conversation[list[Any]]: ...

    def mend(self, failure: Exception) -> Conversation[bool]: ...

    def is_replaced(self) -> Conversation[bool]: ...

    def is_silent(self) -> Conversation[bool]: ...

    def leave(self) -> None: ...


class Patience:
    """The time that is left to retry one exchange.

    :param seconds: how long it is
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Start the time again, after an answer."""
        #: whether a batch was sent again after it was answered too late
        self.was_late = False
        self._first: float | None = None
        self._pause = _FIRST_PAUSE_SECONDS

    def pause(self) -> float | None:
        """Return the seconds to wait after a lost connection; None if the time is over."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
        if now - self._first + self._pause > self._seconds:
            return None
        from random import uniform

        pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        return pause * uniform(0.5, 1.0)


def exchange(
    batches: Iterator[Batch | None],
    consume: Callable[[Any], None],
    route: Route | None,
    failure: Exception | None = None,
) -> Conversation[None]:
    """Send all batches and give their results to ``consume``, in order.

    :param route: finds the node again after a failure; None: there is one server
    :param failure: of the first batch, which was sent before
    """
    waiting = deque[Batch]() if failure is None else deque(islice(filter(None, batches), 1))
    patience, texts = Patience(route.seconds if route else RETRY_SECONDS), False

    def take(batch: Batch, answer: list[Any]) -> None:
        consume(answer_to(batch, answer, route))

    while True:
        if isinstance(failure, RedisError):
            yield from _recover(failure, patience, route)
            if _is_late(failure) and any(batch.once for batch in waiting):
                raise AnswerLost from failure
        try:
            failure = yield from _on_one_connection(batches, waiting, take, patience, texts)
        except RedisError as error:
            failure = check_lost(error, waiting, route)
        else:
            if failure is None:
                return
            if isinstance(failure, MissingScript):
                # Sent in full, scripts run even if another client keeps flushing the script cache.
                texts = True
                continue
            failure = check_refused(failure, waiting, route)


def answer_to(batch: Batch, answer: list[Any], route: Route | None) -> list[Any] | None:
    """Return what a flow gets for a batch: None for pages by the cursors of another node."""
    if batch.scan is None or route is None:
        return answer
    if batch.scan.began is None:
        batch.scan.began = route.mends
    return answer if batch.scan.began == route.mends else None


def check_lost(error: RedisError, waiting: Iterable[Batch], route: Route | None) -> RedisError:
    """Return the error of a connection if another try may help; otherwise raise it."""
    if isinstance(error, ConnectionError) and not isinstance(error, _FINAL):
        if any(batch.once for batch in waiting):
            raise AnswerLost from error
        return error
    if isinstance(error, TimeoutError) and route is not None:
        return error
    raise explained(error)


def check_refused(failure: Exception, waiting: Iterable[Batch], route: Route | None) -> RedisError:
    """Return the error of a command if another node may take the batches; otherwise raise it."""
    if not isinstance(failure, Refused):
        raise explained(failure)
    if route is None:
        raise explained(failure.error)
    if any(batch.once and len(batch.commands) > 1 for batch in waiting):
        raise AnswerLost from failure.error
    return failure.error


def _recover(failure: RedisError, patience: Patience, route: Route | None) -> Conversation[None]:
    """Wait, and find the node again; raise the failure if that does not help.

    A node that is silent is waited for until another takes its place, or it answers again. One that
    answers, but was late, gets a second chance: it may just have woken up.
    """
    late, silent = _is_late(failure), False
    while True:
        pause = patience.pause()
        if pause is None:
            raise explained(failure)
        logger.warning('%s; trying again in %.2f s', _told(failure), pause)
        yield ('sleep', pause)
        if route is None or (yield from route.mend(failure)) or not late:
            return
        was_silent, silent = silent, (yield from route.is_silent())
        if not silent:
            if patience.was_late and not was_silent:
                raise explained(failure)
            patience.was_late = True
            return


def _told(failure: RedisError) -> str:
    """Return what happened; the texts of redis-py and of servers have no values in these cases."""
    return f'{type(failure).__name__}: {failure}'


def _is_late(failure: RedisError) -> bool:
    """Whether a batch was sent, and no answer came in time."""
    return isinstance(failure, TimeoutError) and not is_unsent(failure)


def ask_once(batch: Batch) -> Conversation[list[Any]]:
    """Send a batch where the conversation is, without another try; return the replies."""
    answers: list[list[Any]] = []

    def take(batch: Batch, answer: list[Any]) -> None:
        answers.append(answer)

    failure = yield from _on_one_connection(iter([batch]), deque(), take, Patience(0), False)
    if failure is not None:
        raise failure.error if isinstance(failure, Refused) else failure
    return answers[0]


def _on_one_connection(
    batches: Iterator[Batch | None],
    waiting: deque[Batch],
    take: Callable[[Batch, list[Any]], None],
    patience: Patience,
    texts: bool,
) -> Conversation[Exception | None]:
    """Talk, then read the replies that are left; return the result of :func:`_talk`."""
    yield ('open',)
    unread: deque[Batch] = deque()
    try:
        failure = yield from _talk(batches, waiting, unread, take, patience, texts)
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
    take: Callable[[Batch, list[Any]], None],
    patience: Patience,
    texts: bool,
) -> Conversation[Exception | None]:
    """Send and read until all batches are answered; raise the errors of the connection.

    :param texts: whether batches that are sent again contain the texts of their scripts
    :returns: the error of a command, of the source of batches or of ``take``, or None. The
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
            batch = waiting.popleft()
            patience.renew()
            take(batch, answer)
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
