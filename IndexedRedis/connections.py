"""From connection parameters to pools and executors.

Parameters are those of ``redis.Redis``, or ``{'url': 'redis://...'}``. The dicts of users are
never written to. redis-py is imported at the first connection, not before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ConnectionSetupError

__all__ = (
    'REDIS_DEFAULT_POOL_MAX_SIZE',
    'RedisPools',
    'clearRedisPools',
    'executor_for',
    'getDefaultRedisConnectionParams',
    'getRedisPool',
    'setDefaultRedisConnectionParams',
)

REDIS_DEFAULT_POOL_MAX_SIZE = 32

# Seconds; no call waits for ever. Each can be set in the connection parameters.
_TIMEOUTS = {'socket_timeout': 5.0, 'socket_connect_timeout': 5.0}
# Seconds that a thread waits for another to give its connection back.
_POOL_TIMEOUT = 20.0
_PLACES = ('host', 'port', 'db', 'unix_socket_path')

_defaults: dict[str, Any] = {'host': '127.0.0.1', 'port': 6379, 'db': 0}
_lock = threading.RLock()

#: The pools that this module made, by their parameters.
RedisPools: dict[Any, Any] = {}


def setDefaultRedisConnectionParams(params: Mapping[str, Any]) -> None:
    """Set the connection parameters of all models that name none of their own.

    Takes effect at the next command; connections made so far are closed.

    :param params: keyword arguments of ``redis.Redis``, or ``{'url': ...}``
    :raises ConnectionSetupError: if they cannot work
    """
    global _defaults
    _check(params)
    with _lock:
        _defaults = dict(params)
        clearRedisPools()


def getDefaultRedisConnectionParams() -> dict[str, Any]:
    """Return a copy of the present default connection parameters."""
    return dict(_defaults)


def clearRedisPools() -> None:
    """Close all connections of the pools made here, and forget these pools.

    Pools that users brought themselves are left alone.
    """
    with _lock:
        pools = list(RedisPools.values())
        RedisPools.clear()
    for pool in pools:
        pool.disconnect()


def merged(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return ``params`` with what they lack taken from the defaults."""
    result = _without_url(_defaults)
    own = _without_url(params or {})
    if 'host' in own and 'unix_socket_path' not in own:
        result.pop('unix_socket_path', None)
    result.update(own)
    return result


def _without_url(params: Mapping[str, Any]) -> dict[str, Any]:
    """Spell a URL out, so that single parameters can be laid over it."""
    if 'url' not in params:
        return dict(params)
    from redis.connection import UnixDomainSocketConnection, parse_url

    rest = {key: value for key, value in params.items() if key != 'url'}
    try:
        found = dict(parse_url(params['url']))
    except ValueError as exc:
        raise ConnectionSetupError(f'The URL {params["url"]!r} cannot be used: {exc}') from exc
    kind = found.pop('connection_class', None)
    if kind is UnixDomainSocketConnection:
        found['unix_socket_path'] = found.pop('path')
    elif kind is not None:
        found['ssl'] = True
    return {**found, **rest}


def getRedisPool(params: Mapping[str, Any] | None = None) -> Any:
    """Return the connection pool for these parameters, made on first use.

    :param params: as of ``redis.Redis``; what is missing comes from the defaults. Equal
        parameters share a pool. A ``connection_pool`` among them is returned as it is.
    :raises ConnectionSetupError: if they cannot work
    """
    params = merged(params)
    _check(params)
    if params.get('connection_pool') is not None:
        return _checked_pool(params['connection_pool'])
    key = _key(params)
    pool = RedisPools.get(key)
    if pool is None:
        with _lock:
            pool = RedisPools.get(key)
            if pool is None:
                pool = RedisPools[key] = _make_pool(params)
    return pool


def _key(params: dict[str, Any]) -> Any:
    try:
        key = tuple(sorted(params.items()))
        hash(key)
    except TypeError:
        return tuple(sorted((name, repr(value)) for name, value in params.items()))
    return key


def _make_pool(params: dict[str, Any]) -> Any:
    """A pool of at most 32 connections, in which threads wait for one instead of failing."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    params = {**_TIMEOUTS, **params}
    size = params.pop('max_connections', None) or REDIS_DEFAULT_POOL_MAX_SIZE
    # The executor tries again by rules of its own, so redis-py must not do so on top of it.
    params.setdefault('retry', Retry(NoBackoff(), 0))
    try:
        model = redis.Redis(**params).connection_pool
    except TypeError as exc:
        raise ConnectionSetupError(f'redis.Redis does not take these parameters: {exc}') from exc
    return redis.BlockingConnectionPool(
        max_connections=size,
        timeout=_POOL_TIMEOUT,
        connection_class=model.connection_class,
        **model.connection_kwargs,
    )


def _check(params: Mapping[str, Any]) -> None:
    if not isinstance(params, Mapping):
        raise ConnectionSetupError(
            f"Connection parameters are a dict such as {{'host': '127.0.0.1'}}, not {params!r}."
        )
    if params.get('decode_responses'):
        raise ConnectionSetupError(
            'decode_responses=True cannot be used: fields decode values themselves, and some hold '
            'bytes that are no text. Leave it out.'
        )


def executor_for(
    params: Mapping[str, Any] | None,
    client: Any = None,
    executor_of: Callable[[Any], Any] | None = None,
) -> Any:
    """Return the executor for connection parameters, or for a client of redis-py.

    :param params: as of :func:`getRedisPool`; not looked at where there is a ``client``
    :param client: a ``redis.Redis``, or what has a ``connection_pool`` like one
    :param executor_of: gives the executor of another model
    :raises ConnectionSetupError: if the client cannot work
    """
    from .executors.sync import SyncExecutor

    return SyncExecutor(getRedisPool(params) if client is None else _pool_of(client), executor_of)


def _pool_of(client: Any) -> Any:
    pool = getattr(client, 'connection_pool', None)
    if pool is None:
        raise ConnectionSetupError(
            f'{client!r} is no redis-py client; _connection takes a redis.Redis(...).'
        )
    return _checked_pool(pool)


def _checked_pool(pool: Any) -> Any:
    if not hasattr(pool, 'connection_kwargs'):
        raise ConnectionSetupError(f'{pool!r} is no connection pool of redis-py.')
    _check(pool.connection_kwargs)
    if type(pool).__module__.startswith('redis.asyncio'):
        raise ConnectionSetupError(
            f'{pool!r} belongs to redis.asyncio; here one of redis.Redis(...) is needed.'
        )
    return pool
