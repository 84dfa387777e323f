"""Measure the waits beside commands of the command line, and beside long writes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..results import BEFORE, US, Result
from ..rows.dataset import Dataset
from ..run import Run
from ..running.processes import Process
from ..running.turns import measure
from ..running.work import Work

MODEL = 'benchmarks.waits.model:Row'
MIRRORS = 'benchmarks.waits.mirrors'
NOTHING_SECONDS = 5
WRITES = {
    'insert': 'saver.save() of {count:,} new objects',
    'change': 'saver.save() of {count:,} changed objects',
    'delete': 'deleter.deleteMultiple() of {count:,} objects',
}


def waits(run: Run) -> Iterator[Result]:
    """Time the longest wait of a PING beside each command, then beside each write."""
    first, *commands = _commands(run)
    wanted = [work for work in [*commands, *_writes(run)] if run.wants(work.name)]
    if run.wants(first.name) or set(wanted) & {*commands}:
        wanted.insert(0, first)  # fills the database
    for work in wanted:
        yield from measure([work], _crew(run))


def _commands(run: Run) -> Iterator[Work]:
    """Yield the first mirror, nothing, and the commands."""
    data = run.dataset(run.options.data, run.sizes.waits)
    few, many = (
        [f'{name}={value}' for name, value in data.query(size, most_filters=2)[0].items()]
        for size in (10, run.sizes.waits // 5)
    )
    file = str(run.folder / 'rows.jsonl')
    lines = {
        'models': ['models'],
        'info': ['info', MODEL],
        'explain, few rows': ['explain', MODEL, *few],
        'explain, many rows': ['explain', MODEL, *many],
        'explain --analyze, few rows': ['explain', MODEL, *few, '--analyze'],
        'check': ['check', MODEL],
        'repair': ['repair', '--yes', MODEL],
        'reindex': ['reindex', MODEL],
        'export': ['export', MODEL, '--output', file],
        'import, the same pks': ['import', MODEL, file],
        'import --new-pks': ['import', MODEL, file, '--new-pks'],
        'import --mode add': ['import', MODEL, file, '--mode', 'add'],
    }
    mirror = {'args': ['mirror', f'{MIRRORS}:everything'], 'rows': len(data.rows)}
    diff = {'args': ['mirror', f'{MIRRORS}:changed', '--mode', 'diff'], 'rows': len(data.rows)}
    work = Work('', 'command', how='beside', warm_up=0)
    yield replace(work, name=f'mirror of {len(data.rows):,} rows, first', args=mirror)
    seconds = {'seconds': min(NOTHING_SECONDS, 10 * run.sizes.quiet)}
    yield replace(work, name='nothing', task='nothing', args=seconds)
    for name, args in lines.items():
        yield replace(work, name=name, args={'args': args})
    yield replace(work, name='mirror, again', args=mirror)
    yield replace(work, name='mirror --mode diff', args=diff)


def _writes(run: Run) -> Iterator[Work]:
    for task, title in WRITES.items():
        for locked in (False, True):
            name = title.format(count=run.sizes.written)
            name += ', a reset holding the lock at first' if locked else ''
            args = {'locked': locked}
            yield Work(name, task, args, how='beside', rounds=run.sizes.slow)


def _crew(run: Run) -> list[Process]:
    def start() -> list[Process]:
        data = run.dataset(run.options.data, run.sizes.waits)
        if run.server:
            with suppress(OSError):  # a server that has the processor at once shows its own waits
                os.setpriority(os.PRIO_PROCESS, run.server, -20)
        environment = {
            'BENCHMARKS_DATASET': str(run.file_of(replace(data, rows=[]))),
            'BENCHMARKS_SQLITE': str(_database(data, run.folder / 'rows.sqlite')),
        }
        how: dict[str, Any] = {
            'data': str(run.file_of(run.dataset(run.options.data, run.sizes.written))),
            'environment': environment,
            'output': str(run.folder / 'output'),
            'quiet': run.sizes.quiet,
        }
        processes = []
        for number, name in enumerate(each for each in (US, BEFORE) if each in run.subjects):
            at = {**run.connection, 'db': number}
            processes += run.start(name, 'waits.tasks', connection=at, **how)
        return processes

    return run.crew('waits', start)


def _database(data: Dataset, path: Path) -> Path:
    """Return a SQLite database with the rows, numbered."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        columns = ', '.join(f'{key} {"INTEGER" if kind == "int" else "TEXT"}'
                            for key, kind in data.kinds.items())  # fmt: skip
        database.execute(f'CREATE TABLE rows (number INTEGER PRIMARY KEY, {columns})')
        marks = ', '.join('?' * (1 + len(data.kinds)))
        rows = ((number, *row) for number, row in enumerate(data.rows, 1))
        database.executemany(f'INSERT INTO rows VALUES ({marks})', rows)
        database.commit()
    return path
