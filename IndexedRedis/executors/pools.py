"""What the supported versions of redis-py do differently with their pools."""

from __future__ import annotations

from typing import Any

import redis

__all__ = ('connection_of',)

# Before 5.3 the name of the command had to be given; from then on giving it is deprecated.
_NAMELESS = tuple(int(part) for part in redis.__version__.split('.')[:2]) >= (5, 3)


def connection_of(pool: Any) -> Any:
    """Take a connection from a pool (of asyncio: return the awaitable)."""
    return pool.get_connection() if _NAMELESS else pool.get_connection('_')
