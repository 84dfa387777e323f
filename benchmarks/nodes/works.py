"""Work on the only node of a cluster: found by a route, or connected to as if it were alone.

Both subjects talk to the same server, under names of equal length. So the ratio is the price of the
route.
"""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import cycle
from typing import Any

import redis

from ..results import US
from ..rows.dataset import make
from ..running.work import Job, Served, Work
from ..subjects.library import Subject

ROWS = 1000


class Node(Served):
    """Tracks on the node. The subject says whether the node is found by a route.

    :param node: its connection parameters
    """

    def __init__(self, node: dict[str, Any], **config: Any) -> None:
        super().__init__(**config)
        self.client = redis.Redis(**node)
        self.data = make('tracks', ROWS)
        routed = self.subject == US
        params = {**node, 'cluster': True} if routed else node
        self.model: Any = Subject(params, self.data).model
        self.model.KEY_NAME = '{Route}' if routed else '{Alone}'

    def fill(self) -> None:
        """Store the rows."""
        self.pks = self.model.reset(self._rows())

    def _rows(self) -> list[Any]:
        return [self.model(**row) for row in self.data.dicts()]

    def works(self, group: str) -> Iterable[Work]:
        """Return the works of ``cluster``."""
        objects, pks = self.model.objects, cycle(self.pks)
        filters, hits = self.data.query(10)
        yield self._calls('get(pk)', lambda: objects.get(next(pks)))
        yield self._calls(f'filter().all() of {hits} rows', objects.filter(**filters).all)
        yield self._calls(
            'save() of one changed indexed field', self._saver(objects.get(next(pks)))
        )
        yield self._work(f'reset of {ROWS:,}', lambda: partial(self.model.reset, self._rows()))

    def _saver(self, obj: Any) -> Callable[[], Any]:
        name = self.data.changed
        values = cycle({row[name] for row in self.data.dicts() if row[name] is not None})

        def save() -> None:
            setattr(obj, name, next(values))
            obj.save()

        return save

    def _calls(self, name: str, call: Callable[[], Any]) -> Work:
        def run() -> None:
            for _ in range(self.sizes.calls):
                call()

        return self._work(name, lambda: run, per=self.sizes.calls, unit='us')

    def _work(self, name: str, prepare: Callable[[], Any], **how: Any) -> Work:
        rounds = 3 * self.sizes.rounds
        return Work(name, lambda: Job(prepare()), rounds=rounds, turns=name, **how)


serve = Node
