"""The figures of a pool, as plain numbers: counted where it connects or waits, else read on demand.

Rule: lending an idle connection counts nothing. Python switches threads at calls and loops only, so
``+= 1`` on an attribute loses no count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..cache.invalidation import counts_of
from .internals import link_of

__all__ = ('stats_of',)


def stats_of(
    pool: Any, kind: str, connections: Iterable[Any], lent: int, waiting: int, waits: int
) -> dict[str, Any]:
    """Return the figures of a pool.

    :param kind: ``'threads'`` or ``'asyncio'``
    :param connections: all of its connections, connected or not
    :param lent: how many connections are borrowed
    :param waiting: how many borrowers wait now
    :param waits: how many had to wait so far
    """
    at, known = pool.connection_kwargs, [*connections]
    caches = [counts_of(connection) for connection in known]
    opened = sum(link_of(connection) is not None for connection in known)
    return {
        'server': at.get('path') or f'{at.get("host", "localhost")}:{at.get("port", 6379)}',
        'database': int(at.get('db') or 0),
        'role': 'primary',
        'kind': kind,
        'size': pool.max_connections,
        'open': opened,
        'lent': lent,
        'idle': max(opened - lent, 0),
        'connects': pool.connects,
        'waiting': waiting,
        'waits': waits,
        'cacheEntries': sum(entries for entries, _, _ in caches),
        'cacheHits': sum(hits for _, hits, _ in caches),
        'cacheMisses': sum(misses for _, _, misses in caches),
    }
