"""Time how reads grow, with their results and with the keys of others; and with many clients."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from ..dataset import BY_ARTIST, make
from ..results import BEFORE, BY_HAND, OLD, US, Result
from ..running.clients import Ask, load
from ..running.run import Run
from ..running.served import Work
from ..running.turns import compare
from ..subjects import subject_of
from .rows import Rows

NAMES = (US, BEFORE, OLD, BY_HAND)
FEW = 20  # rows of a small result
OTHERS = 10  # keys of other programs, for each row of ours
STEP = 10_000
FILL = """
for i = ARGV[1], ARGV[2] do redis.call('set', 'other:' .. i, 'a value of twenty bytes') end
"""
ARTISTS, CLIENTS, CONNECTIONS = 200, 100, 16


def growth(run: Run) -> Iterator[Result]:
    """Time an object of ever larger results, and small reads among other programs' keys."""
    data = make(run.options.data, run.sizes.rows)
    yield from compare(run, 'growth', run.crew('growth', run.chosen(*NAMES), data=data))


def asyncio(run: Run) -> Iterator[Result]:
    """Have a hundred clients ask at a time."""
    data = make('tracks', ARTISTS * BY_ARTIST)
    for result in compare(run, 'asyncio', run.crew('growth', run.chosen(*NAMES), data=data)):
        result.note = '6.0.3 has no asyncio: threads. By hand: redis.asyncio.'
        yield result


class Growth(Rows):
    """Reads of one subject."""

    crowded = False

    def growth(self) -> Iterator[Work]:
        """Yield reads of more and more objects, then small reads with and without others' keys."""
        for filters, hits in [*map(self.query, self.sizes.reads), ({}, self.sizes.rows)]:
            if hits > FEW:
                work = self.select(self.shelf, filters, hits, self.names)
                name, per = f'an object, of {hits:,}', work.per * hits
                how: dict[str, Any] = {'unit': 'us', 'rounds': self.sizes.slow, 'reads': False}
                yield replace(work, name=name, per=per, turns='objects', **how)
        others = f', among {OTHERS * self.sizes.rows:,} other keys'
        for alone, among in zip(self._small(self.shelf), self._small(self.scratch), strict=True):
            how = {'turns': 'others', 'reads': False}
            yield replace(alone, **how)
            yield replace(among, name=among.name + others, prepare=self._crowd, **how)

    def _small(self, subject: Any) -> Iterator[Work]:
        """Yield reads of few objects."""
        yield self.get(subject)
        for filters, hits in map(self.query, self.sizes.reads):
            if hits <= FEW:
                yield self.select(subject, filters, hits, self.names)

    def _crowd(self) -> None:
        """Store the same rows among keys of other programs."""
        if not self.crowded:
            self.crowded = True
            self.scratch_client.flushdb()
            self.scratch.fill(self.rows())
            others = OTHERS * self.sizes.rows
            for start in range(0, others, STEP):
                self.scratch_client.eval(FILL, 0, start, min(start + STEP, others) - 1)

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


serve = Growth


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
