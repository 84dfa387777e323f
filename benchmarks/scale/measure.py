"""Measure costs on real servers: ``python -m benchmarks.scale.measure PROGRAM``.

Rows are on a cluster of one node, since keys of a cluster take more memory. Their model has two
partitions, whose index sets are as large as those of a partition of 2 million rows. Queries find 10
rows of 4,800, on clusters of more and more primaries. CPU is that of all primaries together.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from typing import Any

import redis

from IndexedRedis._core.partitions.layout import ShardKeys, tags
from IndexedRedis.testing.clusters import Cluster, start_cluster

from ..machine import cpu_seconds
from ..subjects.library import model_of

ROWS, CALLS, COUNT, NAME = 100_000, 2_000, 2, '{1}Product'
START = 3_000_000_000  # of the pks: after three resets of 1,000 million rows
LONG = {'title': 50, 'text': 64, 'image': 64, 'thumb': 60}
VALUES = {'shop': 1_250, 'brand': 50, 'category': 5, 'status': 2}
KINDS = dict.fromkeys((*LONG, *VALUES, 'created'), 'str') | {'price': 'int'}

ASKED, QUERIES, WARM, PRIMARIES, PARTITIONS = 4_800, 500, 20, (1, 3, 6), (6, 12, 24, 48)
HOME = tags(PRIMARIES[-1])[0].decode('ascii')  # in a slot of the first primary


def rows(program: str) -> Iterator[tuple[str, float]]:
    """Yield the name and the value of each cost of one row."""
    with start_cluster(program, primaries=1, replicas=0) as cluster:
        model = _model(cluster, NAME, COUNT, KINDS, VALUES)
        client = redis.Redis(**cluster.nodes[0].params)
        for at in range(COUNT):
            client.set(ShardKeys(NAME, at, COUNT, 0).next, START + at)
        empty = client.info('memory')['used_memory']
        first, second, third = (_products(model) for _ in range(3))
        (load,), loader = _cpu(cluster, [lambda: model.reset(first)], ROWS)
        yield from (('load, us a row', load), ('load, us a row of the client', loader))
        for name, pattern in (
            ('row, bytes', 'data:*'),
            ('pk set, bytes a row', 'keys'),
            ('four indexes, bytes a row', 'idx:*'),
        ):
            keys = client.scan_iter(f'_ir_|*:{NAME}:{pattern}', count=1000)
            yield name, sum(client.memory_usage(key, samples=0) for key in keys) / ROWS
        yield 'all, bytes a row', (client.info('memory')['used_memory'] - empty) / ROWS
        (both,), coordinator = _cpu(cluster, [lambda: model.reset(second)], ROWS)
        yield 'retire, us a row', both - load
        yield 'retire, us a row of the client', coordinator - loader
        (expire,), _ = _cpu(cluster, [lambda: _until_expired(client)], ROWS)
        yield 'expire, us a row', expire
        for at, each in enumerate(second[:CALLS]):
            each.brand = f'brand-{at % 49:05}'
        for name, calls in (
            ('get(pk)', [partial(model.objects.get, each._id) for each in second[:CALLS]]),
            ('insert', [each.save for each in third[:CALLS]]),
            ('update', [each.save for each in second[:CALLS]]),
        ):
            yield f'{name}, us', _cpu(cluster, calls)[0][0]


def queries(program: str) -> Iterator[tuple[str, float]]:
    """Yield the name and the value of each cost of a query."""
    for primaries in PRIMARIES:
        with start_cluster(program, primaries, replicas=0) as cluster:
            for count in (0, *PARTITIONS) if primaries == 1 else PARTITIONS:
                kinds = {'title': 'str', 'shop': 'str'}
                model = _model(cluster, f'{{{HOME}}}Item{count}', count, kinds, ['shop'])
                items = [model(title='t' * 60, shop=f'{at % 480}') for at in range(ASKED)]
                pks = model.saver.save(items)
                shops = [model.objects.filter(shop=f'{at % 480}').all for at in range(QUERIES)]
                servers, client = _cpu(cluster, shops, QUERIES, WARM)
                name = f'query, {count} on {primaries}' if count else 'query of a plain model'
                yield f'{name}, us', sum(servers)
                if primaries == 1:
                    yield f'{name}, us of the client', client
            if primaries == PRIMARIES[-1]:
                last = [pk for pk in pks if pk % count == count - 1]
                gets = [partial(model.objects.get, pk) for pk in islice(cycle(last), QUERIES)]
                yield 'pointer, us of the home', _cpu(cluster, gets, QUERIES, WARM)[0][0]


def _model(cluster: Cluster, name: str, partitions: int, kinds: Any, indexed: Any) -> Any:
    return model_of(cluster.params, kinds, [*indexed], KEY_NAME=name, PARTITIONS=partitions)


def _products(model: Any) -> list[Any]:
    def row(at: int) -> Any:
        texts = {name: f'{at * 7919:0{size}}' for name, size in LONG.items()}
        values = {name: f'{name}-{at * 31 % of:05}' for name, of in VALUES.items()}
        return model(**texts, **values, created='2026-11-29 12:00:00', price=at % 90_000)

    return [row(at) for at in range(ROWS)]


def _cpu(
    cluster: Cluster, calls: list[Callable[[], Any]], per: int = CALLS, warm: int = 0
) -> tuple[list[float], float]:
    """Return the microseconds of CPU of each server, and of this process.

    :param per: the result is for one of so many
    :param warm: calls that are made once before
    """
    for call in calls[:warm]:
        call()
    pids = [node.process.pid for node in cluster.nodes if node.process]
    before, start = [*map(cpu_seconds, pids)], time.process_time()
    for call in calls:
        call()
    client = time.process_time() - start
    servers = [cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
    return [each / per * 1e6 for each in servers], client / per * 1e6


def _until_expired(client: Any) -> None:
    while client.info('keyspace')['db0']['expires'] > 100:
        time.sleep(0.1)


if __name__ == '__main__':
    for costs in (rows, queries):
        for name, value in costs(sys.argv[1]):
            print(f'"{name}",{value:.3g}', flush=True)
