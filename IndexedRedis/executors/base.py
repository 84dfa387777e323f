"""What the executors of threads and of asyncio share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._core.replication import Freshness
from .exchange import Way
from .topology.single import place_of, way_to

__all__ = ('Executor',)


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
