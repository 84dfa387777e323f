"""Ask models that are spread for the same rows, and replace these."""

from collections.abc import Iterator
from functools import partial
from itertools import cycle
from typing import Any

from ..results import PLAIN
from ..running.work import Job, Served, Work
from ..subjects.library import model_of
from .loads import load_shared
from .rows import FEW, INDEXED, KINDS, MANY, rows

ALONE = 'the node alone'
PARTITIONS = 48  # of a model that several processes load
WORKERS = {PLAIN: 0, '1 worker': 1, '2 workers': 2, '3 workers': 3}
PAGE = 20


class Spread(Served):
    """Items of one model. Its subject says how it is spread, as in :mod:`.measure`.

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
            INDEXED,
            SORTED_FIELDS=['price'],
            KEY_NAME=f'{{{self.subject:_<14}}}Item',  # equally long for all
            PARTITIONS=PARTITIONS if self.workers else partitions,
        )
        self.rows = rows(count)
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
            yield self.timed(name, call, times, _shown, unit='us', rounds=self.sizes.slow)

    def cluster(self) -> Iterator[Work]:
        """Yield works on one node; what they take depends on its route."""
        objects, pks, times = self.model.objects, cycle(self.pks), self.sizes.calls
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
            yield self.timed(name, call, times, unit='us', rounds=rounds, turns=name)
        name = f'reset of {len(self.rows):,}'
        yield Work(
            name, lambda: Job(partial(self.model.reset, self._items())), rounds=rounds, turns=name
        )

    def loads(self) -> Iterator[Work]:
        """Yield a reset, by this process or by workers."""
        count = len(self.rows)

        def prepare() -> Job:
            """Store rows to replace; nothing of an earlier round is left to expire meanwhile."""
            for node in self.nodes:
                node.flushall()
            load()
            return Job(load, more=lambda busiest, _: {'busiest primary': busiest})

        def load() -> float:
            """Replace all rows; return the microseconds that the busiest primary takes for one."""
            before = self.node_seconds()
            if self.workers:
                load_shared(self.model, self.rows, self.workers)
            else:
                self.model.reset(self.model(**row) for row in self.rows)
            used = (now - then for now, then in zip(self.node_seconds(), before, strict=True))
            return 1e6 * max(used) / count

        name = f'reset of {count:,}, {self.where}'
        yield Work(name, prepare, per=count, unit='us', rounds=self.sizes.slow, turns='loads')

    def _items(self) -> list[Any]:
        return [self.model(**row) for row in self.rows]


serve = Spread


def _shown(answer: Any) -> Any:
    """Return a count, or the prices of the objects."""
    return answer if isinstance(answer, int) else [each.price for each in answer]
