"""Time operations on rows: reading, counting, saving, deleting, resetting; and how they grow."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from random import Random
from typing import Any

import redis

from ..dataset import BY_ARTIST, Dataset, make
from ..results import BEFORE, BY_HAND, OLD, US, Result
from ..run import Run
from ..running.clients import load
from ..running.served import Job, Served, Work
from ..running.turns import compare, wait_and_total
from ..subjects import Row, subject_of
from . import operations as works

TIMED_BY_THE_OBJECT = (US, BEFORE, OLD, BY_HAND)
OTHERS = 10  # keys of other programs, for each row of ours
STEP = 10_000
FILL = """
for i = ARGV[1], ARGV[2] do redis.call('set', 'other:' .. i, 'a value of twenty bytes') end
"""
ARTISTS, CLIENTS, CONNECTIONS = 200, 100, 16


def operations(run: Run) -> Iterator[Result]:
    """Time each operation."""
    for result in compare(run, 'operations', _crew(run)):
        if result.work == 'import':
            result.note = (
                'By hand: import redis, which for IndexedRedis follows at the first connection, as '
                'what queries need does at the first Model.objects.'
            )
        yield from wait_and_total(result) if 'PINGs' in result.more else [result]


def growth(run: Run) -> Iterator[Result]:
    """Time an object of ever larger results, and small reads among other programs' keys."""
    processes = [each for each in _crew(run) if each.name in TIMED_BY_THE_OBJECT]
    yield from compare(run, 'growth', processes)


def asyncio(run: Run) -> Iterator[Result]:
    """Have a hundred clients ask at a time."""
    chosen = run.chosen(*TIMED_BY_THE_OBJECT)
    crew = run.crew('rows', chosen, data=make('tracks', ARTISTS * BY_ARTIST))
    for result in compare(run, 'asyncio', crew):
        result.note = '6.0.3 has no asyncio: threads. By hand: redis.asyncio.'
        yield result


def _crew(run: Run) -> list[Any]:
    return run.crew('rows', run.subjects, data=make(run.options.data, run.sizes.rows))


class Rows(Served):
    """``shelf`` has all rows; ``scratch``, in a database of its own, is written to."""

    def __init__(self, data: Dataset, **config: Any) -> None:
        super().__init__(**config)
        self.data = data
        self.query = cache(self.data.query)
        self.names = list(self.data.kinds)
        beside = {**self.connection, 'db': self.connection['db'] + 1}
        self.scratch_client = redis.Redis(**beside)
        self.shelf = subject_of(self.subject, self.connection, self.data)
        self.scratch = subject_of(self.subject, beside, self.data)
        self.cannot, self.keeps_nulls = self.shelf.cannot, self.shelf.keeps_nulls
        self.crowded = False

    def fill(self) -> None:
        """Store all rows, for the works that read."""
        print(f'{self.subject}: storing {len(self.data.rows):,} rows ...', flush=True)
        self.shelf.fill(self.rows())

    def operations(self) -> Iterator[Work]:
        """Yield all operations, in the order of the table."""
        yield from works.reads(self)
        yield from works.writes(self)
        yield from works.resets(self)
        yield works.memory(self)
        yield works.imports(self)

    def growth(self) -> Iterator[Work]:
        """Yield reads of more and more objects, then small reads with and without others' keys."""
        yield from works.larger(self)
        name = f'{{}}, among {OTHERS * self.sizes.rows:,} other keys'
        both = (works.small(self, subject) for subject in (self.shelf, self.scratch))
        for alone, among in zip(*both, strict=True):
            how = {'turns': 'others', 'reads': False}
            yield replace(alone, **how)
            crowd = partial(self._crowd, among.prepare)
            yield replace(among, name=name.format(among.name), prepare=crowd, **how)

    def asyncio(self) -> Iterator[Work]:
        """Yield what many clients ask: for the objects of an artist, then for an object by pk."""
        subject = subject_of(self.subject, self.connection, self.data, connections=CONNECTIONS)
        read = subject.reader(self.data.three)

        def select(number: int) -> list[Any]:
            return [*map(read, subject.select({'artist': f'Artist {number}'}))]

        async def aselect(number: int) -> list[Any]:
            return [*map(read, await subject.aselect({'artist': f'Artist {number}'}))]

        def get(number: int) -> list[Any]:
            return [read(subject.get(number))]

        async def aget(number: int) -> list[Any]:
            return [read(await subject.aget(number))]

        numbers = Random(ARTISTS).choices(range(1, ARTISTS), k=self.sizes.questions)
        how = {'unit': 'queries/s', 'rounds': self.sizes.rounds, 'warm_up': 2}
        for title, on_asyncio, in_threads in (
            (f'filter(artist=...): {BY_ARTIST} rows', aselect, select),
            ('get(pk)', aget, get),
        ):
            ways = {'': on_asyncio, ', threads': in_threads}
            if 'asyncio' in subject.cannot:
                ways = {'': in_threads}
            elif self.subject == BY_HAND:
                ways = {'': on_asyncio}
            for way, ask in ways.items():
                prepare = partial(load, ask, CLIENTS, numbers, self.sizes.seconds)
                name = f'{title}, {CLIENTS} at a time on asyncio'
                yield Work(name, prepare, way, 'load', **how)

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
