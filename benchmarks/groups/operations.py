"""List the operations on rows: reads, what one object and an import take, and writes.

Sizes of results come from the data: of each size the nearest there is.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..running.served import Work, plain
from ..subjects import Row

if TYPE_CHECKING:
    from .rows import Rows

FEW = 20  # rows of a small result
IMPORT = (
    'import sys, time; sys.path[:0] = {path!r}; began = time.perf_counter(); import {module}; '
    'print(time.perf_counter() - began)'
)


def reads(at: Rows) -> Iterator[Work]:
    """Yield all reads, in the order of the table."""
    yield _get(at, at.shelf)
    for size in at.sizes.reads:
        for names in (at.data.three, at.names):
            yield _select(at, at.shelf, *at.query(size), names)
    for name, times, method, arguments, how in _questions(at):
        ask = partial(at.ask, method, *arguments)
        yield at.timed(name, ask, times, **{'needs': method, 'reads': True, **how})


def larger(at: Rows) -> Iterator[Work]:
    """Yield an object of more and more objects."""
    for filters, hits in [*map(at.query, at.sizes.reads), ({}, at.sizes.rows)]:
        if hits > FEW:
            work = _select(at, at.shelf, filters, hits, at.names)
            how = {'per': work.per * hits, 'unit': 'us', 'rounds': at.sizes.slow}
            yield replace(work, name=f'an object, of {hits:,}', turns='objects', reads=False, **how)


def small(at: Rows, subject: Any) -> Iterator[Work]:
    """Yield reads of few objects."""
    yield _get(at, subject)
    for filters, hits in map(at.query, at.sizes.reads):
        if hits <= FEW:
            yield _select(at, subject, filters, hits, at.names)


def memory(at: Rows) -> Work:
    """Return the bytes of an object of a result in this process, every field being read."""
    filters, hits = at.query(max(at.sizes.reads))
    read = at.shelf.reader(at.names)

    def run() -> dict[str, float]:
        list(map(read, at.shelf.select(filters)))  # fills what is made once
        gc.collect()
        tracemalloc.start()
        objects = list(at.shelf.select(filters))
        for each in objects:
            read(each)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return {'main': taken / hits}

    name = f'memory of an object, {hits:,} kept, every field read'
    return Work(name, run, how='value', unit='bytes', rounds=2, warm_up=0)


def imports(at: Rows) -> Work:
    """Return the time in which a new Python imports the subject."""
    code = IMPORT.format(path=[os.environ['PYTHONPATH']], module=at.shelf.module)

    def run() -> dict[str, float]:
        return {'main': float(subprocess.check_output([sys.executable, '-I', '-c', code]))}

    return Work('import', run, how='value', rounds=at.sizes.rounds)


def _get(at: Rows, subject: Any) -> Work:
    read = subject.reader(at.names)
    pks = range(1, at.sizes.rows, max(1, at.sizes.rows // (2 * at.sizes.calls)))

    def get_all() -> list[Any]:
        return [read(subject.get(pk)) for pk in pks]

    return at.timed('get(pk)', get_all, 1, per=len(pks), reads=True)


def _select(at: Rows, subject: Any, filters: Row, hits: int, names: list[str]) -> Work:
    read, rounds, slow = subject.reader(names), at.sizes.rounds, at.sizes.slow

    def select() -> list[Any]:
        objects = subject.select(filters) if filters else subject.everything()
        return [read(each) for each in objects]

    return at.timed(
        f'filter().all(), {hits:,} row{"s" * (hits > 1)}, '
        f'{"every field" if names is at.names else "three fields"} read',
        select,
        _times(at, hits),
        rounds=rounds if hits <= 10_000 else slow,
        slow_rounds=slow if hits > 1_000 else rounds,
        needs='select' if filters else 'everything',
        reads=True,
    )


def _times(at: Rows, hits: int) -> int:
    """Return how many results of so many rows one sample takes."""
    return max(1, min(at.sizes.calls // 2, 10 * at.sizes.calls // hits))


def _questions(at: Rows) -> Iterator[tuple[str, int, str, tuple[Any, ...], dict[str, Any]]]:
    """Yield what else is read: its name, how often in a sample, the method and its arguments."""
    many, three, picks = at.sizes.calls, at.data.three, at.sizes.picks
    filters, hits = at.query(max(at.sizes.reads))
    for which, names in ('one field', three[:1]), ('three fields', three), ('all fields', at.names):
        name = f'filter().valuesList(), {hits:,} rows, {which}'
        yield name, _times(at, hits), 'values', (filters, names), {}
    how: dict[str, Any] = {'answer': dict.items, 'rounds': at.sizes.slow}
    name = f'countBy() of {at.sizes.rows:,} objects'
    yield name, max(1, many // 100), 'tally', (at.data.changed,), how

    (one, _), (several, hits) = at.query(picks, 1), at.query(picks, 3, 2)
    unequal = {f'{name}__ne': value for name, value in one.items()}
    yield 'count() of one filter', many, 'count', (one,), {}
    yield f'count() of {len(several)} filters', many, 'count', (several,), {}
    yield 'count() of a lone __ne', many, 'count', (unequal,), {'needs': 'count_unequal'}

    def row(picked: Any) -> Any:
        return dict(zip(at.names, plain(at.shelf.reader(at.names)(picked)), strict=True)).items()

    def is_one(picked: Any) -> bool:
        return bool(several.items() <= row(picked))

    for which, answer in ('first', row), ('last', row), ('random', is_one):
        how = {'answer': answer, 'needs': which, 'reads': which != 'random'}
        yield f'{which}() among {hits:,}', many // 5, 'pick', (which, several), how


def writes(at: Rows) -> Iterator[Work]:
    """Yield saves and deletes on an empty database."""
    sizes, name, scratch = at.sizes, at.data.changed, at.scratch
    some, total = 2 * sizes.calls, sizes.delete + sizes.bulk // 10

    def work(
        title: str, run: Any, prepare: Any, answer: Any, per: int = 1, needs: str = ''
    ) -> Work:
        slow = sizes.slow if per == 1 else sizes.rounds
        how = {'rounds': sizes.rounds, 'slow_rounds': slow, 'per': per, 'needs': needs}
        return Work(title, run, partial(at.emptied, prepare), answer, **how)

    def create(rows: list[Row]) -> None:
        for row in rows:
            scratch.create(row)

    def changes() -> list[Any]:
        scratch.fill([{**row, name: 'before'} for row in at.rows(some)])
        objects = scratch.select({name: 'before'})
        return [partial(scratch.update, each, name, 'after') for each in objects]

    def rows_to_go() -> Row:
        rows = at.rows(total)
        gone = [{**row, name: 'to go'} for row in rows[: sizes.delete]]
        scratch.fill(gone + rows[sizes.delete :])
        return {name: 'to go'}

    new, bulk, last = partial(at.rows, some), partial(at.rows, sizes.bulk), at.rows(total)[-1][name]
    yield work('save() of a new object', create, new, at.stored(), some)
    title = 'save() of one changed indexed field'
    yield work(title, lambda calls: [call() for call in calls], changes, at.stored('after'), some)
    yield work(f'bulk save of {sizes.bulk:,}', scratch.fill, bulk, at.stored(), needs='save_all')
    title = f'filter().delete() of {sizes.delete:,}'
    yield work(title, scratch.delete, rows_to_go, at.stored(last, 'to go'))


def resets(at: Rows) -> Iterator[Work]:
    """Yield a reset with the machine to itself, and one beside a reader.

    The reader runs on the core of the subject and takes time from it, so the total is that of the
    first. 6.0.3 takes part in one round of each, since it needs most of a minute for 100,000 rows.
    """

    def prepare() -> list[Row]:
        at.settle()
        return at.rows(at.sizes.reset)

    def replace_all(rows: list[Row]) -> None:
        at.scratch.replace_all(rows)

    how = {'rounds': at.sizes.slow, 'slow_rounds': 1, 'warm_up': 0, 'needs': 'replace_all'}
    alone = Work(f'reset of {at.sizes.reset:,}', replace_all, prepare, at.stored(), **how)
    yield alone
    yield replace(alone, name=f'{alone.name}, beside that reader', how='beside')
