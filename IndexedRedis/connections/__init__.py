"""Turn connection parameters into pools and executors, for threads and for asyncio."""

from __future__ import annotations

from ..executors.recording import Trip, recordTrips
from .threads import (
    REDIS_DEFAULT_POOL_MAX_SIZE,
    RedisPools,
    clearRedisPools,
    getDefaultRedisConnectionParams,
    getRedisPool,
    setDefaultRedisConnectionParams,
)

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
