"""``stats()``: the figures of all connection pools and client-side caches of this process."""

from __future__ import annotations

from typing import Any

from . import tasks, threads

__all__ = ('stats',)


def stats() -> list[dict[str, Any]]:
    """Return the figures of each connection pool of this process, as dicts that JSON can hold.

    There is a pool for each set of connection parameters: one for threads, and one for each event
    loop. On a cluster, with Sentinel or with replicas there is one for each node and ``role``
    (``primary``, ``replica``; ``guide`` and ``gauge`` ask where the nodes are, and how far they
    are). Pools that a program brought itself are not listed.

    - ``server`` (host and port, or the path of a socket), ``database``, ``role``, and ``kind``:
      ``'threads'`` or ``'asyncio'``
    - ``size``: the largest number of connections; ``open``: those that are connected; ``lent``:
      those in use; ``idle``: those that are connected and free
    - ``connects``: how often a connection was opened, after a loss again
    - ``waiting``: how many threads or tasks wait for a connection now; ``waits``: how many had to
      wait so far. Small reads of tasks share a connection, and do not count.
    - ``cacheHits``: how many batches of commands the client-side cache answered; ``cacheMisses``:
      how many were sent to fill it; ``cacheEntries``: how many it holds now

    Counts begin with the pool, which ends with ``clearRedisPools()`` or ``await aclose()``.
    """
    loops = [[*pools.values()] for pools in [*tasks._pools.values()]]
    pools = [*threads.RedisPools.values(), *(pool for each in loops for pool in each)]
    return [figures for pool in pools for figures in pool.stats()]
