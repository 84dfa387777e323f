"""What becomes of the connections to a node that is no primary any more. The rule: idle ones are
closed, and those that somebody reads from are left to him: another thread may get their number."""

from __future__ import annotations

import asyncio
import contextlib

import IndexedRedis as IR
from clusters.operations import Song
from IndexedRedis.connections import getRedisPool
from IndexedRedis.executors.topology.nodes import Role


def pool_of(params, cluster):
    """The pool of the node that has the models."""
    pools = getRedisPool(params)
    (node,) = [node for node in pools.known.primaries() if node.port == cluster.port]
    return pools.pool(node, Role.PRIMARY)


def of_us(node):
    """How many connections a node has from us."""
    with node.client() as client:
        return sum(each['name'] == 'ours' for each in client.client_list())


def test_threads(cluster):
    params = {**cluster.params, 'client_name': 'ours'}
    model = Song.connectAlt(params)
    primary = cluster.primary_of(Song.KEY_NAME)
    assert model.objects.count() == 0
    pool, loan, another = pool_of(params, primary), [], []
    pool.lend(loan)
    pool.lend(another)
    pool.take_back(another)
    before = of_us(primary)
    cluster.failover(cluster.replicas_of(primary)[0])
    assert model.objects.count() == 0  # it learns where the primary is
    assert of_us(primary) == before - 1
    loan[0].send_command('PING')
    assert loan[0].read_response() == b'PONG'
    assert pool_of(params, cluster.primary_of(Song.KEY_NAME)) is not pool
    pool.discard(loan)
    IR.clearRedisPools()


def test_tasks(cluster):
    params = {**cluster.params, 'client_name': 'ours'}
    model = Song.connectAlt(params)
    primary = cluster.primary_of(Song.KEY_NAME)

    async def main():
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(IR.aclose)
            await asyncio.gather(*(model(title=str(n)).asave() for n in range(5)))
            assert of_us(primary) >= 5
            await asyncio.to_thread(cluster.failover, cluster.replicas_of(primary)[0])
            assert await model.objects.acount() == 5
            assert of_us(primary) <= 1

    asyncio.run(main())
