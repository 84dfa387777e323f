"""Run flows over a connection pool of redis-py."""

from __future__ import annotations

import time
from asyncio import _get_running_loop
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeVar

from redis.exceptions import ConnectionError, TimeoutError

from .._core.flows import AnswerLost, Batch, Flow
from .._core.replication import FRESHNESS, Freshness
from .base import Executor, Lanes
from .cache.invalidation import has_cached, read_invalidations, start_tracking
from .cache.tracking import note_write
from .callers import warn_of_blocking
from .conversation import Conversation, converse
from .errors import PoolExhaustedError
from .pools.nodes import NodePools
from .pools.replies import read_replies
from .pools.threads import BroughtPool, QuickPool
from .topology.nodes import Node, Role
from .wire import pack

__all__ = ('SyncExecutor',)

T = TypeVar('T')


class SyncExecutor(Executor):
    """Runs flows over a pool of threads."""

    def run(
        self, flow: Flow[T], cache_size: int | None = None, fresh: Freshness | None = None
    ) -> T:
        """Run a flow to its end and return its result.

        :param cache_size: of a flow that only reads: for how many batches each connection caches
            the replies; None: the flow may write
        :param fresh: how fresh a replica has to be that may answer; None: the primary answers
        """
        if _get_running_loop() is not None:
            warn_of_blocking()
        line = Line(self.pool, self._executor_of, cache_size)
        try:
            # The loop is in another function, so that this `finally` covers each line of it. A
            # `try` around `while True` would not cover that line itself.
            way = self._way(cache_size, fresh)
            return line.converse(converse(flow, bool(cache_size), way))
        finally:
            try:
                if cache_size is None:
                    note_write()
            finally:
                line.end()


class Line(Lanes):
    """The operations of a conversation, on one connection at a time."""

    _loan: list[Any] = []  # for __del__, if __init__ was interrupted

    def __init__(
        self, pool: Any, executor_of: Callable[[Any], Any], cache_size: int | None = None
    ) -> None:
        self._nodes = pool
        ours = isinstance(pool, (QuickPool, NodePools))
        self._pool: Any = pool if ours else BroughtPool(pool)
        self._executor_of = executor_of
        self._cache_size = cache_size
        self._loan: list[Any] = []
        self._sent = False

    def __del__(self) -> None:
        if self._loan:  # `end` was interrupted, too
            self._pool.reclaim(self._loan)
        for pool, loan in self._aside:
            if loan:
                pool.reclaim(loan)

    def converse(self, conversation: Conversation[T]) -> T:
        """Perform the operations of a conversation; return its result."""
        try:
            operation = next(conversation)
            while True:
                try:
                    outcome = getattr(self, operation[0])(*operation[1:])
                except BaseException as exc:
                    operation = conversation.throw(exc)
                else:
                    operation = conversation.send(outcome)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def from_cache(self, batch: Batch) -> Sequence[Any] | None:
        commands = tuple(batch.commands)
        if not self._pool.lend_that(self._loan, partial(has_cached, batch=commands)):
            return None
        connection = self._loan[0]
        try:
            tracked = start_tracking(connection)
            if tracked.clock.is_due():
                read_invalidations(connection)
            replies = tracked.get(commands)
        except (ConnectionError, TimeoutError):
            self.end()
            return None
        self.close(False)
        return replies

    def send_now(self, batch: Batch) -> list[Any] | None:
        # Most batches find an idle connection and get their answer. The steps of a conversation
        # would take 6 us more, a tenth of a small query. A batch that may be sent twice needs no
        # test whether the server closed the connection: sending shows it.
        if not self._pool.lend_idle(self._loan, certain=batch.once):
            return None
        try:
            self._loan[0].send_packed_command([pack(batch)])
            replies = self.read(len(batch.commands))
        except ConnectionError as error:
            self.end()
            if batch.once:
                raise AnswerLost from error
            return None
        except BaseException:
            self.end()
            raise
        self.close(False)
        return replies

    def ask_and_cache(self, batch: Batch) -> list[Any] | None:
        if not isinstance(self._pool, QuickPool):
            return self.send_now(batch)
        try:
            self.open()
            tracked = start_tracking(self._loan[0])
            self.send(tracked.request(batch))
            replies = tracked.receive(
                batch, self.read(tracked.reply_count(batch)), self._cache_size or 0
            )
            self.close(False)
        except PoolExhaustedError:
            raise  # the next try would wait just as long
        except ConnectionError:
            return None
        finally:
            self.end()
        return replies

    def open(self) -> None:
        self._pool.lend(self._loan)
        self._sent = False

    def send(self, data: bytes) -> None:
        # redis-py's health check reads a reply, so it must come before anything is in flight.
        check, self._sent = not self._sent, True
        self._loan[0].send_packed_command([data], check_health=check)

    def read(self, count: int) -> list[Any]:
        return read_replies(self._loan[0], count)

    def close(self, broken: bool) -> None:
        if not broken:
            self._pool.take_back(self._loan)
        elif self._loan:
            self._pool.discard(self._loan)

    def end(self) -> None:
        """Close the connections that are still on loan."""
        if self._loan:
            self._pool.discard(self._loan)
        if self._aside:
            self._end_aside()

    def _end_aside(self) -> None:
        for pool, loan in self._aside:
            if loan:
                pool.discard(loan)
        self._aside = ()

    def lane(self, number: int) -> None:
        self._turn_to(number)
        if not number:
            self._end_aside()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def at(self, node: Node, role: Role) -> None:
        self._pool = self._nodes.pool(node, role)

    def keep(self, nodes: Collection[Node]) -> None:
        for pool in self._nodes.drop_others(nodes):
            pool.close_idle()

    def elsewhere(self, model: Any, flow: Flow[Any]) -> Any:
        cache_size = None if self._cache_size is None else model.CLIENT_SIDE_CACHE
        fresh = None if cache_size is None else FRESHNESS[model.REPLICA_READS]
        return self._executor_of(model).run(flow, cache_size, fresh)
