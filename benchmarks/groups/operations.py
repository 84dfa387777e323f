"""Time operations on rows: reads, what one object and an import take, and writes.

Sizes of results come from the data: of each size the nearest there is.
"""

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from ..dataset import make
from ..results import Result
from ..running.run import Run
from ..running.served import Work, plain
from ..running.turns import compare, wait_and_total
from ..subjects import SUBJECTS, Row
from .rows import Rows

IMPORT = (
    'import sys, time; sys.path[:0] = {path!r}; began = time.perf_counter(); import {module}; '
    'print(time.perf_counter() - began)'
)
NOTE = (
    'By hand: import redis, which for IndexedRedis follows at the first connection, as what '
    'queries need does at the first Model.objects.'
)
Question = tuple[str, int, str, tuple[Any, ...], dict[str, Any]]


def operations(run: Run) -> Iterator[Result]:
    """Time each operation."""
    data = make(run.options.data, run.sizes.rows)
    crew = run.crew('operations', run.chosen(*SUBJECTS), data=data)
    for result in compare(run, 'operations', crew):
        if result.work == 'import':
            result.note = NOTE
        yield from wait_and_total(result) if 'PINGs' in result.more else [result]


class Operations(Rows):
    """The operations of one subject."""

    def operations(self) -> Iterator[Work]:
        """Yield all operations, in the order of the table."""
        yield self.get(self.shelf)
        for size in self.sizes.reads:
            for names in (self.data.three, self.names):
                yield self.select(self.shelf, *self.query(size), names)
        for name, times, method, arguments, how in self._questions():
            ask = partial(self._ask, method, *arguments)
            yield self.timed(name, ask, times, **{'needs': method, 'reads': True, **how})
        yield from self._writes()
        yield from self._resets()
        yield self._memory()
        yield self._import()

    def _ask(self, method: str, *args: Any) -> Any:
        """Call a method that a subject may lack, on all rows."""
        return getattr(self.shelf, method)(*args)

    def _questions(self) -> Iterator[Question]:
        """Yield what else is read: its name, how often in a sample, the method, its arguments."""
        many, three, picks = self.sizes.calls, self.data.three, self.sizes.picks
        filters, hits = self.query(max(self.sizes.reads))
        fields = {'one field': three[:1], 'three fields': three, 'all fields': self.names}
        for which, names in fields.items():
            name = f'filter().valuesList(), {hits:,} rows, {which}'
            yield name, self.times(hits), 'values', (filters, names), {}
        how: dict[str, Any] = {'answer': dict.items, 'rounds': self.sizes.slow}
        name = f'countBy() of {self.sizes.rows:,} objects'
        yield name, max(1, many // 100), 'tally', (self.data.changed,), how

        (one, _), (several, hits) = self.query(picks, 1), self.query(picks, 3, 2)
        unequal = {f'{name}__ne': value for name, value in one.items()}
        yield 'count() of one filter', many, 'count', (one,), {}
        yield f'count() of {len(several)} filters', many, 'count', (several,), {}
        yield 'count() of a lone __ne', many, 'count', (unequal,), {'needs': 'count_unequal'}

        def row(picked: Any) -> Any:
            values = plain(self.shelf.reader(self.names)(picked))
            return dict(zip(self.names, values, strict=True)).items()

        def is_one(picked: Any) -> bool:
            return bool(several.items() <= row(picked))

        for which, answer in ('first', row), ('last', row), ('random', is_one):
            how = {'answer': answer, 'needs': which, 'reads': which != 'random'}
            yield f'{which}() among {hits:,}', many // 5, 'pick', (which, several), how

    def _writes(self) -> Iterator[Work]:
        """Yield saves and deletes on an empty database."""
        sizes, name, scratch = self.sizes, self.data.changed, self.scratch
        some, total = 2 * sizes.calls, sizes.delete + sizes.bulk // 10

        def create(rows: list[Row]) -> None:
            for row in rows:
                scratch.create(row)

        def changes() -> list[Any]:
            scratch.fill([{**row, name: 'before'} for row in self.rows(some)])
            objects = scratch.select({name: 'before'})
            return [partial(scratch.update, each, name, 'after') for each in objects]

        def update(calls: list[Any]) -> None:
            for call in calls:
                call()

        def rows_to_go() -> Row:
            rows = self.rows(total)
            gone = [{**row, name: 'to go'} for row in rows[: sizes.delete]]
            scratch.fill(gone + rows[sizes.delete :])
            return {name: 'to go'}

        new, bulk = partial(self.rows, some), partial(self.rows, sizes.bulk)
        like_first, last = self._stored(), self.rows(total)[-1][name]
        yield self._write('save() of a new object', create, new, like_first, some)
        title = 'save() of one changed indexed field'
        yield self._write(title, update, changes, self._stored('after'), some)
        title = f'bulk save of {sizes.bulk:,}'
        yield self._write(title, scratch.fill, bulk, like_first, needs='save_all')
        title = f'filter().delete() of {sizes.delete:,}'
        yield self._write(title, scratch.delete, rows_to_go, self._stored(last, 'to go'))

    def _write(
        self, title: str, run: Any, prepare: Any, answer: Any, per: int = 1, needs: str = ''
    ) -> Work:
        def on_empty() -> Any:
            self.scratch_client.flushdb()
            return prepare()

        slow = self.sizes.slow if per == 1 else self.sizes.rounds
        how = {'rounds': self.sizes.rounds, 'slow_rounds': slow, 'per': per, 'needs': needs}
        return Work(title, run, on_empty, answer, **how)

    def _stored(self, *values: Any) -> Callable[[Any], Any]:
        """Return a call that reads objects by the changed field: by values, or as in row 1."""
        name, read = self.data.changed, self.scratch.reader(self.names)
        chosen = values or [self.rows(1)[0][name]]
        return lambda done: [
            read(each) for value in chosen for each in self.scratch.select({name: value})
        ]

    def _resets(self) -> Iterator[Work]:
        """Yield a reset with the machine to itself, and one beside a reader.

        The reader runs on the core of the subject and takes time from it, so the total is that of
        the first. 6.0.3 takes part in one round of each, since it needs most of a minute for
        100,000 rows.
        """

        def prepare() -> list[Row]:
            self.settle()
            return self.rows(self.sizes.reset)

        def replace_all(rows: list[Row]) -> None:
            self.scratch.replace_all(rows)

        how = {'rounds': self.sizes.slow, 'slow_rounds': 1, 'warm_up': 0, 'needs': 'replace_all'}
        name = f'reset of {self.sizes.reset:,}'
        alone = Work(name, replace_all, prepare, self._stored(), **how)
        yield alone
        yield replace(alone, name=f'{name}, beside that reader', how='beside')

    def _memory(self) -> Work:
        """Return the bytes of an object of a result in this process, every field being read."""
        filters, hits = self.query(max(self.sizes.reads))
        read = self.shelf.reader(self.names)

        def run() -> dict[str, float]:
            list(map(read, self.shelf.select(filters)))  # fills what is made once
            gc.collect()
            tracemalloc.start()
            objects = list(self.shelf.select(filters))
            for each in objects:
                read(each)
            gc.collect()
            taken, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return {'main': taken / hits}

        name = f'memory of an object, {hits:,} kept, every field read'
        return Work(name, run, how='value', unit='bytes', rounds=2, warm_up=0)

    def _import(self) -> Work:
        """Return the time in which a new Python imports the subject."""
        code = IMPORT.format(path=[os.environ['PYTHONPATH']], module=self.shelf.module)

        def run() -> dict[str, float]:
            return {'main': float(subprocess.check_output([sys.executable, '-I', '-c', code]))}

        return Work('import', run, how='value', rounds=self.sizes.rounds)


serve = Operations
