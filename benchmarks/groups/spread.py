"""Measure what it costs that a model is spread: over partitions, primaries, or a cluster at all."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from multiprocessing import get_context
from typing import Any

from IndexedRedis.managers.editions import Edition, beginEdition, commitEdition, stageEdition
from IndexedRedis.testing.clusters import start_cluster

from .. import machine
from ..results import PLAIN, US, Result
from ..run import Run
from ..running.served import Served, Work
from ..running.turns import compare
from ..subjects.library import model_of

ALONE = 'the node alone'
COUNTS = (2, 6, 12, 24, 48, 96)  # partitions
PARTITIONS = 48  # of a model that several processes load
WORKERS = {PLAIN: 0, '1 worker': 1, '2 workers': 2, '3 workers': 3}
ROWS = 1_000  # on the only node
KINDS = {'name': 'str', 'few': 'str', 'many': 'str', 'price': 'int'}
FEW, MANY = 10, 1_000  # rows that share a value
PAGE, SEED = 20, 11


def cluster(run: Run) -> Iterator[Result]:
    """Time works on the node of a cluster, which is found by a route, or connected to alone."""
    with _primaries(run, 1, 'together') as nodes:
        crew = run.crew('spread', [US, ALONE], nodes=nodes, count=ROWS)
        yield from compare(run, 'cluster', crew)


def partitions(run: Run) -> Iterator[Result]:
    """Ask models with more and more partitions; then replace the rows of models.

    The results are CPU times, which a busy machine changes least.
    """
    count = run.sizes.rows // 5
    crew = run.crew('spread', [PLAIN, *map(str, COUNTS)], nodes=[], count=count)
    yield from map(_by_cpu, compare(run, 'partitions', crew))
    crew = run.crew('spread', WORKERS, nodes=[], count=count)
    yield from map(_by_cpu, compare(run, 'loads', crew))
    with _primaries(run, 3, 'free') as nodes:
        crew = run.crew('spread', WORKERS, nodes=nodes, count=count)
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


class Spread(Served):
    """Items of one model. Its subject says how it is spread: partitions, workers or a route.

    :param nodes: of a cluster; none: the model is on the server of the run
    :param count: how many rows there are
    """

    def __init__(self, nodes: list[dict[str, Any]], count: int, **config: Any) -> None:
        super().__init__(nodes=nodes, **config)
        self.workers = WORKERS.get(self.subject, 0)
        partitions = int(self.subject) if self.subject.isdigit() else 0
        routed = {'cluster': True} if self.subject != ALONE else {}
        self.model = model_of(
            {**nodes[0], **routed} if nodes else self.connection,
            KINDS,
            ['few', 'many'],
            SORTED_FIELDS=['price'],
            KEY_NAME=f'{{{self.subject:_<14}}}Item',  # equally long for all
            PARTITIONS=PARTITIONS if self.workers else partitions,
        )
        # Groups of rows share a value; prices are unique. Every process has the same order.
        few, many = (max(1, count // size) for size in (FEW, MANY))
        self.rows = [
            {'name': f'Item {n}', 'few': str(n % few), 'many': str(n % many), 'price': n}
            for n in random.Random(SEED).sample(range(count), count)
        ]
        self.where = f'{len(nodes)} primaries' if nodes else 'one server'

    def fill(self) -> None:
        """Store the rows."""
        self.pks = self.model.saver.save(self._items())

    def partitions(self) -> Iterator[Work]:
        """Yield queries that ask all partitions."""
        objects, pks, many = self.model.objects, cycle(self.pks), self.sizes.calls
        page = objects.orderBy('price')
        for name, times, call in (
            ('get(pk)', many, lambda: [objects.get(next(pks))]),
            ('filter().count()', many, objects.filter(few='3').count),
            (f'filter().all() of {FEW} rows', many, objects.filter(few='3').all),
            (f'filter().all() of {MANY:,} rows', many // 10, objects.filter(many='0').all),
            (f'page of {PAGE} by order', many, lambda: page.page(size=PAGE)),
        ):
            yield self.timed(name, call, times, answer=_shown, unit='us', rounds=self.sizes.slow)

    def cluster(self) -> Iterator[Work]:
        """Yield works on one node; what they take depends on its route."""
        objects, pks = self.model.objects, cycle(self.pks)
        values, obj = cycle(map(str, range(len(self.rows) // FEW))), objects.get(self.pks[0])

        def save() -> None:
            obj.few = next(values)
            obj.save()

        rounds = 3 * self.sizes.rounds
        for name, call in (
            ('get(pk)', lambda: objects.get(next(pks))),
            (f'filter().all() of {FEW} rows', objects.filter(few='3').all),
            ('save() of one changed indexed field', save),
        ):
            how = {'unit': 'us', 'rounds': rounds, 'turns': name}
            yield self.timed(name, call, self.sizes.calls, **how)
        name = f'reset of {len(self.rows):,}'
        yield Work(name, self.model.reset, self._items, rounds=rounds, turns=name)

    def loads(self) -> Iterator[Work]:
        """Yield a reset, by this process or by workers."""
        count = len(self.rows)

        def prepare() -> None:
            """Store rows to replace; nothing of an earlier round is left to expire meanwhile."""
            for node in self.nodes:
                node.flushall()
            load()

        def load() -> float:
            """Replace all rows; return the microseconds that the busiest primary takes for one."""
            before = self.node_seconds()
            if self.workers:
                self._load_shared()
            else:
                self.model.reset(self.model(**row) for row in self.rows)
            used = (now - then for now, then in zip(self.node_seconds(), before, strict=True))
            return 1e6 * max(used) / count

        name = f'reset of {count:,}, {self.where}'
        how = {'per': count, 'unit': 'us', 'rounds': self.sizes.slow, 'turns': 'loads'}
        yield Work(name, load, prepare, more=lambda used: {'busiest primary': used}, **how)

    def _load_shared(self) -> None:
        """Replace all rows in several processes, which make the objects as they are needed."""
        edition, fork = beginEdition([self.model]), get_context('fork')
        processes = [
            fork.Process(target=self._stage, args=(edition, at)) for at in range(self.workers)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            raise SystemExit('a worker failed; its error stands above')
        commitEdition(edition, {self.model: len(self.rows)})

    def _stage(self, edition: Edition, worker: int) -> None:
        objects = (self.model(**row) for row in self.rows[worker :: self.workers])
        stageEdition(edition, [(self.model, objects)])

    def _items(self) -> list[Any]:
        return [self.model(**row) for row in self.rows]


serve = Spread


def _shown(answer: Any) -> Any:
    """Return a count, or the prices of the objects."""
    return answer if isinstance(answer, int) else [each.price for each in answer]
