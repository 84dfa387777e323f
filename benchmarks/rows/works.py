"""Hold the rows of a subject, and list its works on them, in its process."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import redis

from ..running.work import Job, Served, Work
from ..subjects import Row, make
from . import many, reads, writes
from .dataset import load

OTHERS = 10  # keys of other programs, for each row of ours
STEP = 10_000
FILL = """
for i = ARGV[1], ARGV[2] do redis.call('set', 'other:' .. i, 'a value of twenty bytes') end
"""


class Rows(Served):
    """``shelf`` has all rows; ``scratch``, in a database of its own, is written to.

    :param data: the file of the rows
    """

    def __init__(self, data: str, **config: Any) -> None:
        super().__init__(**config)
        self.data = load(data)
        self.query = cache(self.data.query)
        self.names = list(self.data.kinds)
        beside = {**self.connection, 'db': self.connection['db'] + 1}
        self.scratch_client = redis.Redis(**beside)
        self.shelf = make(self.subject, self.connection, self.data)
        self.scratch = make(self.subject, beside, self.data)
        self.keeps_nulls = self.shelf.keeps_nulls
        self.crowded = False

    def works(self, group: str) -> list[Work]:
        """Return the works of a group that the subject can do."""
        cannot = self.shelf.cannot
        return [
            work
            for work in super().works(group)
            if not {work.needs, work.needs.split('_')[0]} & cannot
        ]

    def operations(self) -> Iterator[Work]:
        """Yield all operations, in the order of the table."""
        yield from reads.reads(self)
        yield from writes.writes(self)
        yield from writes.resets(self)
        yield reads.memory(self)
        yield reads.imports(self)

    def growth(self) -> Iterator[Work]:
        """Yield reads of more and more objects, then small reads with and without others' keys."""
        yield from reads.larger(self)
        name = f'{{}}, among {OTHERS * self.sizes.rows:,} other keys'
        both = (reads.small(self, subject) for subject in (self.shelf, self.scratch))
        for alone, among in zip(*both, strict=True):
            how = {'turns': 'others', 'reads': False}
            yield replace(alone, **how)
            crowd = partial(self._crowd, among.prepare)
            yield replace(among, name=name.format(among.name), prepare=crowd, **how)

    def asyncio(self) -> Iterator[Work]:
        """Yield the questions of many clients."""
        return many.questions(self)

    def fill(self) -> None:
        """Store all rows, for the works that read."""
        print(f'{self.subject}: storing {len(self.data.rows):,} rows ...', flush=True)
        self.shelf.fill(self.rows())

    def ask(self, method: str, *args: Any) -> Any:
        """Call a method that a subject may lack, on all rows."""
        return getattr(self.shelf, method)(*args)

    def rows(self, start: int = 0, stop: int | None = None) -> list[Row]:
        """Return rows with the subject's nulls."""
        return self.shelf.given(self.data.dicts(start, stop))

    def stored(self, example: Row) -> Callable[[Any], Any]:
        """Return a call that reads the objects which share the changed field with an example."""
        name, read = self.data.changed, self.scratch.reader(self.names)
        return lambda done: [read(each) for each in self.scratch.select({name: example[name]})]

    def _crowd(self, prepare: Callable[[], Job]) -> Job:
        """Prepare a job on the same rows among keys of other programs."""
        if not self.crowded:
            self.crowded = True
            self.scratch_client.flushdb()
            self.scratch.fill(self.rows())
            others = OTHERS * self.sizes.rows
            for start in range(0, others, STEP):
                self.scratch_client.eval(FILL, 0, start, min(start + STEP, others) - 1)
        return prepare()


serve = Rows
