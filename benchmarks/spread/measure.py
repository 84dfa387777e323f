"""Measure queries and resets of models that are spread, beside one that is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IndexedRedis.testing.clusters import start_cluster

from .. import machine
from ..results import PLAIN, US, Result
from ..run import Run
from ..running.turns import compare
from .works import ALONE, WORKERS

COUNTS = (2, 6, 12, 24, 48, 96)
PRIMARIES = 3
ROWS = 1_000  # on the only node


def cluster(run: Run) -> Iterator[Result]:
    """Time works on the node of a cluster, which is found by a route, or connected to alone."""
    with _primaries(run, 1, 'together') as nodes:
        crew = run.crew('spread.works', [US, ALONE], nodes=nodes, count=ROWS)
        yield from compare(run, 'cluster', crew)


def partitions(run: Run) -> Iterator[Result]:
    """Ask models with more and more partitions; then replace the rows of models.

    The results are CPU times, which a busy machine changes least.
    """
    count = run.sizes.rows // 5
    crew = run.crew('spread.works', [PLAIN, *map(str, COUNTS)], nodes=[], count=count)
    yield from map(_by_cpu, compare(run, 'partitions', crew))
    crew = run.crew('spread.works', WORKERS, nodes=[], count=count)
    yield from map(_by_cpu, compare(run, 'loads', crew))
    with _primaries(run, PRIMARIES, 'free') as nodes:
        crew = run.crew('spread.works', WORKERS, nodes=nodes, count=count)
        yield from map(_by_cpu, compare(run, 'loads', crew))


@contextmanager
def _primaries(run: Run, count: int, cores: str) -> Iterator[list[dict[str, Any]]]:
    """Give connection parameters of the primaries of a cluster, which runs as long as the block."""
    with start_cluster(primaries=count, replicas=0) as started:
        for node in started.primaries:
            machine.place(node.process and node.process.pid, cores)
        yield [node.params for node in started.primaries]
        run.dismiss()


def _by_cpu(result: Result) -> Result:
    """Return the CPU time of client and server in place of the time that passed."""
    used = result.more['client CPU'], result.more['server CPU']
    samples = {
        name: [sum(pair) for pair in zip(*(each[name] for each in used), strict=True)]
        for name in result.samples
    }
    return Result(result.work, 'us of CPU', samples, result.more)
