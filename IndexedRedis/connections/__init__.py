"""From connection parameters to pools and executors: of threads, of tasks."""

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

__all__ = (
    'REDIS_DEFAULT_POOL_MAX_SIZE',
    'RedisPools',
    'Trip',
    'clearRedisPools',
    'getDefaultRedisConnectionParams',
    'getRedisPool',
    'recordTrips',
    'setDefaultRedisConnectionParams',
)
