"""Turn connection parameters into pools and executors, for threads and for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .threads import (
    REDIS_DEFAULT_POOL_MAX_SIZE,
    RedisPools,
    clearRedisPools,
    getDefaultRedisConnectionParams,
    getRedisPool,
    setDefaultRedisConnectionParams,
)

if TYPE_CHECKING:
    from ..executors.recording import Trip, recordTrips

#: Seconds that a thread or a task waits for a connection while all of its pool are in use. A pool
#: reads it when it is made.
POOL_TIMEOUT = 20.0

__all__ = (
    'POOL_TIMEOUT',
    'REDIS_DEFAULT_POOL_MAX_SIZE',
    'RedisPools',
    'Trip',
    'clearRedisPools',
    'getDefaultRedisConnectionParams',
    'getRedisPool',
    'recordTrips',
    'setDefaultRedisConnectionParams',
)


def __getattr__(name: str) -> Any:
    if name not in ('Trip', 'recordTrips'):
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from ..executors import recording  # only programs that record pay for its import

    return getattr(recording, name)
