"""What the executors of threads and of asyncio share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._core.replication import Freshness
from .exchange import Way
from .topology.single import place_of, way_to

__all__ = ('Executor', 'Lanes')


class Executor:
    """Runs flows. A flow borrows connections from the pool while it talks.

    :param pool: a pool of redis-py, of asyncio for tasks; or the pools of several nodes
    :param executor_of: gives the executor of another model
    :param model: the model, or one of its objects, whose keys the flows use; None: there is none
    :raises ConnectionSetupError: if its keys are in many slots of a cluster
    """

    def __init__(
        self,
        pool: Any,
        executor_of: Callable[[Any], Any] | None = None,
        model: Any = None,
    ) -> None:
        self.pool = pool
        self._executor_of = executor_of or (lambda model: self)
        self._place = place_of(pool, model)

    def _way(self, cache_size: int | None, fresh: Freshness | None) -> Way | None:
        if self._place is None and fresh is None:  # most are
            return None
        return way_to(self._place, cache_size is not None, fresh)


class Lanes:
    """The connections that a conversation holds: one at a time, or one of each node.

    Rule: each loan is noted before it is put aside, so that an interrupt at any line loses none.
    """

    _pool: Any
    #: what is borrowed of the pool
    _loan: list[Any]
    #: whether something was sent over it
    _sent: bool
    _number = 0
    _lanes: dict[int, tuple[Any, list[Any], bool]] | None = None
    _aside: Iterable[tuple[Any, list[Any]]] = ()

    def _turn_to(self, number: int) -> None:
        """Put pool and loan aside, and take up those of another number."""
        if self._lanes is None:
            self._lanes = {}
        self._lanes[self._number] = self._pool, self._loan, self._sent
        self._aside = [*self._aside, (self._pool, self._loan)]
        pool, loan, sent = self._lanes.get(number, (self._pool, [], False))
        self._loan = []  # until the pool is that of the other loan
        self._pool, self._sent, self._number = pool, sent, number
        self._loan = loan
