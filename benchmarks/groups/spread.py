"""Measure what it costs that a model is spread: over partitions, primaries, or a cluster at all."""

import random
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import cycle
from multiprocessing import get_context
from typing import Any

from IndexedRedis.managers.editions import beginEdition, commitEdition, stageEdition
from IndexedRedis.testing.clusters import start_cluster

from .. import machine
from ..results import PLAIN, US, Result
from ..running.run import Run
from ..running.served import Served, Work
from ..running.turns import compare
from ..subjects.library import model_of

ALONE = 'the node alone'
CORES = {1: 'together', 3: 'free'}  # of the servers of a cluster, by its primaries
COUNTS = (2, 6, 12, 24, 48, 96)  # partitions
PARTITIONS = 48  # of a model that several processes load
WORKERS = {PLAIN: 0, '1 worker': 1, '2 workers': 2, '3 workers': 3}
ROWS = 1_000  # on the only node
KINDS = {'name': 'str', 'few': 'str', 'many': 'str', 'price': 'int'}
FEW, MANY = 10, 1_000  # rows that share a value
PAGE, SEED = 20, 11


def cluster(run: Run) -> Iterator[Result]:
    """Time works on the node of a cluster, which is found by a route, or connected to alone."""
    yield from _measured(run, 'cluster', [US, ALONE], ROWS, primaries=1)


def partitions(run: Run) -> Iterator[Result]:
    """Ask models with more and more partitions; then replace the rows of models.

    The results are CPU times, which a busy machine changes least.
    """
    for group, names, primaries in (
        ('partitions', [PLAIN, *map(str, COUNTS)], 0),
        ('loads', WORKERS, 0),
        ('loads', WORKERS, 3),
    ):
        for result in _measured(run, group, names, run.sizes.rows // 5, primaries):
            used = result.more['client CPU'], result.more['server CPU']
            samples = {
                name: [sum(pair) for pair in zip(*(each[name] for each in used), strict=True)]
                for name in result.samples
            }
            yield Result(result.work, 'us of CPU', samples, result.more)


def _measured(
    run: Run, group: str, names: Iterable[str], count: int, primaries: int
) -> Iterator[Result]:
    """Measure models with so many rows, on the server of the run or on a cluster."""
    with ExitStack() as stack:
        nodes = []
        if primaries:
            nodes = stack.enter_context(start_cluster(primaries=primaries, replicas=0)).primaries
        for node in nodes:
            machine.place(node.process and node.process.pid, CORES[primaries])
        crew = run.crew('spread', names, nodes=[node.params for node in nodes], count=count)
        yield from compare(run, group, crew)
        run.dismiss()


class Spread(Served):
    """Items of one model. Its subject says how it is spread: partitions, workers or a route.

    :param nodes: of a cluster; none: the model is on the server of the run
    :param count: how many rows there are
    """

    def __init__(self, nodes: list[dict[str, Any]], count: int, **config: Any) -> None:
        super().__init__(nodes=nodes, **config)
        self.workers = WORKERS.get(self.subject, 0)
        routed = {'cluster': True} if self.subject != ALONE else {}
        partitions = int(self.subject) if self.subject.isdigit() else 0
        how = {
            'SORTED_FIELDS': ['price'],
            'KEY_NAME': f'{{{self.subject:_<14}}}Item',  # equally long for all
            'PARTITIONS': PARTITIONS if self.workers else partitions,
        }
        connection = {**nodes[0], **routed} if nodes else self.connection
        self.model = model_of(connection, KINDS, ['few', 'many'], **how)
        # Groups of rows share a value; prices are unique. Every process has the same order.
        few, many = (max(1, count // size) for size in (FEW, MANY))
        self.rows = [
            {'name': f'Item {n}', 'few': str(n % few), 'many': str(n % many), 'price': n}
            for n in random.Random(SEED).sample(range(count), count)
        ]
        self.where = f'{len(nodes)} primaries' if nodes else 'one server'

    def fill(self) -> None:
        """Store the rows."""
        self.pks = cycle(self.model.saver.save(self._items()))

    def partitions(self) -> Iterator[Work]:
        """Yield queries that ask all partitions."""
        objects, many = self.model.objects, self.sizes.calls
        page = objects.orderBy('price')
        for name, times, call in (
            ('get(pk)', many, lambda: [objects.get(next(self.pks))]),
            ('filter().count()', many, objects.filter(few='3').count),
            (f'filter().all() of {FEW} rows', many, objects.filter(few='3').all),
            (f'filter().all() of {MANY:,} rows', many // 10, objects.filter(many='0').all),
            (f'page of {PAGE} by order', many, lambda: page.page(size=PAGE)),
        ):
            yield self.timed(name, call, times, answer=_shown, unit='us', rounds=self.sizes.slow)

    def cluster(self) -> Iterator[Work]:
        """Yield works on one node; what they take depends on its route."""
        objects = self.model.objects
        values, obj = cycle(map(str, range(len(self.rows) // FEW))), objects.get(next(self.pks))

        def save() -> None:
            obj.few = next(values)
            obj.save()

        rounds = 3 * self.sizes.rounds
        for name, call in (
            ('get(pk)', lambda: objects.get(next(self.pks))),
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

        def stage(worker: int) -> None:
            objects = (self.model(**row) for row in self.rows[worker :: self.workers])
            stageEdition(edition, [(self.model, objects)])

        processes = [fork.Process(target=stage, args=[at]) for at in range(self.workers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            raise SystemExit('a worker failed; its error stands above')
        commitEdition(edition, {self.model: len(self.rows)})

    def _items(self) -> list[Any]:
        return [self.model(**row) for row in self.rows]


serve = Spread


def _shown(answer: Any) -> Any:
    """Return a count, or the prices of the objects."""
    return answer if isinstance(answer, int) else [each.price for each in answer]
