"""Time operations on rows: reading, counting, saving, deleting, resetting; and how they grow."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import redis

from ..dataset import BY_ARTIST, Dataset, make
from ..results import BEFORE, BY_HAND, OLD, US, Result
from ..run import Run
from ..running.clients import Ask, load
from ..running.served import Served, Work
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
    for result in compare(run, 'operations', _crew(run, *run.subjects)):
        if result.work == 'import':
            result.note = (
                'By hand: import redis, which for IndexedRedis follows at the first connection, as '
                'what queries need does at the first Model.objects.'
            )
        yield from wait_and_total(result) if 'PINGs' in result.more else [result]


def growth(run: Run) -> Iterator[Result]:
    """Time an object of ever larger results, and small reads among other programs' keys."""
    crew = _crew(run, *run.subjects)
    yield from compare(run, 'growth', [each for each in crew if each.name in TIMED_BY_THE_OBJECT])


def asyncio(run: Run) -> Iterator[Result]:
    """Have a hundred clients ask at a time."""
    data = make('tracks', ARTISTS * BY_ARTIST)
    crew = run.crew('rows', run.chosen(*TIMED_BY_THE_OBJECT), data=data)
    for result in compare(run, 'asyncio', crew):
        result.note = '6.0.3 has no asyncio: threads. By hand: redis.asyncio.'
        yield result


def _crew(run: Run, *names: str) -> list[Any]:
    return run.crew('rows', names, data=make(run.options.data, run.sizes.rows))


class Rows(Served):
    """``shelf`` has all rows; ``scratch``, in a database of its own, is written to."""

    def __init__(self, data: Dataset, **config: Any) -> None:
        super().__init__(**config)
        self.data, self.query, self.names = data, cache(data.query), [*data.kinds]
        beside = {**self.connection, 'db': self.connection['db'] + 1}
        self.scratch_client = redis.Redis(**beside)
        self.shelf = subject_of(self.subject, self.connection, data)
        self.scratch = subject_of(self.subject, beside, data)
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
        others = f', among {OTHERS * self.sizes.rows:,} other keys'
        both = (works.small(self, subject) for subject in (self.shelf, self.scratch))
        for alone, among in zip(*both, strict=True):
            how: dict[str, Any] = {'turns': 'others', 'reads': False}
            yield replace(alone, **how)
            yield replace(among, name=among.name + others, prepare=self._crowd, **how)

    def asyncio(self) -> Iterator[Work]:
        """Yield what many clients ask: for the objects of an artist, then for an object by pk."""
        subject = subject_of(self.subject, self.connection, self.data, connections=CONNECTIONS)
        read = subject.reader(self.data.three)
        numbers = Random(ARTISTS).choices(range(1, ARTISTS), k=self.sizes.questions)
        for title, method, asked, shown in (
            (
                f'filter(artist=...): {BY_ARTIST} rows',
                'select',
                lambda number: {'artist': f'Artist {number}'},
                lambda objects: [*map(read, objects)],
            ),
            ('get(pk)', 'get', int, lambda found: [read(found)]),
        ):
            name = f'{title}, {CLIENTS} at a time on asyncio'
            for way, ask in _ways(subject, method, asked, shown).items():
                how = {'unit': 'queries/s', 'rounds': self.sizes.rounds, 'way': way}
                yield load(name, ask, CLIENTS, numbers, self.sizes.seconds, **how)

    def ask(self, method: str, *args: Any) -> Any:
        """Call a method that a subject may lack, on all rows."""
        return getattr(self.shelf, method)(*args)

    def rows(self, count: int | None = None) -> list[Row]:
        """Return the first rows, with the subject's nulls."""
        return self.shelf.given(self.data.dicts(count))

    def stored(self, *values: Any) -> Callable[[Any], Any]:
        """Return a call that reads the objects with these values of the changed field.

        Without values it reads those that share the value of the first row.
        """
        name, read = self.data.changed, self.scratch.reader(self.names)
        chosen = values or [self.rows(1)[0][name]]
        return lambda done: [
            read(each) for value in chosen for each in self.scratch.select({name: value})
        ]

    def emptied(self, prepare: Callable[[], Any]) -> Any:
        """Empty the database that is written to, then prepare a work."""
        self.scratch_client.flushdb()
        return prepare()

    def _crowd(self) -> None:
        """Store the same rows among keys of other programs."""
        if not self.crowded:
            self.crowded = True
            self.scratch_client.flushdb()
            self.scratch.fill(self.rows())
            others = OTHERS * self.sizes.rows
            for start in range(0, others, STEP):
                self.scratch_client.eval(FILL, 0, start, min(start + STEP, others) - 1)


serve = Rows


def _ways(
    subject: Any, method: str, asked: Callable[[int], Any], shown: Callable[[Any], Any]
) -> dict[str, Ask]:
    """Return how a subject is asked for a number: by tasks, by threads, or by both."""
    find, afind = getattr(subject, method), getattr(subject, f'a{method}', None)

    async def task(number: int) -> Any:
        return shown(await afind(asked(number)))

    def thread(number: int) -> Any:
        return shown(find(asked(number)))

    ways: dict[str, Ask] = {} if 'asyncio' in subject.cannot else {'': task}
    if 'threads' not in subject.cannot:
        ways[', threads' if ways else ''] = thread
    return ways
