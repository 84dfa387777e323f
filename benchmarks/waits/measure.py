"""Measure the waits beside commands of the command line, and beside long writes."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress

from ..results import BEFORE, US, Result
from ..rows.dataset import Dataset, make
from ..run import Run
from ..running.turns import compare


def waits(run: Run) -> Iterator[Result]:
    """Time the waits of a PING beside each command, then beside each write."""
    if run.server:
        with suppress(OSError):  # a server that has the processor at once shows its own waits
            os.setpriority(os.PRIO_PROCESS, run.server, -20)
    data = make(run.options.data, run.sizes.waits)
    queries = [data.query(size, 2)[0] for size in (10, run.sizes.waits // 5)]
    rows = {'kinds': data.kinds, 'indexed': data.indexed, 'changed': data.changed}
    how = {
        'data': run.file_of(make(run.options.data, run.sizes.written)),
        'filters': [[f'{name}={value}' for name, value in each.items()] for each in queries],
        'rows': json.dumps({**rows, 'url': f'sqlite:///{_database(run, data)}'}),
        'folder': str(run.folder),
    }
    names = [each for each in (US, BEFORE) if each in run.subjects]
    yield from compare(run, 'waits', run.crew('waits.works', names, **how))


def _database(run: Run, data: Dataset) -> str:
    """Return a SQLite database with the rows, numbered."""
    path = str(run.folder / 'rows.sqlite')
    kinds = {'int': 'INTEGER', 'str': 'TEXT'}
    columns = ', '.join(f'{key} {kinds[kind]}' for key, kind in data.kinds.items())
    marks = ', '.join('?' * (1 + len(data.kinds)))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'CREATE TABLE rows (number INTEGER PRIMARY KEY, {columns})')
        rows = ((number, *row) for number, row in enumerate(data.rows, 1))
        database.executemany(f'INSERT INTO rows VALUES ({marks})', rows)
    return path
