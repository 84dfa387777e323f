"""Turn connection parameters into pools and executors.

Parameters are those of ``redis.Redis``, or ``{'url': 'redis://...'}``. Rules: this file never
changes the dicts of users, and imports redis-py at the first connection. A test can redirect all
connections.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import ConnectionSetupError
from ..executors.pools.locks import ForkSafeLock
from .credentials import follow
from .params import ParamsKey, check_params, key_of, without_url
from .topologies import NAMES as TOPOLOGY_NAMES
from .topologies import is_topology, node_pools, params_of_cluster_client

__all__ = (
    'REDIS_DEFAULT_POOL_MAX_SIZE',
    'RedisPools',
    'clearRedisPools',
    'executor_for',
    'getDefaultRedisConnectionParams',
    'getRedisPool',
    'redirected',
    'server_for',
    'setDefaultRedisConnectionParams',
)

#: Connections of a pool, unless ``max_connections`` says otherwise.
REDIS_DEFAULT_POOL_MAX_SIZE = 32

# Seconds for each answer, and to connect, unless the connection parameters say otherwise.
SOCKET_SECONDS = {'socket_timeout': 5.0, 'socket_connect_timeout': 5.0}
# The environment variable that names the server, as for the commands.
URL_VARIABLE = 'INDEXEDREDIS_URL'

# A model that names servers by one of these is on none of those that the defaults name.
_SERVERS = {'host', 'unix_socket_path', 'startup_nodes', 'sentinels'}

# None: neither set nor read from the environment yet.
_defaults: dict[str, Any] | None = None
_lock = ForkSafeLock()

#: The pools that this module made, by their parameters.
RedisPools: dict[Any, Any] = {}
# By the parameters of a model: the defaults at that time, the key in RedisPools (None for a user's
# pool), the pool. Merging the parameters each time would take as long as a small query.
Shortcuts = dict[Any, tuple[Any, ParamsKey | None, Any]]
_shortcuts: Shortcuts = {}

_redirect: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None


def setDefaultRedisConnectionParams(params: Mapping[str, Any]) -> None:
    """Set the connection parameters of all models without parameters of their own.

    They take effect at the next command. This call closes the connections of threads;
    ``await aclose()`` closes those of asyncio. Without a call, the defaults are the server of the
    environment variable ``INDEXEDREDIS_URL``, else ``127.0.0.1:6379``.

    :param params: keyword arguments of ``redis.Redis``, or ``{'url': ...}``. For a cluster
        ``{'cluster': True, 'host': ..., 'port': ...}``, ``startup_nodes`` (pairs of host and port)
        or ``redis+cluster://host:port``; for Sentinel ``{'sentinels': ((host, port), ...),
        'service_name': ...}`` or ``sentinel://host:port,host:port/name``, and ``sentinel_kwargs``,
        the parameters of the Sentinels themselves; for both ``failover_seconds``, for how long an
        exchange waits for a lost primary (8)
    :raises ConnectionSetupError: if they cannot be used
    """
    global _defaults
    check_params(params)
    with _lock:
        _defaults = dict(params)
        clearRedisPools()


def getDefaultRedisConnectionParams() -> dict[str, Any]:
    """Return a copy of the default connection parameters."""
    return dict(_current_defaults())


def _current_defaults() -> dict[str, Any]:
    """Return the defaults: what was set, else the server of the environment variable, as it was
    when it was first asked for, else a local one.

    :raises ConnectionSetupError: if the variable holds no URL
    """
    global _defaults
    if _defaults is None:
        url = os.environ.get(URL_VARIABLE)
        try:
            check_params(without_url({'url': url} if url else {}))
        except ConnectionSetupError as error:
            raise ConnectionSetupError(f'The variable {URL_VARIABLE}: {error}') from None
        _defaults = {'url': url} if url else {'host': '127.0.0.1', 'port': 6379, 'db': 0}
    return _defaults


def clearRedisPools() -> None:
    """Close all connections of threads in pools that this library made, and forget these pools.

    A connection that another thread uses is closed when that thread gives it back.
    Those of asyncio stay open until ``await aclose()``, and pools that users brought stay too.
    """
    with _lock:
        pools = list(RedisPools.values())
        RedisPools.clear()
        _shortcuts.clear()
    for pool in pools:
        # A user may have put a pool of redis-py into RedisPools.
        getattr(pool, 'end', pool.disconnect)()


def merged(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return ``params``, completed from the defaults.

    :raises ConnectionSetupError: if they cannot be used
    """
    result = without_url(_current_defaults())
    own = without_url(params or {})
    if not _SERVERS.isdisjoint(own):
        for name in ('unix_socket_path', *TOPOLOGY_NAMES):
            result.pop(name, None)
    result.update(own)
    if _redirect is not None:
        result = without_url(_redirect(result))
    check_params(result)
    return result


@contextlib.contextmanager
def redirected(to: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Iterator[None]:
    """Redirect all connections of this process while the block runs.

    Models that name parameters or a client of their own are redirected too, and so are models
    that are defined meanwhile.

    :param to: gets connection parameters and returns the ones to use instead; for a user's client
        it gets ``{'connection_pool': ...}``
    """
    global _redirect
    before, _redirect = _redirect, to
    try:
        yield
    finally:
        _redirect = before
        clearRedisPools()


def redirected_params(params: Any, client: Any) -> tuple[Any, Any]:
    """Return the parameters and the client to use; while redirected, only parameters.

    A client of a cluster is used for its parameters, too.
    """
    if client is None:
        return params, client
    of_cluster = params_of_cluster_client(client)
    if of_cluster is not None:
        return of_cluster, None
    if _redirect is None:
        return params, client
    return {'connection_pool': pool_of_client(client)}, None


def getRedisPool(params: Mapping[str, Any] | None = None) -> Any:
    """Return the connection pool for these parameters; it is made on first use.

    :param params: as of ``redis.Redis``; the defaults complete them. Equal parameters share a pool.
        A ``connection_pool`` among them is returned as it is.
    :returns: a ``redis.BlockingConnectionPool``, of 32 connections by default; for a cluster or
        Sentinel an object that holds a pool for each node
    :raises ConnectionSetupError: if they cannot be used
    """
    return pool_for(params, RedisPools, _shortcuts, _make_pool)


def pool_for(
    params: Mapping[str, Any] | None,
    pools: dict[Any, Any],
    shortcuts: Shortcuts,
    make: Callable[[dict[str, Any]], Any],
    of_asyncio: bool = False,
) -> Any:
    """Return the pool for connection parameters; it is made on first use.

    :param pools: the pools made so far, by their parameters
    :param shortcuts: the pools returned so far, by the parameters of their callers
    :param make: makes a pool for parameters
    """
    defaults = _current_defaults() if _defaults is None else _defaults
    try:
        given = tuple(params.items()) if params else ()
        earlier, key, pool = shortcuts[given]
        # A caller that clears RedisPools wants new pools.
        if earlier is defaults and _redirect is None and (key is None or pools.get(key) is pool):
            return pool
    except (AttributeError, KeyError, TypeError):  # new, not hashable, or wrong parameters
        pass
    key, pool = _found_or_made(merged(params), pools, make, of_asyncio)
    if _redirect is None:
        with contextlib.suppress(TypeError):
            shortcuts[given] = defaults, key, pool
    return pool


def _found_or_made(
    params: dict[str, Any],
    pools: dict[Any, Any],
    make: Callable[[dict[str, Any]], Any],
    of_asyncio: bool,
) -> tuple[ParamsKey | None, Any]:
    if params.get('connection_pool') is not None:
        return None, checked_pool(params['connection_pool'], of_asyncio)
    key = key_of(params)
    with _lock:
        pool = pools.get(key)
        if pool is None:
            pool = pools[key] = make(params)
    return key, pool


def _make_pool(params: dict[str, Any]) -> Any:
    """Return a pool of at most 32 connections; of a cluster or Sentinel service one for each node.

    Threads wait for a connection if all are in use.
    """
    if is_topology(params):
        return node_pools(params, _make_pool, 'NodePools')
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from ..executors.pools.threads import QuickPool

    params = {**SOCKET_SECONDS, **params}
    size = params.pop('max_connections', None) or REDIS_DEFAULT_POOL_MAX_SIZE
    # The executor retries by rules of its own, so redis-py must not retry too.
    params.setdefault('retry', Retry(NoBackoff(), 0))
    try:
        model = redis.Redis(**params).connection_pool
    except TypeError as exc:
        raise ConnectionSetupError(f'redis.Redis does not take these parameters: {exc}') from exc
    pool = QuickPool(
        max_connections=size,
        timeout=pool_seconds(),
        connection_class=model.connection_class,
        **model.connection_kwargs,
    )
    follow(params.get('credential_provider'), pool, of_asyncio=False)
    return pool


def pool_seconds() -> float:
    """Return for how long a thread or a task waits for a connection: the package's setting."""
    seconds: float = sys.modules[__package__].POOL_TIMEOUT
    return seconds


def executor_for(
    params: Mapping[str, Any] | None,
    client: Any = None,
    executor_of: Callable[[Any], Any] | None = None,
    model: Any = None,
) -> Any:
    """Return the executor for connection parameters, or for a client of redis-py.

    :param params: as of :func:`getRedisPool`; ignored if there is a ``client``
    :param client: a ``redis.Redis`` or ``redis.cluster.RedisCluster``, or another object with such
        a ``connection_pool``
    :param executor_of: returns the executor of another model
    :param model: the model, or one of its objects
    :raises ConnectionSetupError: if the client cannot be used, or not for this model
    """
    params, client = redirected_params(params, client)
    pool = getRedisPool(params) if client is None else checked_pool(pool_of_client(client))
    return _executor_class()(pool, executor_of, model)


@functools.cache
def _executor_class() -> Any:
    """Return the class, which imports redis-py. The cache saves 5 us, of 140 for a count."""
    from ..executors.sync import SyncExecutor

    return SyncExecutor


def server_for(params: Mapping[str, Any] | None, client: Any = None, model: Any = None) -> Any:
    """Return an object that identifies a server: the same one for equal connections.

    :param params: as of :func:`getRedisPool`; ignored if there is a ``client``
    :param client: a client of redis-py, of ``redis.asyncio`` too
    :param model: the model: on a cluster, each slot is a server of its own. None: the whole
        database
    """
    params, client = redirected_params(params, client)
    if client is not None:
        return getattr(client, 'connection_pool', client)
    pool = merged(params).get('connection_pool')  # it may be one of asyncio
    pool = getRedisPool(params) if pool is None else pool
    return pool.place(model) if model is not None and hasattr(pool, 'place') else pool


def pool_of_client(client: Any) -> Any:
    """Return the pool of a client of redis-py.

    :raises ConnectionSetupError: if it is not such a client
    """
    pool = getattr(client, 'connection_pool', None)
    if pool is None:
        raise ConnectionSetupError(
            f'A {type(client).__name__} is no redis-py client. Give a redis.Redis(...).'
        )
    return pool


def checked_pool(pool: Any, of_asyncio: bool = False) -> Any:
    """Return a user's pool, if it can be used.

    :param of_asyncio: whether it must be one of ``redis.asyncio``
    :raises ConnectionSetupError: if it cannot be used
    """
    name = f'{type(pool).__module__}.{type(pool).__name__}'
    if not hasattr(pool, 'connection_kwargs'):
        raise ConnectionSetupError(
            f'A {name} is no connection pool of redis-py. Give a redis.ConnectionPool(...).'
        )
    check_params(pool.connection_kwargs)
    if (
        any(kind.__module__.startswith('redis.asyncio') for kind in type(pool).__mro__)
        is of_asyncio
    ):
        return pool
    if of_asyncio:
        raise ConnectionSetupError(
            f'A {name} blocks, so it cannot serve an event loop. Give the model connection '
            'parameters, or a redis.asyncio.Redis(...); or call the methods without the prefix a.'
        )
    raise ConnectionSetupError(
        f'A {name} serves only the methods with the prefix a (aall, asave, ...), since it belongs '
        'to redis.asyncio. Give a redis.Redis(...).'
    )
