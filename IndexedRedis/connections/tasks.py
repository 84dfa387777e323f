"""The connections of asyncio: one pool for each event loop and set of parameters.

A pool belongs to the event loop of its first use; ``await aclose()`` closes the pools of the
running loop. Rule: asyncio is imported at its first use, so that other programs do not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from ..errors import ConnectionSetupError, UsageError
from .credentials import follow
from .threads import (
    REDIS_DEFAULT_POOL_MAX_SIZE,
    SOCKET_SECONDS,
    Shortcuts,
    checked_pool,
    pool_for,
    pool_of_client,
    pool_seconds,
    redirected_params,
)
from .topologies import is_topology, node_pools

__all__ = ('aclose', 'async_executor_for')

# By event loop, then by parameters.
_pools: dict[Any, dict[Any, Any]] = {}
_shortcuts: dict[Any, Shortcuts] = {}


async def aclose() -> None:
    """Close the connections of the running event loop, of all models.

    Call it before the loop ends, as with ``redis.asyncio``. It does not close pools and clients
    that users brought themselves. A model that is used afterwards gets new connections.
    """
    import asyncio

    loop = asyncio.get_running_loop()
    pools = _pools.get(loop, {})
    for key, pool in list(pools.items()):
        await pool.disconnect()
        pools.pop(key, None)  # after closing it, so that a cancelled call can be repeated
    if not pools:
        _forget(loop)


def async_executor_for(
    params: Mapping[str, Any] | None,
    client: Any = None,
    executor_of: Callable[[Any], Any] | None = None,
    model: Any = None,
) -> Any:
    """Return the executor for connection parameters, or for a client of ``redis.asyncio``.

    :param params: as of ``getRedisPool``; ignored if there is a ``client``
    :param client: a ``redis.asyncio.Redis`` or a ``RedisCluster``
    :param executor_of: returns the executor of another model
    :param model: the model, or one of its objects
    :raises ConnectionSetupError: if the client cannot be used, or not for this model
    :raises UsageError: if no event loop is running
    """
    params, client = redirected_params(params, client)
    pool = checked_pool(pool_of_client(client), True) if client is not None else _pool(params)
    return _executor_class()(pool, executor_of, model)


@cache
def _executor_class() -> Any:
    from ..executors.aio import AsyncExecutor

    return AsyncExecutor


def _pool(params: Mapping[str, Any] | None) -> Any:
    loop = _running_loop()
    return pool_for(params, _pools[loop], _shortcuts[loop], _make_pool, of_asyncio=True)


def _running_loop() -> Any:
    """Return the running event loop, after making dicts for its pools."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError(
            'No event loop is running. Await methods with the prefix a inside one; elsewhere call '
            'those without the prefix.'
        ) from None
    if loop not in _pools:
        # Other threads, with loops of their own, may run this too: list() and pop() are atomic.
        for ended in [each for each in list(_pools) if each.is_closed()]:
            _forget(ended)
        _shortcuts[loop] = {}
        _pools[loop] = {}
    return loop


def _forget(loop: Any) -> None:
    _pools.pop(loop, None)
    _shortcuts.pop(loop, None)


def _make_pool(params: Mapping[str, Any]) -> Any:
    """Return a pool of at most 32 connections; of a cluster or Sentinel service one for each node.

    Tasks wait for a connection if all are in use.
    """
    if is_topology(params):
        return node_pools(dict(params), _make_pool, 'AsyncNodePools')
    import redis.asyncio
    import redis.asyncio.retry
    from redis.backoff import NoBackoff

    from ..executors.aio import Line
    from ..executors.pools.coalescing import Coalescing
    from ..executors.pools.tasks import TrackingPool

    params = {**SOCKET_SECONDS, **params}
    size = params.pop('max_connections', None) or REDIS_DEFAULT_POOL_MAX_SIZE
    # The executor retries by rules of its own. A user's Retry for threads cannot be awaited.
    if not isinstance(params.get('retry'), redis.asyncio.retry.Retry):
        params['retry'] = redis.asyncio.retry.Retry(NoBackoff(), 0)
    try:
        model = redis.asyncio.Redis(**params).connection_pool
    except TypeError as exc:
        raise ConnectionSetupError(
            f'redis.asyncio.Redis does not take these parameters: {exc}'
        ) from exc
    pool = TrackingPool(
        pool_seconds(),
        max_connections=size,
        connection_class=model.connection_class,
        **model.connection_kwargs,
    )
    pool.coalescing = Coalescing(pool.turns, partial(Line, pool))
    follow(params.get('credential_provider'), pool, of_asyncio=True)
    return pool
