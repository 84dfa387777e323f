"""List and prepare what is timed of operations on rows, in the process of a subject.

Sizes of results come from the data: of each size the nearest there is.
"""

import copy
import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import redis

from ..running.serving import plain
from ..running.work import Job, Served, Work
from ..subjects import Row, make
from .dataset import load
from .writes import resets, writes

FEW = 20  # rows of a small result
OTHERS = 10  # keys of other programs, for each row of ours
STEP = 10_000
FILL = """
for i = ARGV[1], ARGV[2] do redis.call('set', 'other:' .. i, 'a value of twenty bytes') end
"""
IMPORT = (
    'import sys, time; sys.path[:0] = {path!r}; began = time.perf_counter(); import {module}; '
    'print(time.perf_counter() - began)'
)


class Context(Served):
    """What works are done on: ``shelf``, which has all rows, and ``scratch``, which is written to.

    :param data: the file of the rows
    :param how: further arguments of the subject
    """

    def __init__(
        self, subject: str, connection: dict[str, Any], sizes: str, data: str, **how: Any
    ) -> None:
        super().__init__(subject, {**connection, 'db': connection['db'] + 1}, sizes)
        self.reads_from = connection
        self.data = load(data)
        self.query = cache(self.data.query)
        self.names = list(self.data.kinds)
        self.shelf = make(subject, connection, self.data, **how)
        self.scratch = make(subject, self.connection, self.data, **how)
        self.questions = _questions(self.shelf, self.data.three)
        self.crowded = False

    def works(self, group: str) -> list[Work]:
        """Return the works of ``operations`` or ``growth`` that the subject can do."""
        works = {'operations': operations, 'growth': growth}[group](self)
        cannot = self.shelf.cannot
        return [each for each in works if not {each.needs, each.needs.split('_')[0]} & cannot]

    def keeps_nulls(self) -> bool:
        """Return whether the subject tells a null from '' and 0."""
        return self.shelf.keeps_nulls

    def fill(self) -> None:
        """Store all rows, for the works that read."""
        print(f'{self.subject}: storing {len(self.data.rows):,} rows ...', flush=True)
        self.shelf.fill(self.rows())

    def rows(self, start: int = 0, stop: int | None = None) -> list[Row]:
        """Return rows with the subject's nulls."""
        return self.shelf.given(self.data.dicts(start, stop))

    def stored(self, example: Row) -> Callable[[Any], Any]:
        """Return a call that reads the objects which share the changed field with an example."""
        name, read = self.data.changed, self.scratch.reader(self.names)
        return lambda done: [read(each) for each in self.scratch.select({name: example[name]})]

    def crowd(self, prepare: Callable[[], Job]) -> Job:
        """Prepare a job on a copy of the rows that lies among keys of other programs."""
        if not self.crowded:
            self.crowded = True
            self.client.flushdb()
            with redis.Redis(**{**self.connection, 'db': self.connection['db'] - 1}) as shelf:
                pipe = shelf.pipeline(transaction=False)
                for key in shelf.scan_iter(count=STEP):
                    pipe.copy(key, key, self.connection['db'])
                    if len(pipe) == STEP:
                        pipe.execute()
                pipe.execute()
            others = OTHERS * self.sizes.rows
            for start in range(0, others, STEP):
                self.client.eval(FILL, 0, start, min(start + STEP, others) - 1)
        return prepare()


serve = Context


def operations(at: Context) -> Iterator[Work]:
    """Yield all operations, in the order of the table."""
    every = (at.data.three, at.names)
    selects = [_select(at, *at.query(size), names) for size in at.sizes.reads for names in every]
    for work in (_get(at), *selects, *_values(at), *_counts(at), *_picks(at)):
        yield replace(work, reads=work.needs != 'random')
    yield from writes(at)
    yield from resets(at)
    yield _memory(at)
    seconds = partial(_import_seconds, at.shelf.module)
    yield Work('import', partial(Job, seconds), how='value', rounds=at.sizes.rounds)


def growth(at: Context) -> Iterator[Work]:
    """Yield reads of more and more objects, then small reads with and without others' keys."""
    results = [at.query(size) for size in at.sizes.reads]
    for filters, hits in [*results, (None, at.sizes.rows)]:
        if hits > FEW:
            work = _select(at, filters, hits, at.names)
            name, per, rounds = f'an object, of {hits:,}', work.per * hits, at.sizes.slow
            yield replace(work, name=name, per=per, unit='us', rounds=rounds, turns='objects')
    beside = copy.copy(at)
    beside.shelf = at.scratch
    small = [result for result in results if result[1] <= FEW]
    alone, crowded = (
        [_get(each), *(_select(each, *result, at.names) for result in small)]
        for each in (at, beside)
    )
    for work, among in zip(alone, crowded, strict=True):
        yield replace(work, turns='others')
        name = f'{work.name}, among {OTHERS * at.sizes.rows:,} other keys'
        yield replace(among, name=name, prepare=partial(at.crowd, among.prepare), turns='others')


def _times(
    call: Callable[[], Any], times: int, answer: Callable[[Any], Any] = lambda returned: returned
) -> Callable[[], Job]:
    """Return what prepares so many calls.

    :param answer: turns what the last one returned into what subjects are compared by
    """

    def run() -> Any:
        for _ in range(times):
            returned = call()
        return returned

    return lambda: Job(run, answer)


def _get(at: Context) -> Work:
    subject, read = at.shelf, at.shelf.reader(at.names)
    pks = range(1, at.sizes.rows, max(1, at.sizes.rows // (2 * at.sizes.calls)))
    get_all = _times(lambda: [read(subject.get(pk)) for pk in pks], 1)
    return Work('get(pk)', get_all, per=len(pks), rounds=at.sizes.rounds)


def _select(at: Context, filters: Row | None, hits: int, names: list[str]) -> Work:
    subject, read, sizes = at.shelf, at.shelf.reader(names), at.sizes
    times = max(1, min(sizes.calls // 2, 10 * sizes.calls // hits))

    def select() -> list[Any]:
        objects = subject.select(filters) if filters else subject.everything()
        return [read(each) for each in objects]

    return Work(
        f'{"filter()." if filters else "objects."}all(), {hits:,} row{"s" * (hits > 1)}, '
        f'{"every field" if names is at.names else "three fields"} read',
        _times(select, times),
        per=times,
        rounds=sizes.rounds if hits <= 10_000 else sizes.slow,
        slow_rounds=sizes.slow if hits > 1_000 else sizes.rounds,
        needs='select' if filters else 'everything',
    )


def _values(at: Context) -> Iterator[Work]:
    """Yield reads of plain values, and counts of all objects by one field."""
    (filters, hits), three = at.query(max(at.sizes.reads)), at.data.three
    times = max(1, min(at.sizes.calls // 2, 10 * at.sizes.calls // hits))
    for which, names in ('one field', three[:1]), ('three fields', three), ('all fields', at.names):
        rows = _times(partial(at.shelf.values, filters, names), times, partial(sorted, key=repr))
        name = f'filter().valuesList(), {hits:,} rows, {which}'
        yield Work(name, rows, per=times, rounds=at.sizes.rounds, needs='values')
    calls = max(1, at.sizes.calls // 100)
    counts = _times(
        partial(at.shelf.tally, at.data.changed),
        calls,
        lambda found: sorted(found.items(), key=repr),
    )
    name = f'countBy() of {at.sizes.rows:,} objects'
    yield Work(name, counts, per=calls, rounds=at.sizes.slow, needs='tally')


def _counts(at: Context) -> Iterator[Work]:
    calls = at.sizes.calls
    one, several = at.query(at.sizes.picks, 1)[0], at.query(at.sizes.picks, 3, 2)[0]
    ((name, value),) = one.items()

    def count(filters: Row) -> int:
        return at.shelf.count(filters)

    for what, filters, needs in (
        ('one filter', one, 'count'),
        (f'{len(several)} filters', several, 'count'),
        ('a lone __ne', {f'{name}__ne': value}, 'count_unequal'),
    ):
        prepare = _times(partial(count, filters), calls)
        yield Work(f'count() of {what}', prepare, per=calls, rounds=at.sizes.rounds, needs=needs)


def _picks(at: Context) -> Iterator[Work]:
    filters, hits = at.query(at.sizes.picks, 3, 2)
    read, calls = at.shelf.reader(at.names), at.sizes.calls // 5

    def pick(how: str) -> Any:
        return at.shelf.pick(how, filters)

    def answer(how: str, picked: Any) -> Any:
        row = dict(zip(at.names, plain(read(picked)), strict=True))
        return filters.items() <= row.items() if how == 'random' else list(row.items())

    for how in ('first', 'last', 'random'):
        prepare = _times(partial(pick, how), calls, partial(answer, how))
        yield Work(f'{how}() among {hits:,}', prepare, per=calls, rounds=at.sizes.rounds, needs=how)


def _memory(at: Context) -> Work:
    """Return the bytes of an object of a result in this process, every field being read."""
    filters, hits = at.query(max(at.sizes.reads))
    read = at.shelf.reader(at.names)

    def run() -> float:
        list(map(read, at.shelf.select(filters)))  # fills what is made once
        gc.collect()
        tracemalloc.start()
        objects = list(at.shelf.select(filters))
        for each in objects:
            read(each)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return taken / hits

    return Work(f'memory of an object, {hits:,} kept, every field read', lambda: Job(run),
                how='value', unit='bytes', rounds=2, warm_up=0)  # fmt: skip


def _import_seconds(module: str) -> float:
    """Return the seconds that a new Python takes to import the subject."""
    code = IMPORT.format(path=[os.environ['PYTHONPATH']], module=module)
    return float(subprocess.check_output([sys.executable, '-I', '-c', code], text=True))


def _questions(subject: Any, names: list[str]) -> dict[str, Callable[[int], Any]]:
    """Return the questions of many clients: an object by pk, the objects of an artist."""
    read = subject.reader(names)

    def artist(number: int) -> Row:
        return {'artist': f'Artist {number}'}

    async def get(number: int) -> Any:
        return [read(await subject.aget(number))]

    async def select(number: int) -> Any:
        return [read(each) for each in await subject.aselect(artist(number))]

    return {
        'get': lambda number: [read(subject.get(number))],
        'filter': lambda number: [read(each) for each in subject.select(artist(number))],
        'get on asyncio': get,
        'filter on asyncio': select,
    }
